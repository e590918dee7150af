"""No sentence and no table of the report says anything but what the numbers say; and the check of it can fail."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from contradictions import JUDGING, Text, contradictions, of_html, of_markdown, row_permits
from contradictions.prose import of_line
from contradictions.tables import of_row
from project import ROOT
from synthetic_runs import Arm, Reported, diverge, report_of, report_on, write_project

from softalign.reporting import report
from softalign.reporting.sentences import caveats

# One arm for each outcome, of a design that has a row for each claim with a rule.
ARMS = {
    "luong": Arm({"fusion": "luong", "score": "general"}, (0.4, 0.1)),  # worse than vanilla
    "luong-dot": Arm({"fusion": "luong", "score": "dot"}, (0.4, 0.1)),
    "bahdanau-relu": Arm({"fusion": "bahdanau", "score": "additive", "activation": "relu"}, (0.7, 0.4)),
    "vanilla-relu": Arm({"activation": "relu"}, (0.74, 0.24)),
    "vanilla-as_bahdanau": Arm({"hidden_size": 208}, (0.76, 0.26), 975_000),
    "multiply_output": Arm({"fusion": "multiply_output", "score": "dot"}, (0.9, 0.6)),
}


@pytest.fixture(scope="module")
def all_outcomes(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    reported = report_of(tmp_path_factory.mktemp("all outcomes"), rows=60, arms=ARMS)
    reported.write()
    return reported


def stored(reported: Reported) -> tuple[dict[str, Any], dict[str, Any]]:
    read = [json.loads((reported.layout.reports / f"{name}.json").read_text("utf-8")) for name in ("results", "claims")]
    return read[0], read[1]


def texts(reported: Reported) -> dict[str, Text]:
    folder = reported.layout.reports
    return {
        "report.md": of_markdown((folder / "report.md").read_text(encoding="utf-8")),
        "index.html": of_html((folder / "index.html").read_text(encoding="utf-8")),
    }


# Numbers that stand in none of the records: of the rows that samples and pictures show, which name their files; and
# what two seeds may hide, which is a matter of the method.
OF_NO_RECORD = re.compile(r"Row \d+|!\[.*test row \d+.*|Two seeds an arm are too few .*")


def altered(said: str) -> Iterator[str]:
    """The same with one number, or its sign, another; by as little as can be shown."""
    for found in re.finditer(r"\d(?!\d)", said):
        yield f"{said[: found.start()]}{(int(found[0]) + 1) % 10}{said[found.end() :]}"
    for found in re.finditer(r"[+−](?=\d)", said):
        yield f"{said[: found.start()]}{'+' if found[0] == '−' else '−'}{said[found.end() :]}"


def unnoticed_in_tables(text: Text, results: dict[str, Any], claims: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Changed cells that nothing is said against: of each column of each table the numbers of one cell.
    What makes a row another row of the table is true.
    """
    missed = []
    for (columns, rows), caption in zip(text.tables, text.captions, strict=True):
        for place, column in enumerate(columns):
            row = next((row for row in rows if re.search(r"\d", row[place])), rows[0])
            for cell in altered(row[place]):
                other = [*row[:place], cell, *row[place + 1 :]]
                if other not in rows and not [*of_row(columns, other, caption, results, claims)]:
                    missed.append((caption, column, cell))
    return missed


def unnoticed_in_prose(text: Text, results: dict[str, Any], claims: dict[str, Any]) -> list[str]:
    """Changed lines that nothing is said against. The claims' rules are quoted, and no records vouch for them."""
    rules = {claims["rule"], *(rule for claim in claims["claims"] for rule in claim["rules"])}
    said = [line for line in text.prose if not any(rule in line for rule in rules) and not OF_NO_RECORD.fullmatch(line)]
    return [line for own in said for line in altered(own) if not [*of_line(line, results, claims)]]


def test_the_runs_have_every_outcome(all_outcomes: Reported) -> None:
    results, claims = stored(all_outcomes)
    better = results["tasks"]["translation"]["better"].values()
    verdicts = {judged["verdict"] for against in better for judged in against.values()}
    assert verdicts == {"supported", "refuted", "not decided"}
    assert {claim["verdict"] for claim in claims["claims"]} == {"supported", "refuted", "not decided"}
    for text in texts(all_outcomes).values():
        relations = {
            relation
            for relation in ("better", "worse", "not told apart")
            for line in text.prose
            if f" is {relation}" in line
        }
        assert relations == {"better", "worse", "not told apart"}
        assert sum("verdict" in columns for columns, _ in text.tables) == 15  # the overview, and each claim


