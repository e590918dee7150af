"""The results as plain records: what results.json, metrics.json and the tables for `dvc plots` hold."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from softalign.config import EvaluationConfig
from softalign.evaluation.records import finite
from softalign.evaluation.scores import corpus_scores
from softalign.paths import Layout
from softalign.reporting.arm_scores import score_arms, score_lags, score_lengths
from softalign.reporting.arms import baseline_of
from softalign.reporting.claims.pairs import control_of
from softalign.reporting.claims.verdicts import Verdict
from softalign.reporting.comparisons import Scored
from softalign.reporting.estimates import POWER
from softalign.reporting.inputs import PreparedReport, Provenance, ShiftedReport, read_json
from softalign.reporting.runs import DIVERGED, Incomplete, Run, TaskRuns

COST = (
    "precision",
    "n_parameters",
    "train_seconds",
    "cpu_seconds",
    "train_tokens_per_second",
    "peak_memory_mb",
    "epochs",
    "best_epoch",
    "stopped_early",
    "flattened",
)
LOSS_COLUMNS = ("task", "model", "seed", "epoch", "train_loss", "validation_loss")  # of `loss_curves`
DATA_REMEDY = "run dvc repro"
PACKAGES = ("softalign", "torch", "pytorch-lightning", "datasets", "tokenizers", "sacrebleu", "rouge-score", "numpy")


def build_results(
    scored: Sequence[Scored],
    comparisons: Sequence[dict[str, Any]],
    verdicts: Sequence[Verdict],
    incomplete: Sequence[Incomplete],
    evaluation: EvaluationConfig,
    layout: Layout,
) -> dict[str, Any]:
    """All measurements that the report shows, as containers that JSON can hold; a number that is not finite becomes
    None. What follows from them for the claims stands in claims.json.
    """
    return finite(
        {
            "runs": [_run_record(run) for task in scored for model in task.runs.models for run in task.runs.of(model)],
            "scores": [record for task in scored for record in score_arms(task, evaluation)],
            "by_length": [record for task in scored for record in score_lengths(task, evaluation)],
            "by_lag": [record for task in scored for record in score_lags(task, evaluation)],
            "comparisons": list(comparisons),
            "incomplete": [asdict(run) for run in incomplete],
            "tasks": {task.runs.task: _task_record(task, verdicts, layout) for task in scored},
            "bootstrap": {
                "samples": evaluation.bootstrap_samples,
                "confidence": evaluation.confidence,
                "seed": evaluation.bootstrap_seed,
                "randomisation_trials": evaluation.randomisation_trials,
                "power": POWER,
            },
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        }
    )


def _run_record(run: Run) -> dict[str, Any]:
    decoding = run.scores["cost"]
    return {
        "task": run.task,
        "model": run.model,
        "cell": run.cell,
        "seed": run.seed,
        "data": run.data,
        "learning_rate": run.config["optimization"]["lr"],
        "test": run.scores["test"],
        "cost": {key: run.cost[key] for key in COST}
        | {key: decoding[key] for key in ("decode_seconds", "decode_sentences_per_second")},
        "intervals": run.scores["intervals"],
        "shifted": run.scores.get("shifted", {}),
        "gap": run.scores["gap"],
        "alignment": run.scores["alignment"],
        "probes": run.scores["probes"],
        "by_length": run.scores["by_length"],
        "origin": run.origin,
    }


def _task_record(scored: Scored, verdicts: Sequence[Verdict], layout: Layout) -> dict[str, Any]:
    task = scored.runs
    source = task.first.config["data"]["source"]
    return {
        "headline_metric": task.headline_metric,
        "lead_words": task.lead_words,
        "baselines": {model: baseline_of(model, task.arms) for model in task.models},
        "controls": {model: control_of(model, task) for model in task.candidates},
        "better": {model: found for model in task.candidates if (found := _better(task, model, verdicts))},
        "models": task.models,
        "candidates": task.candidates,
        "seeds": [seed for seed in task.seeds if any(run.seed == seed for run in task.runs.values())],
        "test_items": len(task.items),
        "untrained": {name: corpus_scores(items) for name, items in scored.untrained.items()},
        "signatures": task.first.scores["signatures"],
        "generator_seed": source.get("seed"),
        "provenance": read_json(layout.raw(task.task) / "provenance.json", Provenance, DATA_REMEDY),
        "prepared": read_json(layout.prepared(task.task) / "report.json", PreparedReport, DATA_REMEDY),
        "shifted": read_json(layout.shifted(task.task) / "report.json", ShiftedReport, DATA_REMEDY)["splits"],
    }


def _better(task: TaskRuns, model: str, verdicts: Sequence[Verdict]) -> dict[str, dict[str, Any]]:
    """The verdicts on the headline score against the baseline and the control, where a claim is about that score; none
    where it compares how often trainings diverged instead.
    """
    claim = {"bleu": "C1", "rougeL": "C2"}.get(task.headline_metric)
    opponents = (baseline_of(model, task.arms), control_of(model, task))
    rows = [row for row in verdicts if row.claim == claim]
    family = sum(row.p_value is not None for row in rows)
    return {
        row.against: {key: getattr(row, key) for key in ("verdict", "p_holm", "open_because")} | {"family": family}
        for row in rows
        if (row.task, row.arm) == (task.task, model)
        and row.against in opponents
        and not any(run.state == DIVERGED for run in task.missing([model, row.against]))
    }


def runs_of(results: dict[str, Any], task: str, model: str) -> list[dict[str, Any]]:
    """The run records of one arm on one task, a record for each seed."""
    return [run for run in results["runs"] if run["task"] == task and run["model"] == model]


def mean_of(runs: Sequence[dict[str, Any]], section: str, key: str) -> float | None:
    """The mean over seeds of one number of run records; None where a seed has none."""
    values = [run[section].get(key) for run in runs]
    return None if not values or any(value is None for value in values) else float(np.mean(values))


def headline_metrics(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """{arm: {headline metric: mean over seeds}}, for `dvc metrics`, which prints all numbers of a file side by side:
    these few fit into a terminal. Where several tasks have the same headline metric, its name has the task's with it.
    """
    headlines = {task: record["headline_metric"] for task, record in results["tasks"].items()}
    metrics: dict[str, dict[str, float]] = {}
    for task, metric in headlines.items():
        name = metric if list(headlines.values()).count(metric) == 1 else f"{metric} {task}"
        for model in results["tasks"][task]["models"]:
            value = mean_of(runs_of(results, task, model), "test", metric)
            if value is not None:
                metrics.setdefault(model, {})[name] = round(value, 2)
    return metrics


def loss_curves(tasks: Sequence[TaskRuns]) -> list[dict[str, Any]]:
    """One row for each epoch of each run, for `dvc plots`."""
    return [
        {
            "task": run.task,
            "model": run.model,
            "seed": run.seed,
            "epoch": int(epoch["epoch"]),
            "train_loss": epoch["train_loss"],
            "validation_loss": epoch["validation_loss"],
        }
        for task in tasks
        for model in task.models
        for run in task.of(model)
        for epoch in run.history
    ]
