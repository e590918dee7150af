"""From conf/, params.yaml and overrides to one typed `Config`: the same for DVC and for a run by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override
from hydra.errors import ConfigCompositionException, HydraException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softalign.arms import SEPARATOR, Arm, check_holds
from softalign.checks import check
from softalign.config import SOURCES, Config
from softalign.errors import UserError, unknown, unknown_choice
from softalign.params import Params, read_params
from softalign.paths import Layout
from softalign.tasks import kind_of
from softalign.typed import typed


def compose(layout: Layout, overrides: Sequence[str]) -> Config:
    """Compose conf/config.yaml with `overrides` (Hydra's grammar) into a checked `Config`.

    `model=` takes any arm's name of arms.py. Raises `UserError` for an unknown file, key or value, naming the known
    ones.
    """
    overrides = spelled_out(layout, overrides)
    config = _composed(layout, overrides)
    check_holds(_list_of("variant", overrides), config.model, layout)
    _check_names(layout, config, overrides)
    check(config)
    return config


def _check_names(layout: Layout, config: Config, overrides: Sequence[str]) -> None:
    """Folders and searched rates are named by `name`, and found by the file's: both are one, or one's data or rate
    would be another's.
    """
    for group, name in (("task", config.task.name), ("data", config.data.name)):
        file = _choice(layout, group, overrides).removesuffix(".yaml")
        if name != file:
            raise UserError(
                f"{group}.name is {name}, and the file is conf/{group}/{file}.yaml", "", f"write name: {file} in it"
            )
    file, variants = _choice(layout, "model", overrides).removesuffix(".yaml"), _list_of("variant", overrides)
    named = Arm.parse(config.model.name, layout)
    if (named.model, list(named.variants)) != (file, variants):
        raise UserError(
            f"model.name is {named.name}, and the file is conf/model/{file}.yaml", "", f"write name: {file} in it"
        )


def spelled_out(layout: Layout, overrides: Sequence[str]) -> list[str]:
    """`overrides` in which an arm's name is written as what it stands for: files of conf/, the rate that was searched
    for it, the hidden size of a control.
    """
    model, variants = _choice(layout, "model", overrides), _list_of("variant", overrides)
    arm = Arm.parse(SEPARATOR.join([model, *variants]), layout)
    if arm.name == arm.model:
        return list(overrides)
    others = [str(each.input_line) for each in parse(overrides) if each.key_or_group not in ("model", "variant")]
    spelled = _with_tuned_rate(layout, [*_files_of(arm), f"model.name={arm.name}", *others])
    if arm.matched is None:
        return spelled
    # Imported here: torch takes a second, and most arms do not need it.
    from softalign.models.size import matched_hidden_size

    own, other = _composed(layout, spelled), compose(layout, [*others, *_files_of(arm.matched)])
    return [*spelled, f"model.hidden_size={matched_hidden_size(own.model, other.model)}"]


def _files_of(arm: Arm) -> list[str]:
    return [f"model={arm.model}", f"variant=[{','.join(arm.variants)}]"]


def _composed(layout: Layout, overrides: Sequence[str]) -> Config:
    try:
        if GlobalHydra.instance().is_initialized():  # inside a stage, or one job of --multirun
            composed = hydra_compose("config", overrides=list(overrides))
        else:
            with initialize_config_dir(str(layout.conf), version_base="1.3"):
                composed = hydra_compose("config", overrides=list(overrides))
        plain = OmegaConf.to_container(composed, resolve=True)
    except OverrideParseException as error:
        raise _not_hydras_grammar(error, overrides) from None
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
    astray = plain.pop("experiment", None)
    experiment = _value_of("experiment", overrides)
    if astray:
        raise UserError(
            f"{', '.join(astray)}: set for nobody, for the file has no line `# @package _global_`",
            f"conf/experiment/{experiment}.yaml",
            "make that its first line",
        )
    if experiment is not None:
        plain.pop("params", None)  # its wishes for params.yaml, see experiments.py
    try:
        return typed({str(key): value for key, value in plain.items()})
    except UserError as error:
        task = _choice(layout, "task", overrides)
        if experiment is None and task == kind_of(task):
            raise
        whose = [f"the experiment {experiment}"] if experiment else []
        whose += [f"the task {task}"] if task != kind_of(task) else []
        leave = " (params.yaml with experiment: null, or '~experiment' by hand, leaves it out)" if experiment else ""
        also = f"or it is {' or '.join(whose)} that does not fit the data or the arm{leave}"
        raise UserError(f"{error}; {also}") from None


def tuned_file(layout: Layout, data: str, arm: str) -> Path | None:
    """The file with the rate that was searched for this very arm; None before any search."""
    path = layout.tuned(data, arm)
    return path if path.is_file() else None


def _with_tuned_rate(layout: Layout, overrides: Sequence[str]) -> list[str]:
    """conf/config.yaml finds the rate of a file of conf/model; a variant has its own, or none."""
    name = _value_of("model.name", overrides)
    if name is None or any(override.key_or_group == "tuned" for override in parse(overrides)):
        return list(overrides)
    data = _choice(layout, "data", overrides)
    return [f"tuned={data}/{name}" if tuned_file(layout, data, name) else "~tuned", *overrides]


def compose_arm(layout: Layout, params: Params, task: str, model: str, overrides: Iterable[str] = ()) -> Config:
    """What `dvc repro` trains as arm `model` on `task`."""
    for key in ("model", "variant"):
        if swept(key, params.overrides):
            remedy = "name the arms in models, e.g. [vanilla-gru, bahdanau-gru]"
            raise UserError(f"{key}= would make all arms one or rename them", "params.yaml: overrides", remedy)
    if swept("task", params.overrides):
        raise UserError("task= would make all tasks one", "params.yaml: overrides", "name the tasks in tasks")
    if swept("seed", params.overrides):
        raise UserError("seed= has no effect here", "params.yaml: overrides", "name the seeds in seeds, e.g. [1, 2]")
    return compose(layout, [*params.base_overrides(task), f"model={model}", *overrides])


def compose_by_hand(layout: Layout, command_line: Sequence[str]) -> Config:
    """What the overrides of a command line mean: params.yaml first, then they."""
    return compose(layout, [*base_of(layout, command_line), *command_line])


def base_of(layout: Layout, command_line: Sequence[str]) -> list[str]:
    """What params.yaml says about the task that a command line names (or that conf/config.yaml does)."""
    task = _choice(layout, "task", command_line)
    known = sorted(path.stem for path in (layout.conf / "task").glob("*.yaml"))
    if task not in known:
        raise unknown_choice("task", task, known)
    return read_params(layout.params).base_overrides(task)


def _composition_error(error: ConfigCompositionException) -> UserError:
    text = str(error)
    absent = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if absent:
        group, name = absent.groups()
        listed = re.search(r"Available options in '[^']+':\n((?:\t.+\n?)+)", text)
        return unknown_choice(group, name, listed.group(1).split() if listed else [])
    refused = re.search(r"Could not (?:override|delete|append to config)[^']*'([^']+)'", text)
    if refused:
        *path, key = re.sub(r"^\+*", "", refused.group(1)).split(".")
        schema: Any = Config
        for depth, step in enumerate(path):
            factory = {field.name: field.default_factory for field in fields(schema)}.get(step)
            if path[: depth + 1] == ["data", "source"]:
                kinds: dict[str, list[str]] = {}  # of data that have a key
                for kind, source in SOURCES.items():
                    for field in fields(source):
                        kinds.setdefault(field.name, []).append(kind)
                if key in kinds:
                    return UserError(
                        f"the data chosen have no key {key!r}, which those of kind {' or '.join(kinds[key])} have",
                        "data.source",
                        "choose such data; params.yaml's overrides are for all tasks, so leave the others out of tasks",
                    )
                return unknown("key", key, "data.source; which keys depends on its kind", list(kinds))
            if path[: depth + 1] == ["data", "shifted_tests"]:
                return UserError(
                    f"no shifted test set {'.'.join([*path, key])} to change",
                    "override",
                    "add a whole one, as in +data.shifted_tests.test_noise={kind: noise, rate: 0.1}; ~ takes one out",
                )
            if not (isinstance(factory, type) and is_dataclass(factory)):
                return unknown(
                    "key", step, ".".join(path[:depth]) or "override", [field.name for field in fields(schema)]
                )
            schema = factory
        return unknown("key", key, ".".join(path) or "override", [field.name for field in fields(schema)])
    return UserError(_first_line(error), "conf/", "correct the file or the override")


def check_choices(layout: Layout, command_line: Sequence[str]) -> None:
    """Raises `UserError` where a sweep names a file that conf/ lacks; of an arm, its model's."""
    for override in parse(command_line):
        group = override.key_or_group
        known = sorted(path.stem for path in (layout.conf / group).glob("*.yaml"))
        if override.is_delete() or "/" in group or group == "variant" or not known:
            continue  # hydra/... are in Hydra's folders too, a variant is in a list
        value = override.value()
        for choice in value.list if isinstance(value, ChoiceSweep) else [value]:
            name = str(getattr(choice, "text", choice)).removesuffix(".yaml")  # a QuotedString has its text
            name = Arm.parse(name, layout).model if group == "model" else name
            if choice is not None and name not in known:
                raise unknown_choice(group, name, known)


def first_job(command_line: Sequence[str]) -> list[str]:
    """The overrides of the first job of a sweep: `model=vanilla,multiply` becomes `model=vanilla`.

    Of an interval, in which a sweeper such as Optuna searches, it has the lower end.
    """
    first = []
    for override in parse(command_line):
        line = str(override.input_line)
        if isinstance(interval := override.value(), IntervalSweep):
            line = f"{override.get_key_element()}={interval.start}"
        elif override.is_sweep_override():
            line = f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
        first.append(line)
    return first


def swept(key: str, command_line: Sequence[str]) -> list[str]:
    """The values that a command line gives to `key`, one or the choices of a sweep."""
    values: list[str] = []
    for override in parse(command_line):
        if override.key_or_group == key:
            values += override.sweep_string_iterator() if override.is_choice_sweep() else [str(override.value())]
    return values


def _not_hydras_grammar(error: Exception, overrides: Sequence[str]) -> UserError:
    remedy = "write key=value, and a value with a letter such as ü in quotes, as in \"model='ü'\""
    return UserError(f"cannot parse the override: {_first_line(error)}", " ".join(overrides), remedy)


def parse(command_line: Sequence[str]) -> list[Override]:
    """Overrides in Hydra's grammar, but for glob(). Raises `UserError` where they are not."""
    try:
        overrides = OverridesParser.create().parse_overrides(list(command_line))
    except HydraException as error:
        raise _not_hydras_grammar(error, command_line) from None
    for override in overrides:
        if isinstance(override.value(), Glob):
            raise UserError("glob() is not understood", str(override.input_line), "name the choices, as in key=a,b")
    return overrides


def _value_of(key: str, command_line: Sequence[str]) -> str | None:
    values = [
        override.value()
        for override in parse(command_line)
        if override.key_or_group == key and not override.is_sweep_override()
    ]
    return str(values[-1]) if values and values[-1] is not None else None


def _list_of(key: str, command_line: Sequence[str]) -> list[str]:
    values = [override.value() for override in parse(command_line) if override.key_or_group == key]
    last = values[-1] if values else []
    return [str(value) for value in (last if isinstance(last, list) else [last])]


def _choice(layout: Layout, group: str, command_line: Sequence[str]) -> str:
    """The file of a group that a command line names, or else conf/config.yaml."""
    named = _value_of(group, command_line)
    if named is not None:
        return named
    path = layout.conf / "config.yaml"
    try:
        with path.open(encoding="utf-8") as file:  # a message about YAML then names it
            defaults = yaml.safe_load(file)["defaults"]
        return str(next(entry[group] for entry in defaults if isinstance(entry, dict) and group in entry))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"not valid YAML: {error}", str(path), "correct the file") from None
    except (KeyError, TypeError, StopIteration):
        remedy = "restore the line, for instance with git"
        raise UserError(f"its defaults name no {group}", str(path), remedy) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