@pytest.mark.parametrize("name", ["report.md", "index.html"])
def test_the_report_says_what_the_numbers_say(all_outcomes: Reported, name: str) -> None:
    assert contradictions(texts(all_outcomes)[name], *stored(all_outcomes)) == []


@pytest.mark.parametrize("name", ["report.md", "index.html"])
def test_any_other_number_in_a_table_is_found(all_outcomes: Reported, name: str) -> None:
    text = texts(all_outcomes)[name]
    assert sum(any(re.search(r"\d", cell) for row in rows for cell in row) for _, rows in text.tables) > 35
    assert unnoticed_in_tables(text, *stored(all_outcomes)) == []


@pytest.mark.parametrize("name", ["report.md", "index.html"])
def test_any_other_number_in_a_line_is_found(all_outcomes: Reported, name: str) -> None:
    assert unnoticed_in_prose(texts(all_outcomes)[name], *stored(all_outcomes)) == []


def test_a_table_under_the_caption_of_another_task_is_found(all_outcomes: Reported) -> None:
    text = texts(all_outcomes)["index.html"]
    tasks = {"translation": "summarization", "summarization": "translation"}
    for what in ("scores on the test set", "paired tests", "probes"):
        ((table, caption),) = [
            found for found in zip(text.tables, text.captions, strict=True) if f"translation: {what}" in found[1]
        ]
        task = caption.partition(":")[0]
        assert contradictions(Text([], [table], [caption]), *stored(all_outcomes)) == []
        assert contradictions(Text([], [table], [caption.replace(task, tasks[task])]), *stored(all_outcomes))


def test_so_does_a_report_over_seeds(two_seeds: Reported) -> None:
    two_seeds.write()
    for text in texts(two_seeds).values():
        assert contradictions(text, *stored(two_seeds)) == []
        assert unnoticed_in_tables(text, *stored(two_seeds)) == []
        assert unnoticed_in_prose(text, *stored(two_seeds)) == []


def test_so_does_a_report_on_tasks_whose_scores_no_claim_is_about(tmp_path: Path) -> None:
    reported = report_of(tmp_path, tasks=("translation", "translation_low_resource", "recall"), rows=60, arms=ARMS)
    reported.write()
    results, claims = stored(reported)
    for text in texts(reported).values():
        assert contradictions(text, results, claims) == []
        assert unnoticed_in_tables(text, results, claims) == unnoticed_in_prose(text, results, claims) == []
        for task in ("translation_low_resource", "recall"):
            told = [
                line for line in text.prose if f" on {task}: " in line and ("better than" in line or "worse" in line)
            ]
            assert told
            for line in told:
                turned = (
                    line.replace("better than", "worse than")
                    if "better than" in line
                    else line.replace("worse", "better")
                )
                assert contradictions(Text([turned]), results, claims), line


def test_an_arm_with_a_control_is_told_beside_it(all_outcomes: Reported) -> None:
    for text in texts(all_outcomes).values():
        told = [line for line in text.prose if line.startswith("At as many parameters: ")]
        assert [line.split()[4] for line in told] == ["bahdanau"] * 2  # multiply has as many as its baseline
        assert "bahdanau is better than vanilla-as_bahdanau on translation: " in told[0]
        wrong = Text([told[0].replace("better than", "worse than")])
        assert contradictions(wrong, *stored(all_outcomes)) != contradictions(Text(told), *stored(all_outcomes)) == []


def test_a_control_is_one_more_row_and_no_second_beside_what_learns_nothing(all_outcomes: Reported) -> None:
    rows = [row for row in all_outcomes.verdicts if (row.claim, row.arm) == ("C2", "bahdanau")]
    assert [row.against for row in rows] == ["vanilla", "lead-20", "copy", "vanilla-as_bahdanau"]
    gaps = [
        row for row in all_outcomes.verdicts if (row.claim, row.arm, row.task) == ("C12", "bahdanau", "translation")
    ]
    assert [row.against for row in gaps] == ["vanilla", "vanilla-as_bahdanau"]
    assert ["matched in size" in " ".join(row.notes) for row in gaps] == [True, True]
    assert "matched in size: 973,856 parameters against 975,000" in gaps[1].notes
    assert "not matched in size" in gaps[0].notes


