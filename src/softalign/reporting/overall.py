"""The verdict on a claim from the verdicts on its rows (a row: two arms on one task, one test)."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from softalign.reporting.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Verdict


@dataclass(frozen=True)
class Overall:
    """A claim's verdict, the row that it hangs on, and who says what."""

    verdict: str
    reason: str  # why it is not decided, or on what the rows agree
    hinge: Verdict | None


def overall(rows: Sequence[Verdict]) -> Overall:
    """A claim is supported when every row that speaks to it is supported, and refuted when at least one row is refuted
    and none is supported. Otherwise it is not decided, and who supports and who refutes it is named. Rows are taken
    after Holm's correction over all rows of the claim; those without a p-value, which are exact counts and single
    measurements, as their own rule has them. A row of which runs are missing leaves the claim not decided. A row on
    which the data have nothing to say does not speak. The effect shown is that of the row that the verdict hangs on:
    the surest of those that refute, else the least sure of those that are not decided, else the least sure of those
    that support.
    """
    speaking = [row for row in rows if row.applies]
    missing = list(dict.fromkeys(run for row in rows for run in row.missing))
    hinge = _hinge([row for row in speaking if not row.missing])
    if missing:
        return Overall(NOT_DECIDED, f"missing runs: {'; '.join(missing)}", hinge)
    if hinge is None:
        return Overall(NOT_DECIDED, "; ".join(dict.fromkeys(note for row in rows for note in row.notes)), None)
    found = {row.verdict for row in speaking}
    if found == {SUPPORTED}:
        return Overall(SUPPORTED, split(speaking), hinge)
    if REFUTED in found and SUPPORTED not in found:
        return Overall(REFUTED, split(speaking), hinge)
    return Overall(NOT_DECIDED, split(speaking), hinge)


RULE = " ".join((inspect.getdoc(overall) or "").split())


def split(rows: Sequence[Verdict]) -> str:
    """Who refutes, supports, or leaves it open."""
    groups = {
        verdict: [f"{row.arm} on {row.task}" for row in rows if row.verdict == verdict]
        for verdict in (REFUTED, SUPPORTED, NOT_DECIDED)
    }
    named = [name for names in groups.values() for name in dict.fromkeys(names)]
    if len(named) > len(set(named)):  # an arm with several tests that disagree
        groups = {
            verdict: [
                f"{row.arm} on {row.task} ({row.quantity}, against {row.against})"
                for row in rows
                if row.verdict == verdict
            ]
            for verdict in groups
        }
    return "; ".join(f"{verdict}: {', '.join(dict.fromkeys(names))}" for verdict, names in groups.items() if names)


def _hinge(rows: Sequence[Verdict]) -> Verdict | None:
    measured = [row for row in rows if row.effect is not None and math.isfinite(row.effect)]
    for verdict, sign in ((REFUTED, 1), (NOT_DECIDED, -1), (SUPPORTED, -1)):
        found = [row for row in measured if row.verdict == verdict]
        if found:
            return min(found, key=lambda row: sign * (0.0 if row.p_value is None else row.p_value))
    return None
