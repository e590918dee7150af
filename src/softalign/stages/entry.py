"""How every stage starts: Hydra's command line in, one typed configuration out, a user's mistake in one line."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from functools import wraps

import hydra
import yaml
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from softalign.composition import base_of, compose_by_hand, first_job, to_dict, training_part
from softalign.config import Config
from softalign.errors import UserError, reported
from softalign.paths import Layout, project_root

Stage = Callable[[Config, Layout], None]


def stage(main: Stage) -> Callable[[], None]:
    """Make `main(config, layout)` a command: `python -m softalign.stages.<name> task=... model=... key=value`.

    The configuration is what params.yaml says about the task, then what the command line says. Under
    `--multirun` each job is composed in the same way, so that a task brings its own data.
    """

    @wraps(main)
    def command() -> None:
        with reported():
            layout = Layout(project_root())
            _place_base_overrides(layout)

            @hydra.main(config_path=str(layout.conf), config_name="config", version_base="1.3")
            def job(_: DictConfig) -> None:
                with reported():
                    config = compose_by_hand(layout, HydraConfig.get().overrides.task)
                    if os.environ.get("DVC_STAGE"):  # set by DVC for the commands that it runs
                        check_resolved(config, layout)
                        main(config, layout)
                    else:
                        main(config, Layout(layout.root, by_hand=run_name(config)))

            job()

    return command


def _place_base_overrides(layout: Layout) -> None:
    """Put what params.yaml says before the arguments, so that `--cfg job` shows what would run.

    Also composes once beforehand (of a sweep, its first job): Hydra's own refusal of an unknown key does not
    name the known ones.
    """
    options, unknown = get_args_parser().parse_known_args()
    if unknown or options.help or options.hydra_help or options.info:
        return
    compose_by_hand(layout, first_job(options.overrides))
    if not options.multirun:
        sys.argv[1:] = [*base_of(layout, options.overrides), *sys.argv[1:]]


def check_resolved(config: Config, layout: Layout) -> None:
    """Refuse to run on a configuration that is no longer the one which DVC recorded for this stage."""
    content = to_dict(config)
    del content["seed"]
    arm = layout.resolved(config.task.name, config.model.name)
    expected = {layout.resolved_data(config.task.name): {"data": content["data"]}}
    if arm.exists():
        expected[arm] = content
    for path, composed in expected.items():
        if yaml.safe_load(path.read_text(encoding="utf-8")) != composed:
            raise UserError("the configuration changed while DVC was running", str(path), "run dvc repro again")


def run_name(config: Config) -> str:
    """A folder name for a run by hand, the same for the same training: `translation-multiply-2-1a2b3c4d`."""
    digest = hashlib.sha256(json.dumps(training_part(config), sort_keys=True).encode()).hexdigest()
    return f"{config.task.name}-{config.model.name}-{config.seed}-{digest[:8]}"