def test_so_does_a_report_with_gaps(tmp_path: Path) -> None:
    root = write_project(tmp_path, tasks=("translation",), seeds=(1, 2, 3), rows=30, arms={"luong": ARMS["luong"]})
    for run in ("multiply/1", "bahdanau/2", "bahdanau/3", "vanilla/3"):
        shutil.rmtree(root / "runs/translation" / run)
    reported = report_on(root)
    seeds = {r["candidate"]: r["seeds"] for r in reported.results["comparisons"] if r["baseline"] == "vanilla"}
    assert seeds == {"multiply": [2], "bahdanau": [1], "luong": [1, 2]}
    reported.write()
    for text in texts(reported).values():
        assert contradictions(text, *stored(reported)) == []
        assert unnoticed_in_tables(text, *stored(reported)) == unnoticed_in_prose(text, *stored(reported)) == []
        assert any("no p, for runs are missing" in line for line in text.prose)
        assert ["translation", "bahdanau", "2", "not run", "not run"] in [
            row for _, rows in text.tables for row in rows
        ]


@pytest.mark.parametrize(
    ("diverged", "says"),
    [
        ({"luong": (2, 3)}, "where it got through: luong diverged with seeds 2, 3, and no scores are compared."),
        ({"luong": (1, 2, 3)}, "luong diverged with seeds 1, 2, 3 on translation: no score."),
        ({"vanilla": (2,)}, " BLEU on translation; vanilla diverged with seed 2, and no scores are compared."),
        (
            {"vanilla": (1, 2, 3)},
            " BLEU on translation; vanilla diverged with seeds 1, 2, 3, and no scores are compared.",
        ),
    ],
)
def test_so_does_a_report_in_which_trainings_diverged(
    tmp_path: Path, diverged: dict[str, tuple[int, ...]], says: str
) -> None:
    models, arms = ("vanilla", "bahdanau"), {"luong": ARMS["luong"]}
    root = write_project(tmp_path, tasks=("translation",), models=models, seeds=(1, 2, 3), rows=30, arms=arms)
    for arm, seeds in diverged.items():
        diverge(root, arm, *seeds)
    reported = report_on(root)
    reported.write()
    results, claims = stored(reported)
    assert "luong" not in results["tasks"]["translation"]["better"]
    (share,) = [row for row in rows_of(claims, "C1") if row["arm"] == "luong"]
    assert share["quantity"] == "share of diverged trainings"
    for text in texts(reported).values():
        assert contradictions(text, results, claims) == []
        (said,) = [line for line in text.prose if line.startswith("luong ")]
        assert said.endswith(says)
        assert unnoticed_in_tables(text, results, claims) == unnoticed_in_prose(text, results, claims) == []
        for seeds in (" with seeds 1, 2, 3", " with seed 3", " with seeds 1, 2"):
            other = re.sub(r" with seeds? \d(, \d)*", seeds, said)
            assert other == said or contradictions(Text([other]), results, claims), other
        for arm in {"luong", "vanilla", "bahdanau"} - {*diverged}:
            other = re.sub(r"\S+ diverged", f"{arm} diverged", said)
            assert contradictions(Text([other]), results, claims), other


FEW_FALL = {
    "multiply": Arm({"fusion": "multiply", "score": "dot"}, (0.74, 0.24), still_falls=True),
    "luong": Arm({"fusion": "luong", "score": "general"}, (0.4, 0.1), still_falls=True),
}


def test_whose_loss_still_falls_is_told_as_the_runs_have_it(tmp_path: Path) -> None:
    reported = report_of(tmp_path, tasks=("translation",), seeds=(1, 2), rows=12, arms=FEW_FALL)
    reported.write()
    named = "translation multiply 1, translation multiply 2, translation luong 1, translation luong 2"
    for text in texts(reported).values():
        assert contradictions(text, *stored(reported)) == []
        assert unnoticed_in_tables(text, *stored(reported)) == []
        (said,) = [line for line in text.prose if "more training may help" in line]
        assert said.endswith(f" more training may help: {named}.")
        assert not any("more training may help" in line for line in text.prose if line != said)
        for other in ("all runs", "all of translation", "translation multiply 1", f"{named}, translation bahdanau 1"):
            assert contradictions(Text([said.replace(named, other)]), *stored(reported)), other
        (row,) = [row for columns, rows in text.tables if "validation loss flat" in columns for row in rows[1:2]]
        assert row[0] == "multiply" and row[-1] == "no / no"


