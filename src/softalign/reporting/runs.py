"""What training and evaluation left on disk for each arm and seed, read back and checked."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from softalign.config import ModelConfig
from softalign.errors import UserError
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.stored_items import read_items
from softalign.params import Params
from softalign.paths import Layout
from softalign.reporting.arms import PLAIN, options_of
from softalign.reporting.shifted import ShiftedSet, read_shifted

FAILURE = "failure.json"  # what a training that diverged leaves
NOT_RUN, DIVERGED, INCOMPLETE = "not run", "diverged", "incomplete"


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
    def headline_metric(self) -> str:
        return str(self.config["task"]["headline_metric"])


@dataclass(frozen=True)
class Incomplete:
    """A run that params.yaml names and that cannot be compared."""

    task: str
    model: str
    seed: int
    state: str  # not run | diverged | incomplete
    reason: str  # what is missing or what happened, in one line

    @property
    def name(self) -> str:
        return f"runs/{self.task}/{self.model}/{self.seed}"

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


@dataclass(frozen=True)
class TaskRuns:
    """All runs of one task; those that are complete saw the same test items in the same order."""

    task: str
    seeds: list[int]  # that params.yaml names
    named: list[str]  # the arms that params.yaml names
    arms: dict[str, ModelConfig]  # their options, where a run or resolved/ tells; those without attention first
    runs: dict[tuple[str, int], Run]  # the complete ones
    incomplete: list[Incomplete]

    @property
    def models(self) -> list[str]:
        """The arms with a complete run, those without attention first."""
        return [arm for arm in self.arms if self.seeds_of(arm)]

    @property
    def fused(self) -> list[str]:
        """The arms with attention, run or not."""
        return [arm for arm, options in self.arms.items() if options.fusion != PLAIN]

    @property
    def candidates(self) -> list[str]:
        """The arms with attention that have a complete run."""
        return [arm for arm in self.models if arm in self.fused]

    def seeds_of(self, model: str) -> list[int]:
        """The seeds of an arm's complete runs."""
        return [seed for seed in self.seeds if (model, seed) in self.runs]

    def of(self, model: str) -> list[Run]:
        """The complete runs of one arm, in the order of `seeds`."""
        return [self.runs[model, seed] for seed in self.seeds_of(model)]

    def missing(self, models: Collection[str]) -> list[Incomplete]:
        """The runs of these arms that cannot be compared."""
        return [run for run in self.incomplete if run.model in models]

    def n_parameters(self, model: str) -> int | None:
        """The size of an arm; None where no run of it is complete."""
        return next((int(run.cost["n_parameters"]) for run in self.of(model)), None)

    @property
    def first(self) -> Run:
        return next(iter(self.runs.values()))

    @property
    def headline_metric(self) -> str:
        return self.first.headline_metric

    @property
    def lead_words(self) -> int:
        return int(self.first.config["task"]["lead_words"])

    @property
    def items(self) -> list[dict[str, Any]]:
        """The test items (source, target, references, source_words), from the first run."""
        return self.first.predictions


def read_runs(layout: Layout, params: Params) -> list[TaskRuns]:
    """Read the runs that params.yaml names, a `TaskRuns` for each task. Runs that are missing, unfinished, damaged or
    scored on other test items than the others are listed in it.

    Raises `UserError` where no run at all is complete.
    """
    tasks = [_read_task(layout, task, params.models, params.seeds) for task in params.tasks]
    if not any(task.runs for task in tasks):
        first = tasks[0].incomplete[0]
        more = sum(len(task.incomplete) for task in tasks) - 1
        raise UserError(f"no run is complete: {first}" + (f" and {more} more" if more else ""), "", "run dvc repro")
    return tasks


def _read_task(layout: Layout, task: str, models: Sequence[str], seeds: Sequence[int]) -> TaskRuns:
    runs: dict[tuple[str, int], Run] = {}
    incomplete = []
    for model in models:
        for seed in seeds:
            folder = layout.run(task, model, seed)
            try:
                if not (folder / "train").is_dir():
                    incomplete.append(Incomplete(task, model, seed, NOT_RUN, NOT_RUN))
                elif (folder / "train" / FAILURE).exists():
                    incomplete.append(Incomplete(task, model, seed, DIVERGED, _failure(folder / "train" / FAILURE)))
                else:
                    runs[model, seed] = read_run(folder)
            except UserError as error:
                incomplete.append(Incomplete(task, model, seed, INCOMPLETE, _within(str(error), folder)))
    incomplete += _drop_other_items(task, runs)
    options = {model: _options(layout, task, model, seeds) for model in models}
    known = [model for model in models if options[model] is not None]
    arms = {model: found for model in known if (found := options[model]) is not None}
    ordered = sorted(arms, key=lambda model: arms[model].fusion != PLAIN)  # stable: the others keep their order
    return TaskRuns(
        task=task,
        seeds=list(seeds),
        named=list(models),
        arms={model: arms[model] for model in ordered},
        runs=runs,
        incomplete=incomplete,
    )


