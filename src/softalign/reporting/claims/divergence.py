"""What it says on a claim that trainings diverged: they are an outcome, and not missing.

The docstring of each function is the rule, and the report prints it. These rules were written after trainings of
multiply-relu had diverged, and before any test score of the same runs had been seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softalign.config import EvaluationConfig
from softalign.reporting.claims.pairs import Pair
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Verdict, braces
from softalign.reporting.runs import DIVERGED, TaskRuns

SHARE = "share of diverged trainings"
Divergence = Callable[[str, TaskRuns, Pair, EvaluationConfig], Verdict]


def is_worse(claim: str, task: TaskRuns, pair: Pair, evaluation: EvaluationConfig) -> Verdict:
    """Where trainings of one of the two arms diverged, no scores are compared, for those that got through are the
    lucky ones. Effect: the share of the arm's trainings that diverged minus that of the other arm. Refuted: Fisher's
    exact test tells them apart, and the arm diverged more often. Supported: it tells them apart, and the arm diverged
    less often. Not decided otherwise. (Written after the first trainings had diverged.)
    """
    row = _shares(claim, task, pair, evaluation)
    if not _differ(row, evaluation):
        return row
    return replace(row, verdict=REFUTED if row.effect and row.effect > 0 else SUPPORTED)


def is_different(claim: str, task: TaskRuns, pair: Pair, evaluation: EvaluationConfig) -> Verdict:
    """Where trainings of one of the two arms diverged, no scores are compared, for those that got through are the
    lucky ones. Effect: the share of the arm's trainings that diverged minus that of the other arm. Supported: Fisher's
    exact test tells them apart. Not decided otherwise. (Written after the first trainings had diverged.)
    """
    row = _shares(claim, task, pair, evaluation)
    return replace(row, verdict=SUPPORTED) if _differ(row, evaluation) else row


def is_silent(claim: str, task: TaskRuns, pair: Pair, evaluation: EvaluationConfig) -> Verdict:
    """An arm of which a training diverged does not speak to this claim. (Written after the first had diverged.)"""
    return replace(_shares(claim, task, pair, evaluation), quantity="–", effect=None, p_value=None, applies=False)


def _shares(claim: str, task: TaskRuns, pair: Pair, evaluation: EvaluationConfig) -> Verdict:
    """The row, not decided yet, of two arms of which some trainings diverged and all others are complete."""
    from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

    runs, against = len(task.seeds), pair.arms[0]
    of = {arm: sum(run.state == DIVERGED for run in task.missing([arm])) for arm in pair.arms}
    table = [[of[arm], runs - of[arm]] for arm in (against, pair.arm)]
    notes = ["diverged: " + ", ".join(f"{arm} {of[arm]} of {runs}" for arm in reversed(pair.arms))]
    if (least := float(stats.fisher_exact([[runs, 0], [0, runs]]).pvalue)) + evaluation.confidence >= 1:
        notes.append(f"with {runs} an arm no shares are told apart: p is {least:.2g} at the least")
    return Verdict(
        claim=claim,
        task=task.task,
        arm=pair.arm,
        against=against,
        verdict=NOT_DECIDED,
        quantity=SHARE,
        effect=(of[pair.arm] - of[against]) / runs,
        p_value=float(stats.fisher_exact(table).pvalue),
        arms=pair.arms,
        seeds=list(task.seeds),
        experiment=f"runs/{task.task}/{braces(pair.arms)}/{braces(task.seeds)}",
        notes=notes,
    )


def _differ(row: Verdict, evaluation: EvaluationConfig) -> bool:
    return row.p_value is not None and row.p_value + evaluation.confidence < 1