@pytest.mark.parametrize(
    ("fall", "says"),
    [
        (lambda run: True, "all runs"),
        (lambda run: run["task"] == "summarization", "all of summarization"),
        (lambda run: run["model"] == "luong", "translation luong 1, summarization luong 1"),
        (lambda run: False, None),
    ],
)
def test_all_runs_or_all_of_a_task_may_be_named_together(
    all_outcomes: Reported, fall: Callable[[dict[str, Any]], bool], says: str | None
) -> None:
    results, claims = copy.deepcopy(stored(all_outcomes))
    for run in results["runs"]:
        run["cost"]["flattened"] = not fall(run)
    lines = [line for line in caveats(results, claims["claims"]) if "more training may help" in line]
    assert [line.rpartition(": ")[2] for line in lines] == ([f"{says}."] if says else [])
    assert contradictions(Text(lines), results, claims) == []
    for other in {"all runs", "all of summarization", "translation luong 1", "translation nobody 1"} - {says}:
        line = f"There was one epoch alone, so that more training may help: {other}."
        assert contradictions(Text([line]), results, claims), other


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (r"(?<=^C7 is refuted: ).*", "“feeding the fused state back matters”. multiply against multiply_output on "
         "translation: −20.6 (BLEU, points), interval +90.1 … +99.5, corrected p 0.9."),
        (r", interval .*? … [^,]*(?=, corrected p)", ""),
        (r", corrected p (< )?[\d.]+", ""),
        (r"about 80 %(?= of the time)", "about 99 %"),
        (r"(?<=With )1 seed ", "5 seeds "),
        (r"60(?= test items, a true)", "6,000"),
        (r"(?<=corrected for )\d+(?= comparisons, seed)", "2"),
        (r"(?<=comparisons, )seed 1", "mean over seeds 1, 2"),
        (r"vanilla-as_bahdanau(?= on translation: )", "vanilla"),
    ],
)  # fmt: skip
def test_a_part_of_a_sentence_that_is_another_is_found(all_outcomes: Reported, said: str, instead: str) -> None:
    text = texts(all_outcomes)["report.md"]
    changed = [other for line in text.prose if (other := re.sub(said, instead, line)) != line]
    assert changed
    for line in changed:
        assert contradictions(Text([line]), *stored(all_outcomes)), line


def test_a_score_that_no_sentence_of_the_report_has_is_found(all_outcomes: Reported) -> None:
    for line in ("luong got 99.9 BLEU.", "It is 3 points.", "C7 is what it is.", "luong diverged with every seed."):
        assert "no number vouches" in contradictions(Text([line]), *stored(all_outcomes))[0]


def rows_of(claims: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = next(claim for claim in claims["claims"] if claim["id"] == name)["rows"]
    return rows


def row_of(claims: dict[str, Any], name: str, arm: str) -> dict[str, Any]:
    return next(row for row in rows_of(claims, name) if row["arm"] == arm)


def turn(row: dict[str, Any], *keys: str) -> None:
    row |= {key: -row[key] for key in keys}


def comparison(results: dict[str, Any], arm: str) -> dict[str, Any]:
    return next(r for r in results["comparisons"] if (r["metric"], r["candidate"]) == ("bleu", arm))


MUTATIONS: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "a score": lambda results, _: results["runs"][0]["test"].update(bleu=99.0),
    "the sign of a difference": lambda results, _: turn(comparison(results, "bahdanau"), "difference"),
    "the sign of an interval": lambda results, _: turn(comparison(results, "luong"), "low", "high"),
    "the sign of an effect": lambda _, claims: turn(row_of(claims, "C4", "bahdanau"), "effect", "low", "high"),
    "a row's verdict": lambda _, claims: row_of(claims, "C12", "bahdanau").update(verdict="refuted"),
    "a claim's verdict": lambda _, claims: claims["claims"][8].update(verdict="refuted"),
    "what would have been found": lambda results, _: comparison(results, "luong").update(detectable=99.0),
    "a corrected p-value": lambda _, claims: row_of(claims, "C1", "bahdanau").update(p_holm=0.2),
    "a missing run": lambda _, claims: row_of(claims, "C9", "multiply").update(missing=["runs/a/b/1"]),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_number_that_is_turned_round_is_found(all_outcomes: Reported, name: str) -> None:
    results, claims = copy.deepcopy(stored(all_outcomes))
    MUTATIONS[name](results, claims)
    for text in texts(all_outcomes).values():
        assert contradictions(text, results, claims)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (" is worse than ", " is better than "),
        (" is not told apart from ", " is worse than "),
        ("a difference of +", "a difference of −"),
        (" is refuted", " is supported"),
        ("supported for bahdanau", "refuted for bahdanau"),
        ("Not decided by these runs: C3", "Not decided by these runs: C1, C3"),
    ],
)
def test_a_sentence_that_is_turned_round_is_found(all_outcomes: Reported, said: str, instead: str) -> None:
    text = texts(all_outcomes)["report.md"]
    lines = [number for number, line in enumerate(text.prose) if said in line]
    assert lines
    for number in lines:
        turned = [*text.prose]
        turned[number] = turned[number].replace(said, instead)
        assert contradictions(Text(turned), *stored(all_outcomes))


