"""Scores so low that there is nothing to compare.

The docstring of the function is the rule, and the report prints it.
"""

from __future__ import annotations

from softalign.reporting.claims.verdicts import Case, Verdict
from softalign.reporting.names import NAMES

LEAST = 1.0  # point of the headline metric


def has_learned(case: Case, row: Verdict) -> Verdict:
    """A row is not decided where neither of the two arms scores as much as 1 point of BLEU or ROUGE-L: who has not
    learned the task shows nothing about how it is best done. (Written after the first runs, all of which score more:
    of arms hardly trained, one with 0.01 BLEU was surely better than one with 0.008.)
    """
    metric = case.scored.runs.headline_metric
    scores = {arm: float(case.scored.replicates[arm, metric].points.mean()) for arm in (case.baseline, case.arm)}
    if not row.applies or max(scores.values()) >= LEAST:
        return row
    told = ", ".join(f"{arm} {score:.2g}" for arm, score in scores.items())
    return row.kept_open(f"neither arm scores {LEAST:g} {NAMES[metric]}", told)
