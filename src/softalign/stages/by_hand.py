"""A stage that a person started: Hydra's command line in, one typed configuration out."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from softalign.arms import Arm, matching_variants
from softalign.composition import base_of, check_choices, compose, compose_by_hand, first_job, parse, spelled_out, swept
from softalign.config import Config
from softalign.errors import UserError, reported
from softalign.paths import Layout
from softalign.training.failure import DivergedError
from softalign.typed import training_part

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def run_by_hand(main: Callable[[Config, Layout], float | None], layout: Layout) -> None:
    """Call `main` on what params.yaml says about the task, then what the command line says.

    Under `--multirun` each job is composed in the same way, so that a task brings its own data, and what `main`
    returns goes to the sweeper. A training that diverges does not end the sweep: it counts as an infinite loss, and
    unless that is what the sweeper looks out for (Hydra's own only counts jobs) the exit status is 1 in the end.
    """
    placed = _place_base_overrides(layout)
    unexpected = []

    @hydra.main(config_path=str(layout.conf), config_name="config", version_base="1.3")
    def job(_: DictConfig) -> float | None:
        with reported():
            overrides = HydraConfig.get().overrides.task
            config = compose(layout, overrides) if placed else compose_by_hand(layout, overrides)
            try:
                return main(config, Layout(layout.root, by_hand=run_name(config)))
            except DivergedError as error:
                if HydraConfig.get().mode is not RunMode.MULTIRUN:
                    raise
                print(f"error: {error}", file=sys.stderr, flush=True)
                if HydraConfig.get().sweeper["_target_"] == BASIC_SWEEPER:
                    unexpected.append(error)
                return math.inf

    job()
    if unexpected:
        raise SystemExit(1)


def _place_base_overrides(layout: Layout) -> bool:
    """Put what params.yaml says before the arguments, and an arm's name into Hydra's words, so that `--cfg job` shows
    what would run; whether that was done. Not under `--multirun`, whose jobs differ in what params.yaml says of them.

    Also composes once beforehand (of a sweep, its first job): Hydra's own refusal of an unknown key does not
    name the known ones.
    """
    options, unknown = get_args_parser().parse_known_args()
    if unknown or options.help or options.hydra_help or options.info:
        return False
    if not options.multirun:
        for override in parse(options.overrides):
            if override.is_sweep_override():
                raise UserError("several values", str(override.input_line), "add --multirun to run one after another")
    compose_by_hand(layout, first_job(options.overrides))
    if options.multirun:
        check_choices(layout, options.overrides)
        _introduce_arms(layout, options.overrides)
        return False
    overrides = spelled_out(layout, [*base_of(layout, options.overrides), *options.overrides])
    sys.argv[1:] = [*overrides, *(word for word in sys.argv[1:] if word not in options.overrides)]
    return True


def _introduce_arms(layout: Layout, overrides: Sequence[str]) -> None:
    """Let Hydra find each arm that a sweep names: it composes every job itself, before `compose_by_hand` does."""
    store = ConfigStore.instance()
    for name in swept("model", overrides):
        arm = Arm.parse(name, layout)
        if arm.name != arm.model:
            store.store(group="model", name=arm.name, node={"defaults": [arm.model]})
    for variant in matching_variants(layout):
        store.store(group="variant", name=variant, node={})


def run_name(config: Config) -> str:
    """A folder name for a run by hand, the same for the same training: `translation-multiply-2-1a2b3c4d`."""
    digest = hashlib.sha256(json.dumps(training_part(config), sort_keys=True).encode()).hexdigest()
    return f"{config.task.name}-{config.model.name}-{config.seed}-{digest[:8]}"