@pytest.mark.parametrize(
    ("claim", "effect", "low", "high", "permitted"),
    [
        ("C1", 5.0, 2.0, 8.0, "supported"),
        ("C5", -5.0, -8.0, -2.0, "supported"),  # less of an error is better,
        ("C14", -5.0, -8.0, -2.0, "supported"),  # and so is less of a loss
        ("C14", 5.0, 2.0, 8.0, "refuted"),
        ("C1", 1.0, None, None, "refuted"),  # more trainings diverged
        ("C1", -1.0, None, None, "supported"),
        ("C8", 1.0, None, None, "supported"),
    ],
)
def test_what_a_row_permits(claim: str, effect: float, low: float | None, high: float | None, permitted: str) -> None:
    row = {"effect": effect, "low": low, "high": high, "neutral": 0.0, "p_holm": 0.01, "missing": []}
    row |= {"open_because": "", "quantity": "points" if low else "share of diverged trainings"}
    assert row_permits(claim, row, 0.05) == {permitted}


def test_a_finding_names_those_who_say_otherwise(all_outcomes: Reported) -> None:
    findings = [line for line in texts(all_outcomes)["report.md"].prose if " In all: " in line]
    assert findings
    for line in findings:
        assert contradictions(Text([line]), *stored(all_outcomes)) == []
        assert contradictions(Text([line.partition(" In all: ")[0]]), *stored(all_outcomes)), line


def test_who_says_what_is_told_as_the_rows_have_it(all_outcomes: Reported) -> None:
    ((columns, rows),) = [
        table for table in texts(all_outcomes)["index.html"].tables if table[0][-1].startswith("who ")
    ]
    for said, instead in (("supported for ", "refuted for "), ("open for ", "open for luong, ")):
        told = [row for row in rows if said in row[-1]]
        assert told
        for row in told:
            other = Text([], [(columns, [[*row[:-1], row[-1].replace(said, instead)]])])
            assert contradictions(other, *stored(all_outcomes)), row


def test_a_cell_that_is_turned_round_is_found(all_outcomes: Reported) -> None:
    text = texts(all_outcomes)["index.html"]
    verdicts = {"supported": "refuted", "refuted": "not decided", "not decided": "supported"}
    turned = 0
    for columns, rows in text.tables:
        for row in rows:
            for place, cell in enumerate(row):
                if cell in verdicts and columns[place] in ("verdict", "better?"):
                    other = Text([], [(columns, [[*row[:place], verdicts[cell], *row[place + 1 :]]])])
                    assert contradictions(other, *stored(all_outcomes)), row
                    turned += 1
    assert turned > 50


def test_a_judgement_without_a_number_is_found(all_outcomes: Reported) -> None:
    said = Text(["As everyone expected, multiply beats vanilla by a wide margin."])
    assert "'beats'" in contradictions(said, *stored(all_outcomes))[0]


# The text that no number makes: templates, and the notebooks' own words.

MEASURED = re.compile(r"\d+\.\d+|\d+ ?(%|points\b|BLEU|ROUGE|ms\b)")


def template_text(path: Path) -> list[str]:
    content = path.read_text(encoding="utf-8")
    content = re.sub(r"<style>.*?</style>|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", "\n", content, flags=re.DOTALL)
    return [line.strip() for line in content.split("\n") if line.strip()]


def notebook_text(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.split("\n") if line.strip()]


@pytest.mark.parametrize("path", sorted(Path(report.TEMPLATES).glob("*.j2")), ids=lambda path: path.name)
def test_templates_judge_no_arm(path: Path) -> None:
    lines = template_text(path)
    assert "Findings" in "".join(lines)
    assert [line for line in lines if unvouched(line)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_judge_no_arm(path: Path) -> None:
    lines = notebook_text(path)
    assert lines
    assert [line for line in lines if unvouched(line)] == []


def unvouched(line: str) -> bool:
    """A word of judgement or a measured number outside a question."""
    return any(
        (JUDGING.search(sentence) or MEASURED.search(sentence)) and not sentence.endswith("?")
        for sentence in re.split(r"(?<=[.?!]) ", line)
    )


@pytest.mark.parametrize("line", ["multiply wins.", "BLEU rises by 3.1.", "Is it? It is faster.", "It costs 12 %."])
def test_what_a_template_must_not_say_is_recognised(line: str) -> None:
    assert unvouched(line)
    assert not unvouched("Does attention beat the same network without it?")
