"""Resolve conf/ and params.yaml into one YAML file an arm, for DVC to track by key.

python -m softalign.stages.compose

What it resolves stands in params.yaml; it takes no arguments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from softalign.composition import compose_arm, tuned_file
from softalign.config import Config
from softalign.data.atomic import replacing
from softalign.errors import UserError, reported
from softalign.params import Params, read_params
from softalign.paths import Layout, project_root
from softalign.tasks import kind_of
from softalign.typed import to_dict


def main(arguments: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(
        arguments
    )
    with reported():
        layout = Layout(project_root())
        params = read_params(layout.params)
        arms = compose_all(layout, params)
        check_same_data(arms)
        warn_of_unequal_tuning(layout, arms)
        write_resolved(layout, arms)


def compose_all(layout: Layout, params: Params) -> dict[tuple[str, str], Config]:
    """The configuration of every task and arm that params.yaml names."""
    return {(task, model): compose_arm(layout, params, task, model) for task in params.tasks for model in params.models}


def check_same_data(arms: dict[tuple[str, str], Config]) -> None:
    """Arms of one task are compared on the same test items, so that they must read the same data."""
    first: dict[str, tuple[str, Config]] = {}
    for (task, model), config in arms.items():
        other, reference = first.setdefault(task, (model, config))
        if config.data != reference.data:
            raise UserError(
                f"the arms {other} and {model} read different data", f"task {task}", "set data for all arms alike"
            )


def warn_of_unequal_tuning(layout: Layout, arms: dict[tuple[str, str], Config]) -> None:
    """A comparison of arms with a searched learning rate with others that had none favours the former: say so, unless
    an experiment or an override has set rates itself.
    """
    for task in dict.fromkeys(task for task, _ in arms):
        own = {model: config for (its, model), config in arms.items() if its == task}
        data = next(config.data.name for config in own.values())
        files = {model: tuned_file(layout, data, model) for model in own}
        without = [model for model, path in files.items() if path is None]
        is_used = all(path is None or own[model].optimization.lr == _rate(path) for model, path in files.items())
        if is_used and 0 < len(without) < len(files):
            print(
                f"warning: {task}: the learning rate was searched for the other arms, not for {', '.join(without)}:"
                f" python -m softalign tune task={kind_of(task)} data={data} model={','.join(without)}",
                file=sys.stderr,
            )


def _rate(path: Path) -> Any:
    return OmegaConf.select(OmegaConf.load(path), "optimization.lr")  # as Hydra reads it: 2e-2 is a number


def write_resolved(layout: Layout, arms: dict[tuple[str, str], Config]) -> None:
    """Write resolved/<task>/<model>.yaml and data.yaml; the old ones go once all new ones are there."""
    with replacing(layout.root / "resolved") as fresh:
        for (task, model), config in arms.items():
            content = to_dict(config)
            content.pop("seed")  # the matrix of dvc.yaml gives it
            _write(fresh / task / f"{model}.yaml", content)
            _write(fresh / task / "data.yaml", {"data": content["data"]})


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


if __name__ == "__main__":
    main()
