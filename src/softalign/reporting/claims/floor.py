"""Scores so low that there is nothing to compare.

The docstring of `unless_unlearned` is the rule, and the report prints it.
"""

from __future__ import annotations

from collections.abc import Mapping

from softalign.reporting.claims.verdicts import Case, Verdict
from softalign.reporting.names import NAMES

LEAST = 1.0  # point of the headline metric


def unless_unlearned(case: Case, row: Verdict) -> Verdict:
    """A row is not decided where neither of the two arms scores as much as 1 point of BLEU or ROUGE-L, or where it
    holds an arm that does not against a system that learns nothing: who has not learned the task shows nothing about
    how it is best done. (Written after the first runs: of arms hardly trained, one with 0.01 BLEU was surely better
    than one with 0.008.)
    """
    metric = case.scored.runs.headline_metric
    arms = [arm for arm in (row.against, row.arm) if arm in case.scored.runs.models]
    scores = {arm: case.scored.replicates[arm, metric].value for arm in arms}
    because = unlearned(scores, metric)
    if not because or not row.applies:
        return row
    return row.kept_open(because, ", ".join(f"{arm} {score:.3f}" for arm, score in scores.items()))


def unlearned(scores: Mapping[str, float], metric: str) -> str:
    """Why scores of these arms in points of the headline metric decide nothing; empty where they do."""
    if max(scores.values()) >= LEAST:
        return ""
    return f"{'both score' if len(scores) > 1 else 'scores'} below {LEAST:g} {NAMES[metric]}"
