"""How every stage starts: Hydra's command line in, one typed configuration out, a user's mistake in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from softalign.composition import base_of, compose_by_hand, first_job
from softalign.config import Config
from softalign.errors import reported
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
                    main(config, layout)

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


def under_dvc() -> bool:
    """Whether DVC runs this stage (it names the stage in the environment)."""
    return bool(os.environ.get("DVC_STAGE"))
