"""The tables of the data and of where all comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contradictions.cells import Cell
from contradictions.numbers import Record

FACTS = ("vocabulary", "origin", "resampling", "versions")  # tables of names and values


def split_rows(columns: Sequence[str], split: str, records: Sequence[Record]) -> list[list[Cell]]:
    """What cleaning did to a split of each of these tasks."""
    found = [(record["prepared"]["splits"] | record["shifted"]).get(split) for record in records]
    return [[split, *_counts(columns, counts)] for counts in found if counts is not None]


def length_rows(columns: Sequence[str], name: str, records: Sequence[Record]) -> list[list[Cell]]:
    """How long one side of a split of each of these tasks is."""
    split, _, side = name.partition(", ")
    found = [record["prepared"]["lengths"].get(split, {}).get(side.replace(" ", "_")) for record in records]
    return [[name, *_counts(columns, figures)] for figures in found if figures is not None]


def _counts(columns: Sequence[str], counts: Mapping[str, float]) -> list[Cell]:
    return [counts.get(column.replace(" ", "_")) for column in columns[1:]]


def corpus_rows(side: str, records: Sequence[Record]) -> list[list[Cell]]:
    """How varied one side of a generated corpus is."""
    return [
        [
            side,
            *(found[side][key] for key in ("words", "vocabulary", "seen_once")),
            100 * found["test_words_unseen"][side],
        ]
        for record in records
        if side in (found := record["provenance"].get("statistics") or {})
    ]


def signature_rows(results: Record, names: Mapping[str, str]) -> list[list[Cell]]:
    shown = {key: name for name, key in names.items()}
    return [
        [task, shown.get(metric, metric), signature]
        for task, record in results["tasks"].items()
        for metric, signature in record["signatures"].items()
    ]


def run_rows(results: Record) -> list[list[Cell]]:
    """Each run with the start of the hashes of its code and data."""
    keys = ("git_commit", "fingerprint", "data_fingerprint", "revision")
    return [
        [run["task"], run["model"], str(run["seed"]), *(_start(run["origin"].get(key)) for key in keys)]
        for run in results["runs"]
    ]


def _start(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text[:12] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) else text


def fact_rows(name: str, results: Record, records: Sequence[Record]) -> list[list[Cell]]:
    """Names with their values: of a vocabulary, an origin, the resampling or the versions."""
    contents = {
        "vocabulary": [record["prepared"]["vocabulary"] for record in records],
        "origin": [record["provenance"] for record in records],
        "resampling": [results["bootstrap"]],
        "versions": [results["versions"]],
    }
    return [list(fact) for content in contents.get(name, []) for fact in _facts(content, "")]


def _facts(value: Any, name: str) -> Iterator[tuple[str, Cell]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _facts(item, f"{name} {key}".strip().replace("_", " "))
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value))
    elif isinstance(value, bool) or value is None:
        yield name, {True: "yes", False: "no", None: "–"}[value]
    else:
        yield name, value
