"""The verdict on a claim from those on its rows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from softalign.reporting.claims.overall import overall
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Verdict


def row(verdict: str, arm: str = "a", task: str = "translation", **more: object) -> Verdict:
    return Verdict("C1", task, arm, "plain", verdict, "BLEU", **({"effect": 1.0, "p_value": 0.01} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([SUPPORTED], SUPPORTED),
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([SUPPORTED, NOT_DECIDED], NOT_DECIDED),
        ([REFUTED], REFUTED),
        ([REFUTED, NOT_DECIDED], REFUTED),
        ([REFUTED, SUPPORTED], NOT_DECIDED),
        ([REFUTED, SUPPORTED, NOT_DECIDED], NOT_DECIDED),
        ([NOT_DECIDED], NOT_DECIDED),
    ],
)
def test_rows_become_a_verdict_in_whatever_order(rows: Sequence[str], verdict: str) -> None:
    assert overall([row(found) for found in rows]).verdict == verdict
    assert overall([row(found) for found in reversed(rows)]).verdict == verdict


@pytest.mark.parametrize("others", [[SUPPORTED], [REFUTED], [SUPPORTED, REFUTED]])
def test_a_missing_run_leaves_it_open_and_is_named(others: Sequence[str]) -> None:
    gap = row(NOT_DECIDED, "b", effect=None, p_value=None, missing=["runs/translation/b/1 (not run)"])
    found = overall([*(row(verdict) for verdict in others), gap])
    assert found.verdict == NOT_DECIDED
    assert found.reason.startswith("missing runs: runs/translation/b/1 (not run); ")
    assert found.hinge is not None and found.hinge.arm == "a"


def test_what_the_data_say_nothing_on_does_not_count() -> None:
    silent = row(NOT_DECIDED, "b", effect=None, p_value=None, applies=False, notes=["no gold alignment"])
    assert overall([row(SUPPORTED), silent]).verdict == SUPPORTED
    nothing = overall([silent])
    assert (nothing.verdict, nothing.reason, nothing.hinge) == (NOT_DECIDED, "no gold alignment", None)


def test_the_split_is_named_arm_by_arm() -> None:
    rows = [row(SUPPORTED, "a"), row(REFUTED, "b"), row(SUPPORTED, "c"), row(NOT_DECIDED, "c", "summarization")]
    assert overall(rows).reason == "refuted for b; supported for a; of the rows for c 1 supported, 1 not decided"
    rows += [row(NOT_DECIDED, "d"), row(SUPPORTED, "d", "summarization")]
    assert overall(rows).reason.endswith("; of the rows for each of c, d 1 supported, 1 not decided")


def test_what_keeps_rows_open_is_named_once_with_its_arms() -> None:
    still = row(NOT_DECIDED, "a").kept_open("still falling", "seed 1"), row(NOT_DECIDED, "b").kept_open("still falling")
    busy = row(NOT_DECIDED, "b", "summarization").kept_open("busy")
    assert (still[0].p_value, still[0].notes) == (None, ["still falling: seed 1"])
    rest = "open for a, b: still falling; open for b: busy"
    assert overall([*still, busy]).reason == f"not decided for a, b; {rest}"
    gap = row(NOT_DECIDED, "c", effect=None, p_value=None, missing=["runs/translation/c/1 (not run)"])
    missing = "missing runs: runs/translation/c/1 (not run)"
    assert overall([*still, busy, gap]).reason == f"{missing}; not decided for a, b; {rest}"
    assert overall([row(REFUTED, "d"), *still]).reason == "refuted for d; not decided for a, b"
    disputed = overall([row(REFUTED, "d"), row(SUPPORTED, "e"), busy]).reason
    assert disputed == "refuted for d; supported for e; not decided for b; open for b: busy"


@pytest.mark.parametrize(
    ("rows", "hinge"),
    [
        ([(SUPPORTED, 0.001), (SUPPORTED, 0.04)], 1),  # the least sure of those that support
        ([(SUPPORTED, 0.001), (NOT_DECIDED, 0.3), (NOT_DECIDED, 0.9)], 2),  # the least sure of those left open
        ([(SUPPORTED, 0.001), (REFUTED, 0.04), (REFUTED, 0.01), (NOT_DECIDED, 0.9)], 2),  # the surest that refutes
    ],
)
def test_the_verdict_hangs_on_one_row(rows: Sequence[tuple[str, float]], hinge: int) -> None:
    made = [row(verdict, arm=str(place), p_value=p) for place, (verdict, p) in enumerate(rows)]
    assert overall(made).hinge is made[hinge]
