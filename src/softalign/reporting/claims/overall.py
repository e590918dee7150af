"""The verdict on a claim from the verdicts on its rows (a row: two arms on one task, one test)."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Verdict


@dataclass(frozen=True)
class Overall:
    """A claim's verdict, the row that it hangs on, and who says what."""

    verdict: str
    who_says_what: str  # who supports it, who refutes it, who leaves it open; empty where nothing is measured
    reason: str  # the same, after what is missing and before what keeps rows open; or why nothing is measured
    hinge: Verdict | None


def overall(rows: Sequence[Verdict]) -> Overall:
    """A claim is supported when every row that speaks to it is supported, and refuted when at least one row is refuted
    and none is supported. Otherwise it is not decided, and who supports, who refutes it and what keeps a row open is
    named. Rows are taken after Holm's correction over all rows of the claim; those without a p-value, which are exact
    counts, single measurements and rows that something beside their interval keeps open, as their own rule has them. A
    row of which runs are missing leaves the claim not decided. A row on which the data have nothing to say does not
    speak. The effect shown is that of the row that the verdict hangs on: the surest of those that refute, else the
    least sure of those that are not decided, else the least sure of those that support.
    """
    speaking = [row for row in rows if row.applies]
    missing = list(dict.fromkeys(run for row in rows for run in row.missing))
    there = [row for row in speaking if not row.missing]
    hinge, said = _hinge(there), who_says_what(there)
    if missing:
        parts = [f"missing runs: {_some(missing)}", said, *_kept_open(there)]
        return Overall(NOT_DECIDED, said, "; ".join(filter(None, parts)), hinge)
    if hinge is None:
        notes = dict.fromkeys(note for row in rows for note in row.notes)
        return Overall(NOT_DECIDED, "", "; ".join(notes), None)
    found = {row.verdict for row in speaking}
    if found == {SUPPORTED}:
        return Overall(SUPPORTED, said, said, hinge)
    if REFUTED in found and SUPPORTED not in found:
        return Overall(REFUTED, said, said, hinge)
    return Overall(NOT_DECIDED, said, "; ".join([said, *_kept_open(speaking)]), hinge)


RULE = " ".join((inspect.getdoc(overall) or "").split())


def who_says_what(rows: Sequence[Verdict]) -> str:
    """Which arms are refuted, supported or left open in all their rows, and how often each in those of the others."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.arm, Counter())[row.verdict] += 1
    parts = []
    for verdict in (REFUTED, SUPPORTED, NOT_DECIDED):
        arms = [arm for arm, found in counts.items() if set(found) == {verdict}]
        if arms:
            parts.append(f"{verdict} for {', '.join(arms)}")
    alike: dict[str, list[str]] = {}
    for arm, found in counts.items():
        if len(found) > 1:
            numbers = [f"{found[verdict]} {verdict}" for verdict in (REFUTED, SUPPORTED, NOT_DECIDED) if found[verdict]]
            alike.setdefault(", ".join(numbers), []).append(arm)
    for said, arms in alike.items():
        parts.append(f"of the rows for {'each of ' if len(arms) > 1 else ''}{', '.join(arms)} {said}")
    return "; ".join(parts)


def _kept_open(rows: Sequence[Verdict]) -> list[str]:
    """What keeps rows open whatever their intervals, and of which arms."""
    arms: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.open_because:
            arms.setdefault(row.open_because, {})[row.arm] = None
    return [f"open for {', '.join(found)}: {because}" for because, found in arms.items()]


def _some(names: Sequence[str], most: int = 4) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _hinge(rows: Sequence[Verdict]) -> Verdict | None:
    measured = [row for row in rows if row.effect is not None and math.isfinite(row.effect)]
    for verdict, sign in ((REFUTED, 1), (NOT_DECIDED, -1), (SUPPORTED, -1)):
        found = [row for row in measured if row.verdict == verdict]
        if found:
            return min(found, key=lambda row: sign * (0.0 if row.p_value is None else row.p_value))
    return None
