"""Verdicts of made-up runs, and cases in which one arm's runs are changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

from synthetic_runs import Reported

from softalign.config import EvaluationConfig
from softalign.reporting.claims.verdicts import Case, Verdict
from softalign.reporting.comparisons import Scored
from softalign.reporting.runs import Run


def of(reported: Reported, claim: str, arm: str, task: str = "translation") -> list[Verdict]:
    return [v for v in reported.verdicts if (v.claim, v.arm, v.task) == (claim, arm, task)]


def changed(scored: Scored, arm: str, change: Callable[[Run], None]) -> Case:
    """The case of `arm` after `change` has been made to each of its runs."""
    runs = copy.deepcopy(scored.runs)
    for run in runs.of(arm):
        change(run)
    return Case(replace(scored, runs=runs), "vanilla", arm, EvaluationConfig(bootstrap_samples=200))
