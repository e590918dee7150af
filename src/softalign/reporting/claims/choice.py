"""C6, C7, C8: the inner product as the score, the feedback of the fused state, the activation.

Each function tests one claim; its docstring is the rule, fixed before any data was seen, and the report prints it.
"""

from __future__ import annotations

from dataclasses import replace

from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case, Verdict, by_interval
from softalign.reporting.estimates import Estimate, Replicates, contrast
from softalign.reporting.names import NAMES

# Points of the headline metric: a difference this small is taken for none. Fixed before any run.
MARGIN = 1.0


def enough(case: Case) -> list[Verdict]:
    """Effect: the headline score (BLEU, ROUGE-L) of the arm that scores by an inner product minus that of the same arm
    with a learned score, in points. A test of non-inferiority with a margin of 1 point, fixed in advance. Supported:
    the whole interval lies above -1. Refuted: the whole interval lies below -1. Not decided otherwise. The p-value is
    that of a difference of exactly -1.
    """
    estimate = replace(_difference(case), p_value=_p_value_of(case, -MARGIN))
    quantity = f"{_headline(case)}, points"
    return [case.verdict("C6", by_interval(estimate, -MARGIN), quantity, estimate, *case.seed_note(), neutral=-MARGIN)]


def feedback_helps(case: Case) -> list[Verdict]:
    """Effect: the headline score (BLEU, ROUGE-L) of the arm that feeds the fused state back into the recurrence minus
    that of the same arm without feedback, in points. The claim is read as: feedback helps. Supported: the whole
    interval lies above 0. Refuted: the whole interval lies below 0. Not decided otherwise.
    """
    estimate = _difference(case)
    return [case.verdict("C7", by_interval(estimate), f"{_headline(case)}, points", estimate, *case.seed_note())]


def activation_matters(case: Case) -> list[Verdict]:
    """Effect: the headline score (BLEU, ROUGE-L) of the arm with ReLU minus that of the same arm with tanh, in points.
    The claim is read as: the choice matters, either way. Supported: the whole interval lies on one side of 0. Refuted:
    the whole interval lies between -1 and +1 point. Not decided otherwise. The interval decides first, so that a sure
    difference below 1 point supports. Where it refutes, the p-value is the larger of those of exactly -1 and +1.
    """
    estimate = _difference(case)
    verdict = NOT_DECIDED
    if by_interval(estimate) != NOT_DECIDED:
        verdict = SUPPORTED
    elif estimate.low is not None and estimate.high is not None and -MARGIN < estimate.low <= estimate.high < MARGIN:
        verdict = REFUTED
    if verdict == REFUTED:  # its p-value is that of a difference as large as the margin, the larger of both sides
        estimate = replace(estimate, p_value=max(_p_value_of(case, side) for side in (-MARGIN, MARGIN)))
    note = f"no training diverged, {len(case.seeds)} an arm"
    return [case.verdict("C8", verdict, f"{_headline(case)}, points", estimate, note, *case.seed_note())]


def _headline(case: Case) -> str:
    return NAMES[case.scored.runs.headline_metric]


def _difference(case: Case) -> Estimate:
    return case.scored.contrast(case.scored.runs.headline_metric, case.baseline, case.arm, case.evaluation)


def _p_value_of(case: Case, difference: float) -> float:
    """The p-value of the true difference in the headline score being `difference` points."""
    metric = case.scored.runs.headline_metric
    arm = case.scored.replicates[case.arm, metric]
    moved = Replicates(arm.points - difference, arm.resampled - difference)
    others = case.scored.replicates[case.baseline, metric]
    found = contrast(others, moved, case.evaluation.confidence)
    return 1.0 if found.p_value is None else found.p_value
