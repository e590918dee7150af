"""What training and evaluation left on disk for each arm and seed, read back and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softalign.config import ModelConfig
from softalign.errors import UserError
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.stored_items import read_items
from softalign.models.size import added_parameters
from softalign.params import Params
from softalign.paths import Layout
from softalign.reporting.arms import PLAIN, options_of
from softalign.reporting.inputs import (
    AttentionMap,
    Configuration,
    FailedTraining,
    Item,
    Origin,
    Resolved,
    Scores,
    read_failure,
    read_history,
    read_json,
    read_json_lines,
    read_yaml,
)
from softalign.reporting.length_costs import LENGTH_COSTS
from softalign.reporting.settings import OF_EVALUATION, OF_TRAINING, check_settings
from softalign.reporting.shifted import ShiftedSet, read_shifted
from softalign.tasks import kind_of
from softalign.training.cost import Cost
from softalign.training.failure import FAILURE
from softalign.training.identity import training_of

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
        return str(self.scores["settings"]["task"]["headline_metric"])


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
    def kind(self) -> str:
        return kind_of(self.task)

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
        """The size of an arm: that of its runs; where none is complete, that of another arm and what its options add to
        it; None where there is no such arm.
        """
        if model in self.models:
            return int(self.of(model)[0].cost["n_parameters"])
        for other in self.models:
            added = added_parameters(self.arms[model], self.arms[other])
            if added is not None:
                return int(self.of(other)[0].cost["n_parameters"]) + added
        return None

    @property
    def first(self) -> Run:
        return next(iter(self.runs.values()))

    @property
    def headline_metric(self) -> str:
        return self.first.headline_metric

    @property
    def lead_words(self) -> int:
        return int(self.first.scores["settings"]["task"]["lead_words"])

    @property
    def items(self) -> list[dict[str, Any]]:
        """The test items (source, target, references, source_words), from the first run."""
        return self.first.predictions


def read_runs(layout: Layout, params: Params) -> list[TaskRuns]:
    """Read the runs that params.yaml names, a `TaskRuns` for each task. Runs that are missing, unfinished, damaged, of
    other settings than resolved/ names now or scored otherwise than the others are listed in it.

    Raises `UserError` where nothing at all was run: a report of nothing would only replace an earlier one.
    """
    tasks = [_read_task(layout, task, params.models, params.seeds) for task in params.tasks]
    absent = [run for task in tasks for run in task.incomplete if run.state == NOT_RUN]
    if len(absent) == len(params.tasks) * len(params.models) * len(params.seeds):
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise UserError(f"no run is there: {absent[0]}{more}", "", "run dvc repro")
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
                    reason = _failure(folder / "train" / FAILURE, layout.resolved(task, model))
                    incomplete.append(Incomplete(task, model, seed, DIVERGED, reason))
                else:
                    run = _belonging(read_run(folder), task, model, seed)
                    wanted = read_yaml(layout.resolved(task, model), Resolved)
                    check_settings("trained", run.config, wanted, OF_TRAINING)
                    check_settings("scored", run.scores["settings"], wanted, OF_EVALUATION)
                    runs[model, seed] = run
            except UserError as error:
                incomplete.append(Incomplete(task, model, seed, INCOMPLETE, _within(str(error), folder, layout.root)))
    incomplete += _drop_unlike(task, runs, _items, "scored on different test items than the other runs")
    incomplete += _drop_unlike(task, runs, _buckets, "timed in other length buckets than the other runs")
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
    """The options of an arm: those of resolved/, which its complete runs have too, else those of any run."""
    trained = [layout.run(task, model, seed) / "train" / "config.yaml" for seed in seeds]
    for path in [layout.resolved(task, model), *trained]:
        try:
            return options_of(read_yaml(path, Resolved)["model"])
        except UserError:  # what is wrong with a run is told where the run is read
            continue
    return None


def _failure(path: Path, resolved: Path) -> str:
    """What train/failure.json says about a training that stopped. Raises `UserError` where it is damaged, or says that
    the training had other settings than `resolved`.
    """
    failure = read_failure(path)
    if config := read_json(path, FailedTraining).get("config"):
        check_settings(DIVERGED, config, read_yaml(resolved, Resolved), OF_TRAINING)
    parts = [f"{DIVERGED} at step {failure.step}", f"gradient norm {failure.gradient_norm:.3g}"]
    if failure.last_checkpoint:
        parts.append(f"last good checkpoint {failure.last_checkpoint}")
    return ", ".join(parts)


def _belonging(run: Run, task: str, model: str, seed: int) -> Run:
    """`run`, which a folder of this name holds. Raises `UserError` where it is of another arm."""
    if (run.task, run.model, run.seed) != (task, model, seed):
        raise UserError(f"it is of {run.task}/{run.model}/{run.seed}", "train/run.json", "run dvc repro")
    return run


def _within(text: str, folder: Path, root: Path) -> str:
    """`text` with paths inside a run written from the run's folder on, and others from the project's."""
    return text.replace(f"{folder}/", "").replace(f"{root}/", "")


def read_run(folder: Path) -> Run:
    """Read runs/<task>/<model>/<seed>/. Raises `UserError` that names the file and the command that writes it."""
    train, test = folder / "train", folder / "test"
    origin = read_json(train / "run.json", Origin)
    config = read_yaml(train / "config.yaml", Configuration)
    scores = read_json(test / "scores.json", Scores)
    if scores["training"] != training_of(train, origin["fingerprint"]):
        raise UserError("scored before it was trained anew", f"{test / 'scores.json'}", "run dvc repro")
    lacking = _without(scores["settings"]["task"]["headline_metric"], scores)
    if lacking:
        raise UserError(lacking, f"{test / 'scores.json'}", "run dvc repro")
    predictions = _read_items(test / "predictions.jsonl")
    if scores["alignment"] and not any(item.get("links") for item in predictions):
        raise UserError("no links", f"{test / 'predictions.jsonl'}", "run dvc repro")
    return Run(
        task=str(origin["task"]),
        model=str(origin["model"]),
        cell=str(origin["cell"]),
        seed=int(origin["seed"]),
        data=str(origin["data"]),
        scores=scores,
        cost=read_json(train / "cost.json", Cost),
        origin=origin,
        config=config,
        history=read_history(train / "history.csv"),
        predictions=predictions,
        attention=read_json(test / "attention.json", list[AttentionMap]),
        statistics=read_items(test, len(predictions)),
        shifted=read_shifted(test, scores, config, predictions, _read_items),
    )


def _without(headline: str, scores: dict[str, Any]) -> str | None:
    """Which of the test sets in `scores` has no score of the `headline` metric, or no interval of it."""
    if scores["test"].get(headline) is None or headline not in scores["intervals"]:
        return f"no {headline}"
    for name, own in scores.get("shifted", {}).items():
        parts = [own] if own["base"] is None else [own, own["base"]]
        if headline not in own["intervals"] or any(part.get(headline) is None for part in parts):
            return f"no {headline} of {name}"
    return None


def _read_items(path: Path) -> list[dict[str, Any]]:
    return read_json_lines(path, Item)


def _drop_unlike(
    task: str, runs: dict[tuple[str, int], Run], identity: Callable[[Run], Hashable], reason: str
) -> list[Incomplete]:
    """Take out of `runs` those whose `identity` is not that of most of them, which is the `reason`."""
    seen = {key: identity(run) for key, run in runs.items()}
    common = Counter(seen.values()).most_common(1)
    others = [key for key in runs if seen[key] != common[0][0]]
    for key in others:
        del runs[key]
    return [Incomplete(task, *key, INCOMPLETE, f"{reason}: run dvc repro") for key in others]


def _items(run: Run) -> Hashable:
    return tuple((item["source"], *item["references"]) for item in run.predictions)


def _buckets(run: Run) -> Hashable:
    return tuple((at.low, at.high, at.source_words) for cost in LENGTH_COSTS for at in cost.by_length(run.scores))
