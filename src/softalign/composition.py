"""From conf/, params.yaml and overrides to one typed `Config`: the same for DVC and for a run by hand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softalign.checks import check
from softalign.config import SOURCES, Config
from softalign.errors import UserError
from softalign.params import Params, read_params
from softalign.paths import Layout
from softalign.typed import typed, unknown_key


def compose(layout: Layout, overrides: Sequence[str]) -> Config:
    """Compose conf/config.yaml with `overrides` (Hydra's grammar) into a checked `Config`.

    Raises `UserError` for an unknown file, key or value, naming the known ones.
    """
    try:
        if GlobalHydra.instance().is_initialized():  # inside a stage, or one job of --multirun
            composed = hydra_compose("config", overrides=list(overrides))
        else:
            with initialize_config_dir(str(layout.conf), version_base="1.3"):
                composed = hydra_compose("config", overrides=list(overrides))
        plain = OmegaConf.to_container(composed, resolve=True)
    except OverrideParseException as error:
        raise UserError(
            f"cannot parse the override: {_first_line(error)}", " ".join(overrides), "write key=value"
        ) from None
    except ConfigCompositionException as error:
        raise _composition_error(error) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_first_line(error), "conf/", "correct the file or the override") from None
    except yaml.YAMLError as error:
        raise UserError(f"not valid YAML: {error}", "conf/", "correct the file") from None
    except ValueError as error:  # Hydra's for `experiment=null`
        remedy = "name a file of the group; an experiment is switched off in params.yaml (experiment: null)"
        raise UserError(_first_line(error), " ".join(overrides), remedy) from None
    assert isinstance(plain, dict)
    plain.pop("hydra", None)
    plain.pop("experiment", None)
    try:
        config = typed({str(key): value for key, value in plain.items()})
    except UserError as error:
        experiment = _value_of("experiment", overrides)
        if experiment is None:
            raise
        raise UserError(
            f"{error}; or it is the experiment {experiment} that does not fit the data or the arm"
        ) from None
    check(config)
    return config


def compose_arm(layout: Layout, params: Params, task: str, model: str, overrides: Iterable[str] = ()) -> Config:
    """What `dvc repro` trains as arm `model` on `task`."""
    return compose(layout, [*params.base_overrides(task), f"model={model}", *overrides])


def compose_by_hand(layout: Layout, command_line: Sequence[str]) -> Config:
    """What the overrides of a command line mean: params.yaml first, then they."""
    return compose(layout, [*base_of(layout, command_line), *command_line])


def base_of(layout: Layout, command_line: Sequence[str]) -> list[str]:
    """What params.yaml says about the task that a command line names (or that conf/config.yaml does)."""
    task = _value_of("task", command_line)
    if task is None:
        defaults = yaml.safe_load((layout.conf / "config.yaml").read_text(encoding="utf-8"))["defaults"]
        task = next(entry["task"] for entry in defaults if isinstance(entry, dict) and "task" in entry)
    known = sorted(path.stem for path in (layout.conf / "task").glob("*.yaml"))
    if task not in known:
        raise UserError(f"unknown task {task!r}", "task", f"known: {', '.join(known)}")
    return read_params(layout.params).base_overrides(task)


def _composition_error(error: ConfigCompositionException) -> UserError:
    text = str(error)
    absent = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if absent:
        group, name = absent.groups()
        listed = re.search(r"Available options in '[^']+':\n((?:\t.+\n?)+)", text)
        options = listed.group(1).split() if listed else []
        close = difflib.get_close_matches(name, options, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return UserError(f"unknown {group} {name!r}", f"conf/{group}", f"{hint}known: {', '.join(options) or 'none'}")
    refused = re.search(r"Could not (?:override|delete|append to config)[^']*'([^']+)'", text)
    if refused:
        *path, key = re.sub(r"^\+*", "", refused.group(1)).split(".")
        schema: Any = Config
        for depth, step in enumerate(path):
            factory = {field.name: field.default_factory for field in fields(schema)}.get(step)
            if path[: depth + 1] == ["data", "source"]:
                known = {field.name: None for source in SOURCES.values() for field in fields(source)}
                return unknown_key(key, list(known), "data.source; which keys depends on its kind")
            if path[: depth + 1] == ["data", "shifted_tests"]:
                return UserError(
                    f"no shifted test set {'.'.join([*path, key])} to change",
                    "override",
                    "add a whole one, as in +data.shifted_tests.test_noise={kind: noise, rate: 0.1}; ~ takes one out",
                )
            if not (isinstance(factory, type) and is_dataclass(factory)):
                return unknown_key(step, [field.name for field in fields(schema)], ".".join(path[:depth]) or "override")
            schema = factory
        return unknown_key(key, [field.name for field in fields(schema)], ".".join(path) or "override")
    return UserError(_first_line(error), "conf/", "correct the file or the override")


def first_job(command_line: Sequence[str]) -> list[str]:
    """The overrides of the first job of a sweep: `model=vanilla,multiply` becomes `model=vanilla`."""
    first = []
    for override in _parse(command_line):
        line = str(override.input_line)
        if override.is_sweep_override():
            line = f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
        first.append(line)
    return first


def _parse(command_line: Sequence[str]) -> list[Override]:
    try:
        return OverridesParser.create().parse_overrides(list(command_line))
    except HydraException as error:
        raise UserError(
            f"cannot parse the override: {_first_line(error)}", " ".join(command_line), "write key=value"
        ) from None


def _value_of(key: str, command_line: Sequence[str]) -> str | None:
    values = [
        override.value()
        for override in _parse(command_line)
        if override.key_or_group == key and not override.is_sweep_override()
    ]
    return str(values[-1]) if values else None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
