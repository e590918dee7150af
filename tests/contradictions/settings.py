"""Counts and settings that any line may name: how sure, how often, of how many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contradictions.numbers import NUMBER, Record, shows, value_of

SAMPLE = rf"({NUMBER})"
TASK = re.compile(r"(\w+): ")


def of_settings(line: str, results: Record) -> Iterator[str]:
    """Numbers of a line that are none of the settings, and counts of items, rows and runs that are none of the data."""
    found = TASK.match(line)
    own = [found[1]] if found and found[1] in results["tasks"] else list(results["tasks"])
    for pattern, values in _named(results, own).items():
        for said in re.findall(pattern, line):
            if not any(shows(said, value) for value in values):
                yield f"{said} is none of {values}: {pattern}"
    for pattern, listed in _lists(results, own).items():
        for said in re.findall(pattern, line):
            if [int(value) for value in re.findall(r"\d+", said)] not in listed:
                yield f"{said} is none of {listed}: {pattern}"
    for count, kind, task in re.findall(r"([\d,]+) (training rows|test items) for (\w+)", line):
        if task not in results["tasks"]:
            continue
        record = results["tasks"][task]
        kept = record["test_items"] if kind == "test items" else record["prepared"]["splits"]["train"]["kept"]
        if value_of(count) != kept:
            yield f"{task} has {kept} {kind}"


def _named(results: Record, tasks: list[str]) -> dict[str, list[float]]:
    """What a number after or before these words may be."""
    settings, records = results["bootstrap"], [results["tasks"][task] for task in tasks]
    incomplete, confidence = len(results["incomplete"]), settings["confidence"]
    corpora = [found for record in records if (found := record["provenance"].get("statistics"))]
    return {
        rf"about {SAMPLE} % of (?:the time|all repetitions)": [100 * settings["power"]],
        rf"{SAMPLE} % intervals?\b(?! may cover)": [100 * confidence],
        r"p \(Holm\) is below (\d\.\d+)": [1 - confidence],
        r"leaves out (\d+)\b": [0],
        rf"{SAMPLE} resamples\b": [settings["samples"]],
        rf"{SAMPLE} trials\b": [settings["randomisation_trials"]],
        rf"{SAMPLE} test items\b": [record["test_items"] for record in records],
        rf"Missing or incomplete: {SAMPLE} of": [incomplete],
        rf"of the {SAMPLE} runs that params.yaml names": [incomplete + len(results["runs"])],
        rf"corpus, of {SAMPLE} templates": [found["templates"] for found in corpora],
        rf"{SAMPLE} % of the test rows have one": [100 * found["test_templates_unseen"] for found in corpora],
    }


def _lists(results: Record, tasks: list[str]) -> dict[str, list[list[int]]]:
    """What a list of numbers after these words may be."""
    compared = {task: [row for row in results["comparisons"] if row["task"] == task] for task in tasks}
    seeds = [results["tasks"][task]["seeds"] for task in tasks]
    seeds += [list(own) for own in {tuple(row["seeds"]) for rows in compared.values() for row in rows}]
    families = [_families(rows) for rows in compared.values()]
    return {
        r"^\w+: .*?\bseeds? (\d+(?:, \d+)*)": seeds,
        r"corrected for the number of pairs of arms in a metric \(([^)]*)\)": families,
    }


def _families(rows: list[Record]) -> list[int]:
    """How many pairs of arms are corrected together, of the comparisons over most seeds."""
    most: dict[tuple[str, ...], Record] = {}
    for row in rows:
        pair = (row["candidate"], row["baseline"], row["metric"])
        if pair not in most or len(row["seeds"]) > len(most[pair]["seeds"]):
            most[pair] = row
    return sorted({row["family"] for row in most.values()})
