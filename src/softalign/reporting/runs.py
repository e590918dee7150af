"""What training and evaluation left on disk for each arm and seed, read back and checked."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from softalign.errors import UserError
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.stored_items import read_items
from softalign.params import Params
from softalign.paths import Layout
from softalign.reporting.shifted import ShiftedSet, read_shifted


@dataclass(frozen=True)
class Run:
    """One arm, trained on one task with one seed, and scored on the test set."""

    task: str
    model: str
    cell: str
    seed: int
    data: str
    scores: dict[str, Any]  # test/scores.json
    cost: dict[str, Any]  # train/cost.json
    origin: dict[str, Any]  # train/run.json: fingerprints, revision, commit
    config: dict[str, Any]  # train/config.yaml
    history: list[dict[str, float]]  # train/history.csv, one row an epoch
    predictions: list[dict[str, Any]]  # test/predictions.jsonl, one row a test item, in test order
    attention: list[dict[str, Any]]  # test/attention.json
    statistics: dict[str, ItemStatistics] | None  # test/items.npz; None where it does not belong to the predictions
    shifted: dict[str, ShiftedSet] = field(default_factory=dict)  # test/shifted/, and rows of the test set

    @property
    def fusion(self) -> str:
        return str(self.config["model"]["fusion"])

    @property
    def headline_metric(self) -> str:
        return str(self.config["task"]["headline_metric"])


@dataclass(frozen=True)
class TaskRuns:
    """All runs of one task; every arm has every seed, and all saw the same test items in the same order."""

    task: str
    headline_metric: str
    lead_words: int
    models: list[str]  # the baseline first
    seeds: list[int]
    baseline: str | None  # the arm without attention; None where params.yaml names none
    runs: dict[tuple[str, int], Run]

    @property
    def candidates(self) -> list[str]:
        return [model for model in self.models if model != self.baseline]

    def of(self, model: str) -> list[Run]:
        """The runs of one arm, in the order of `seeds`."""
        return [self.runs[model, seed] for seed in self.seeds]

    @property
    def items(self) -> list[dict[str, Any]]:
        """The test items (source, target, references, source_words), from the first run."""
        return self.runs[self.models[0], self.seeds[0]].predictions


def read_runs(layout: Layout, params: Params) -> list[TaskRuns]:
    """Read the runs that params.yaml names, a `TaskRuns` for each task.

    Raises `UserError` where a run is missing or damaged, or arms of a task were scored on different test items.
    """
    return [_read_task(layout, task, params.models, params.seeds) for task in params.tasks]


def _read_task(layout: Layout, task: str, models: Sequence[str], seeds: Sequence[int]) -> TaskRuns:
    runs = {(model, seed): read_run(layout.run(task, model, seed)) for model in models for seed in seeds}
    _check_same_items(task, runs)
    first = runs[models[0], seeds[0]]
    without = [model for model in models if runs[model, seeds[0]].fusion == "vanilla"]
    baseline = "vanilla" if "vanilla" in without else (without[0] if without else None)
    ordered = sorted(models, key=lambda model: model != baseline)  # stable: the others keep their order
    return TaskRuns(
        task=task,
        headline_metric=first.headline_metric,
        lead_words=int(first.config["task"]["lead_words"]),
        models=ordered,
        seeds=list(seeds),
        baseline=baseline,
        runs=runs,
    )


def read_run(folder: Path) -> Run:
    """Read runs/<task>/<model>/<seed>/. Raises `UserError` that names the file and the command that writes it."""
    train, test = folder / "train", folder / "test"
    origin = _json(train / "run.json")
    attention = _json(test / "attention.json")
    predictions = _json_lines(test / "predictions.jsonl")
    scores, config = _json(test / "scores.json"), yaml.safe_load(_text(train / "config.yaml"))
    try:
        return Run(
            task=str(origin["task"]),
            model=str(origin["model"]),
            cell=str(origin["cell"]),
            seed=int(origin["seed"]),
            data=str(origin["data"]),
            scores=scores,
            cost=_json(train / "cost.json"),
            origin=origin,
            config=config,
            history=_history(train / "history.csv"),
            predictions=predictions,
            attention=attention,
            statistics=read_items(test, len(predictions)),
            shifted=read_shifted(test, scores, config, predictions, _json_lines),
        )
    except KeyError as error:
        raise UserError(f"the key {error} is missing", str(train / "run.json"), _remedy(train)) from None


def _check_same_items(task: str, runs: dict[tuple[str, int], Run]) -> None:
    (first_arm, first_seed), first = next(iter(runs.items()))
    expected = [(item["source"], item["references"]) for item in first.predictions]
    if not expected:
        raise UserError(
            "no predictions", f"runs/{task}/{first_arm}/{first_seed}/test/predictions.jsonl", _remedy(Path("test"))
        )
    for (model, seed), run in runs.items():
        if [(item["source"], item["references"]) for item in run.predictions] != expected:
            raise UserError(
                f"{first_arm} (seed {first_seed}) and {model} (seed {seed}) were scored on different test items",
                f"task {task}",
                "run dvc repro, so that both read the same data",
            )


def _remedy(folder: Path) -> str:
    stage = "train" if folder.name == "train" else "evaluate"
    return f"run dvc repro, or python -m softalign.stages.{stage} with the run's task, model and seed"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("a run has not been finished: its file is missing", str(path), _remedy(path.parent)) from None
    except UnicodeDecodeError:
        raise UserError("not UTF-8", str(path), _remedy(path.parent)) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"not valid JSON: {error}", str(path), _remedy(path.parent)) from None


def _json_lines(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise UserError(f"not valid JSON: {error}", f"{path}, line {number}", _remedy(path.parent)) from None
    return rows


def _history(path: Path) -> list[dict[str, float]]:
    rows = csv.DictReader(_text(path).splitlines())
    try:
        return [{key: float(value) if value else float("nan") for key, value in row.items()} for row in rows]
    except (TypeError, ValueError) as error:
        raise UserError(f"not a table of numbers: {error}", str(path), _remedy(path.parent)) from None
