"""params.yaml: what `dvc repro` runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from softalign.errors import UserError, unknown
from softalign.tasks import KINDS, kind_of


@dataclass(frozen=True)
class Params:
    """params.yaml: which tasks, arms and seeds `dvc repro` runs, on which data."""

    tasks: list[str]
    models: list[str]
    seeds: list[int]
    data: dict[str, str]
    experiment: str | None
    overrides: list[str]

    def data_of(self, task: str) -> str:
        """The file of conf/data for `task`. Raises `UserError` where there is none."""
        if kind_of(task) not in KINDS:
            raise unknown("task", task, "params.yaml: tasks", KINDS)
        if task not in self.data:
            raise UserError(
                f"no data for the task {task!r}", "params.yaml: data", f"add `{task}: <a file of conf/data>`"
            )
        return self.data[task]

    def base_overrides(self, task: str) -> list[str]:
        """What params.yaml says about every arm of `task`, as Hydra overrides."""
        experiment = [f"experiment={self.experiment}"] if self.experiment else []
        return [f"task={task}", f"data={self.data_of(task)}", *experiment, *self.overrides]


KEYS = [field.name for field in fields(Params)]
SEEDS = 2**32  # what numpy takes
NO_STRINGS = ("null", "true", "false", "nan", "inf")  # what Hydra reads as something else, in capitals too


def read_params(path: Path) -> Params:
    """Read params.yaml. Raises `UserError` on an unknown, missing or ill-typed key."""
    try:
        with path.open(encoding="utf-8") as file:  # a message about YAML then names it
            content = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"cannot read {path.name}: {error}", str(path), "restore it, for instance with git") from None
    if not isinstance(content, dict):
        raise UserError("not a mapping of names to values", path.name, "restore it, for instance with git")
    check_keys(content, path.name)
    for key in KEYS:
        if key not in content:
            raise UserError(f"the key {key!r} is missing", path.name, f"known keys: {', '.join(KEYS)}")
    return Params(**{key: content[key] for key in KEYS})


def check_keys(content: dict[Any, Any], where: str) -> None:
    """Raise `UserError` for a key that params.yaml does not have, or for a value that it cannot have."""
    for key in content:
        if key not in KEYS:
            raise unknown("key", str(key), where, KEYS)
    for key, kind in (("tasks", str), ("models", str), ("seeds", int), ("overrides", str)):
        if key not in content:
            continue
        value = content[key]
        if not isinstance(value, list) or any(type(item) is not kind for item in value):
            raise UserError(f"{key} must be a list of {kind.__name__}, not {value!r}", where, "correct it")
        if key != "overrides" and (not value or len(set(value)) < len(value)):
            raise UserError(f"{key} must name at least one, each once, not {value!r}", where, "correct it")
    if any(not 0 <= seed < SEEDS for seed in content.get("seeds", [])):
        raise UserError(f"seeds must be at least 0 and below {SEEDS:g}: {content['seeds']!r}", where, "correct it")
    if not isinstance(content.get("experiment"), str | None):
        raise UserError(
            f"experiment must be null or a file of conf/experiment, not {content['experiment']!r}",
            where,
            "correct it",
        )
    data = content.get("data", {})
    if not isinstance(data, dict) or any(type(name) is not str for name in data.values()):
        raise UserError(f"data must map each task to a file of conf/data, not {data!r}", where, "correct it")


def in_hydras_grammar(value: Any) -> str:
    """A value of params.yaml as Hydra's grammar has it, which DVC's -S reads."""
    if isinstance(value, list):
        return f"[{','.join(in_hydras_grammar(item) for item in value)}]"
    if value is None:
        return "null"
    if isinstance(value, str) and (not re.fullmatch(r"[A-Za-z_][A-Za-z_0-9-]*", value) or value.lower() in NO_STRINGS):
        # Hydra takes a backslash for itself but before a quote, that at the end among them.
        escaped = re.sub(r'(\\*)("|\Z)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), value)
        return f'"{escaped}"'
    return str(value)