def _options(layout: Layout, task: str, model: str, seeds: Sequence[int]) -> ModelConfig | None:
    """The options of an arm: those that it was trained with, else those that it is to be trained with."""
    trained = [layout.run(task, model, seed) / "train" / "config.yaml" for seed in seeds]
    for path in [*trained, layout.resolved(task, model)]:
        try:
            return options_of(_yaml(path, ("model",))["model"])
        except UserError:  # what is wrong with a run is told where the run is read
            continue
    return None


def _failure(path: Path) -> str:
    """What train/failure.json says about a training that stopped."""
    content = _json(path, ("step",))
    parts = [f"{DIVERGED} at step {content['step']}"]
    if content.get("gradient_norm") is not None:
        parts.append(f"gradient norm {float(content['gradient_norm']):.3g}")
    if content.get("last_checkpoint"):
        parts.append(f"last good checkpoint {content['last_checkpoint']}")
    return ", ".join(parts)


def _within(text: str, folder: Path) -> str:
    """`text` with paths inside a run written from the run's folder on."""
    return text.replace(f"{folder}/", "")


def read_run(folder: Path) -> Run:
    """Read runs/<task>/<model>/<seed>/. Raises `UserError` that names the file and the command that writes it."""
    train, test = folder / "train", folder / "test"
    origin = _json(train / "run.json", ("task", "model", "cell", "seed", "data"))
    cost = _json(train / "cost.json", ("n_parameters", "train_seconds", "train_tokens_per_second", "flattened"))
    scores = _json(
        test / "scores.json", ("test", "intervals", "signatures", "by_length", "alignment", "probes", "cost", "gap")
    )
    predictions = _json_lines(test / "predictions.jsonl")
    config = _yaml(train / "config.yaml", ("task", "data", "model", "optimization"))
    return Run(
        task=str(origin["task"]),
        model=str(origin["model"]),
        cell=str(origin["cell"]),
        seed=int(origin["seed"]),
        data=str(origin["data"]),
        scores=scores,
        cost=cost,
        origin=origin,
        config=config,
        history=_history(train / "history.csv"),
        predictions=predictions,
        attention=_json(test / "attention.json"),
        statistics=read_items(test, len(predictions)),
        shifted=read_shifted(test, scores, config, predictions, _json_lines),
    )


def _drop_other_items(task: str, runs: dict[tuple[str, int], Run]) -> list[Incomplete]:
    """Take out of `runs` those that were not scored on the test items of most of them, and those scored on none."""
    seen = {key: tuple((item["source"], *item["references"]) for item in run.predictions) for key, run in runs.items()}
    common = Counter(seen[key] for key, run in runs.items() if run.predictions).most_common(1)
    dropped = []
    for model, seed in list(runs):
        if not runs[model, seed].predictions:
            reason = "test/predictions.jsonl is empty"
        elif seen[model, seed] != common[0][0]:
            reason = "scored on different test items than the other runs"
        else:
            continue
        del runs[model, seed]
        dropped.append(Incomplete(task, model, seed, INCOMPLETE, f"{reason}: run dvc repro"))
    return dropped


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


def _json(path: Path, keys: Sequence[str] = ()) -> Any:
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"not valid JSON: {error}", str(path), _remedy(path.parent)) from None
    return _with_keys(content, keys, path)


def _yaml(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise UserError(f"not valid YAML: {error}", str(path), _remedy(path.parent)) from None
    return dict(_with_keys(content, keys, path))


def _with_keys(content: Any, keys: Sequence[str], path: Path) -> Any:
    """`content`, which must be a mapping that has `keys` where there are any."""
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            raise UserError(f"the key {key!r} is missing", str(path), _remedy(path.parent))
    return content


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
