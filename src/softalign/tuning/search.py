"""The learning rate of each arm: Optuna through Hydra's sweeper, the same budget for all, judged on validation data."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import IntervalSweep

from softalign.composition import base_of, compose_by_hand, parse
from softalign.config import Config
from softalign.errors import UserError
from softalign.params import read_params
from softalign.paths import Layout
from softalign.tasks import kind_of
from softalign.training.failure import DivergedError
from softalign.training.identity import Identity, identify
from softalign.training.work import work_folder
from softalign.tuning.record import Trial, best_of, read_trials, unequal_budget, write_search

RATE = "optimization.lr"


@dataclass
class Search:
    """The trainings of one arm so far, in the folders where they lie until the search is written down."""

    layout: Layout
    data: str = ""
    trials: list[Trial] = field(default_factory=list)
    trained: list[Identity] = field(default_factory=list)

    def trial(self, config: Config, _: Layout) -> float:
        """Train `config` and return its lowest validation loss, in nats per token; infinite where it diverges.

        A training that an interrupted search has finished is not repeated.
        """
        # Imported here: torch takes a second, and a mistake in the overrides should not wait for it.
        from softalign.training.fit import fit

        prepared = self.layout.prepared(config.task.name)
        identity = identify(config, prepared)
        start = time.perf_counter()
        with work_folder(self.layout.store, identity) as folder:
            try:
                result = fit(prepared, config, folder)
                loss, epochs, seconds = result.best_validation_loss, result.cost.epochs, result.cost.wall_seconds
            except DivergedError as error:
                loss, epochs, seconds = math.inf, error.failure.epoch, time.perf_counter() - start
        number = len(self.trials) + 1
        self.data = config.data.name
        self.trials.append(Trial(config.model.name, number, config.optimization.lr, loss, epochs, seconds, config.seed))
        self.trained.append(identity)
        print(
            f"{identity.label}: trial {number}, {RATE}={config.optimization.lr:.3g}: validation loss {loss:.4f}",
            flush=True,
        )
        return loss


def tune(layout: Layout, overrides: Sequence[str]) -> None:
    """Search the learning rate of every arm that `overrides` (Hydra's grammar) name in `model=`, one after another.

    What conf/hydra/sweeper/learning_rate.yaml says holds for each. An arm of which every trial diverges keeps what it
    had. Raises `UserError` for overrides that make no such search, and for the arms that diverged when the others are
    written down. An experiment that params.yaml names has to be named, or left out, here too.
    """
    arms, others = arms_of(layout, overrides)
    experiment = read_params(layout.params).experiment
    if experiment is not None and not any(parsed.key_or_group == "experiment" for parsed in parse(others)):
        raise UserError(
            f"the search would take the settings of the experiment {experiment}, and all commands its rates",
            "params.yaml: experiment",
            f"add '~experiment' to search without them, or experiment={experiment} to search with them",
        )
    for arm in arms:  # a mistake shows before anything is trained
        config = usual(layout, [*others, f"model={arm}"])
        task = config.task.name
        if task != kind_of(task):
            raise UserError(
                "the search would take the data and the schedule of this task alone, and all commands its rates",
                f"task={task}",
                f"search with task={kind_of(task)} data={config.data.name}",
            )
    warn_of_other_networks(layout, others)
    diverged, trained = [], []
    for arm in arms:
        given = [*others, f"model={arm}"]
        found = search(layout, given)
        trained += found.trained
        best = best_of(found.trials)
        if best is None:
            diverged.append(found.trials)
            continue
        path = write_search(layout, found.data, found.trials, command(layout, given))
        report(layout, given, found, best, path)
    discard(layout, trained)
    if diverged:
        rates = [trial.lr for trials in diverged for trial in trials]
        raise UserError(
            f"every trial of {' and of '.join(trials[0].arm for trials in diverged)} has diverged",
            f"{RATE} from {min(rates):g} to {max(rates):g}",
            f"search lower, e.g. '{RATE}=choice(1e-5,1e-4)'",
        )


def warn_of_other_networks(layout: Layout, overrides: Sequence[str]) -> None:
    """A rate is filed by the names of the data and the arm: say so where overrides make either something else."""
    changed = [
        str(parsed.input_line)
        for parsed in parse([*base_of(layout, overrides), *overrides])
        if parsed.key_or_group.startswith(("model.", "data.")) and parsed.key_or_group != "data.source.path"
    ]
    changed += [str(parsed.input_line) for parsed in parse(overrides) if parsed.key_or_group == "experiment"]
    changed = [text for text in changed if text != "~experiment"]
    if changed:
        print(
            f"warning: searched with {' '.join(changed)}: all commands with this data and arm will take the rate,"
            " with these overrides or without them",
            file=sys.stderr,
        )


def discard(layout: Layout, trained: Sequence[Identity]) -> None:
    """Remove what the trials left: once all arms are done, so that a search that was interrupted repeats none."""
    for identity in trained:
        with work_folder(layout.store, identity) as folder:
            shutil.rmtree(folder)


def arms_of(layout: Layout, overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arms to search for (those of params.yaml where none is named), and the overrides for all of them."""
    arms, others = read_params(layout.params).models, []
    for override in parse(overrides):
        text, key = str(override.input_line), override.key_or_group
        if key == "model":
            arms = list(override.sweep_string_iterator()) if override.is_sweep_override() else [str(override.value())]
            continue
        if key == RATE and not override.is_sweep_override():
            raise UserError("the learning rate is what is searched", text, f"write '{RATE}=choice(one,another)'")
        rates = override.value()
        if key == RATE and not _are_rates(rates):
            raise UserError("not all of these are learning rates", text, "give numbers above 0")
        if isinstance(rates, IntervalSweep) and float(rates.start or 0) >= float(rates.end or math.inf):
            raise UserError("an empty interval", text, "write the lower rate first")
        if override.is_sweep_override() and key != RATE:
            raise UserError("a search takes one value for everything but the arm", text, "start a search for each")
        others.append(text)
    return arms, others


def _are_rates(sweep: Any) -> bool:
    values = [sweep.start, sweep.end] if isinstance(sweep, IntervalSweep) else list(getattr(sweep, "list", []))
    return all(isinstance(value, int | float) and value > 0 for value in values)


def search(layout: Layout, overrides: Sequence[str]) -> Search:
    """Run the sweep of one arm."""
    import optuna

    from softalign.stages.by_hand import run_by_hand

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = Search(layout)
    with tempfile.TemporaryDirectory(prefix="softalign-") as folder:  # for Hydra's note of the best trial
        sweep = ["--multirun", "hydra/sweeper=learning_rate", f"hydra.sweep.dir='{folder}'"]
        if _has_interval(overrides):  # a grid has choices alone
            sweep += ["hydra/sweeper/sampler=tpe", "hydra.sweeper.sampler.seed=1"]
        sweep += overrides
        before, sys.argv = sys.argv, [sys.argv[0], *sweep]
        try:
            run_by_hand(found.trial, layout)
        finally:
            sys.argv = before
    return found


def _has_interval(overrides: Sequence[str]) -> bool:
    return any(isinstance(override.value(), IntervalSweep) for override in parse(overrides))


def usual(layout: Layout, overrides: Sequence[str]) -> Config:
    """What the pipeline uses for the arm of these overrides, those for the search itself left out."""
    settings = [text for text in overrides if not text.startswith((f"{RATE}=", "hydra.", "hydra/"))]
    return compose_by_hand(layout, settings)


def command(layout: Layout, overrides: Sequence[str]) -> str:
    """The command that repeats a search whatever params.yaml says by then."""
    said = {text.partition("=")[0]: text for text in [*base_of(layout, overrides), *overrides]}
    if not any(text.startswith(f"{RATE}=") for text in overrides):
        said.pop(RATE, None)
    if "~experiment" in said:
        said.pop("experiment", None)
    return shlex.join(["python", "-m", "softalign", "tune", *said.values()])


def report(layout: Layout, overrides: Sequence[str], found: Search, best: Trial, path: Path) -> None:
    """Print what was chosen, and what a person should know before relying on it."""
    print(f"{best.arm}: {RATE}={best.lr:.3g}, validation loss {best.validation_loss:.4f} -> {path}", flush=True)
    rates = [trial.lr for trial in found.trials]
    if len(rates) > 1 and best.lr in (min(rates), max(rates)):
        end = "lowest" if best.lr == min(rates) else "highest"
        print(
            f"warning: it is the {end} rate tried: search wider with '{RATE}=choice(one,another)'",
            file=sys.stderr,
        )
    table = layout.tuning(found.data)
    for difference in unequal_budget(read_trials(table), best.arm):
        print(
            f"warning: searched {difference} beside the other arms of {found.data} ({table.relative_to(layout.root)}):"
            " search all of them alike",
            file=sys.stderr,
        )
    used = usual(layout, overrides).optimization.lr
    if used != best.lr:
        print(
            f"warning: with these settings {best.arm} trains with {RATE}={used:g} all the same: the experiment, or"
            " the overrides of params.yaml, say so",
            file=sys.stderr,
        )
