"""What the probes found, as rows for figures and tables, and by lag for the claim."""

from __future__ import annotations

from typing import Any

from softalign.reporting.runs import Run, TaskRuns


def gradient_norm_by_lag(task: TaskRuns) -> list[dict[str, Any]]:
    """One row for each bucket of lags of each run."""
    return [_arm(run) | bucket for run in _runs(task) for bucket in run.scores["probes"]["gradient_norm"]]


def state_norms(task: TaskRuns) -> list[dict[str, Any]]:
    """One row for each position, or lag, of each side of each run."""
    return [
        _arm(run) | {"side": side} | record
        for run in _runs(task)
        for side, records in run.scores["probes"]["state_norm"].items()
        for record in records
    ]


def chance(task: TaskRuns) -> float:
    """What guessing one of the targets that occur would reach, in points of 100."""
    return 100.0 / len({item["target"] for item in task.items})


def _runs(task: TaskRuns) -> list[Run]:
    return [run for model in task.models for run in task.of(model)]


def _arm(run: Run) -> dict[str, Any]:
    return {"model": run.model, "seed": run.seed}
