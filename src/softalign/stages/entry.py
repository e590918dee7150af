"""How every stage starts: one typed configuration in, a user's mistake out in one line.

Under DVC it is the configuration that `compose` recorded; by hand, what the command line says in Hydra's grammar.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps

import yaml

from softalign.config import Config
from softalign.errors import UserError, reported
from softalign.experiments.interruption import end_if_interrupted
from softalign.paths import Layout, project_root
from softalign.typed import typed

Stage = Callable[[Config, Layout], float | None]  # the number, if any, is for a sweeper of Hydra


def stage(main: Stage) -> Callable[[], None]:
    """Make `main(config, layout)` a command: `python -m softalign.stages.<name> task=... model=... key=value`."""

    @wraps(main)
    def command() -> None:
        # Importing torch and Lightning makes millions of objects that stay; looking through them for garbage again and
        # again takes an eighth of the time of the imports.
        gc.set_threshold(100_000, 50, 100)
        end_if_interrupted()
        with reported():
            layout = Layout(project_root())
            if os.environ.get("DVC_STAGE"):  # set by DVC for the commands that it runs
                main(recorded(layout, sys.argv[1:]), layout)
            else:
                from softalign.stages.by_hand import run_by_hand

                run_by_hand(main, layout)
        gc.freeze()  # nor is it worth a last look through them, of a second, before the process ends

    return command


def recorded(layout: Layout, arguments: Sequence[str]) -> Config:
    """The configuration that `compose` left for `task=... model=... seed=...`; any model's where none is named.

    Raises `UserError` where there is none, or where the arguments say more.
    """
    named = dict(argument.partition("=")[::2] for argument in arguments)
    if not {"task"} <= named.keys() <= {"task", "model", "seed"}:
        raise UserError(
            f"a stage that DVC runs takes task=, model= and seed=, not {' '.join(arguments)}",
            "dvc.yaml",
            "name other settings in params.yaml: overrides",
        )
    folder = layout.resolved_data(named["task"]).parent
    known = sorted(path for path in folder.glob("*.yaml") if path != layout.resolved_data(named["task"]))
    path = layout.resolved(named["task"], named["model"]) if "model" in named else next(iter(known), folder)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        raise UserError("no configuration of this arm", str(path), "run dvc repro compose") from None
    return typed(content | ({"seed": named["seed"]} if "seed" in named else {}))
