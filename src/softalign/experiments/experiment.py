"""conf/experiment: named settings, each with what of params.yaml it wants, and the DVC command that runs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import yaml

from softalign.errors import UserError, unknown, unknown_choice
from softalign.params import KEYS, Params, check_keys, in_hydras_grammar
from softalign.paths import Layout

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

PACKAGE = "# @package"
LISTS = ("tasks", "models", "seeds")


@dataclass(frozen=True)
class Experiment:
    """A file of conf/experiment."""

    name: str
    about: str  # of its first comment, `# <command>      <what it is for>`, the second part
    params: dict[str, Any]  # the keys of params.yaml that it wants to be set, under its key `params`


def experiments(layout: Layout) -> list[Experiment]:
    """All of them, by name."""
    return [read_experiment(layout, name) for name in _names(layout)]


def read_experiment(layout: Layout, name: str) -> Experiment:
    """Read conf/experiment/<name>.yaml. Raises `UserError` where it is missing, or `params` is not what it may be."""
    known = _names(layout)
    if name not in known:
        raise unknown_choice("experiment", name, known)
    where = f"conf/experiment/{name}.yaml"
    try:
        text = (layout.conf / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
        content = yaml.safe_load(text) or {}
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"not valid YAML: {error}", where, "correct the file") from None
    params = content.get("params", {}) if isinstance(content, dict) else None
    if not isinstance(params, dict):
        raise UserError(f"params must map keys of params.yaml to values, not {params!r}", where, "correct it")
    if "experiment" in params:
        raise UserError("params names an experiment", where, "leave it out: it is this one")
    check_keys(params, f"{where}: params")
    comments = [line for line in text.splitlines() if line.startswith("#") and not line.startswith(PACKAGE)]
    return Experiment(name, re.split(r"\s{2,}", comments[0].lstrip("# "))[-1] if comments else "", params)


def dvc_command(experiment: Experiment, params: Params, arguments: Iterable[str] = ()) -> list[str]:
    """`dvc exp run --keep-going` with what the experiment wants of params.yaml, whose present content is `params`.

    `arguments` are DVC's own. Raises `UserError` where a -S among them cannot be parsed, names a key that params.yaml
    does not have, or gives one value to what is a list: DVC says nothing useful.
    """
    arguments = list(arguments)
    for setting in _settings(arguments):
        key, value = setting.key_or_group, setting.value()
        if (name := key.partition(".")[0]) not in KEYS:
            raise unknown("key", name, f"-S {setting.input_line}", KEYS)
        if setting.is_sweep_override():
            continue
        if key == "overrides" and not isinstance(value, list):
            remedy = "write -S \"overrides=['optimization.lr=0.002']\", or overrides=[]"
            raise UserError("overrides wants a list", "-S", remedy)
        if key in LISTS and (value == [] or not isinstance(value, list)):
            raise UserError(f"{key} wants a list with something in it", "-S", f"write -S '{key}=[...]'")
    wishes = {"experiment": experiment.name} | {key: value for key, value in experiment.params.items() if key != "data"}
    settings = [f"{key}={in_hydras_grammar(value)}" for key, value in wishes.items()]
    for task, data in experiment.params.get("data", {}).items():
        settings.append(f"{'' if task in params.data else '+'}data.{task}={in_hydras_grammar(data)}")
    return [
        "dvc",
        "exp",
        "run",
        "--keep-going",
        *(word for setting in settings for word in ("-S", setting)),
        *arguments,
    ]


def _settings(arguments: list[str]) -> Iterator[Override]:
    """Those of DVC's -S that are for params.yaml."""
    # Imported here: most commands have no -S, and need no Hydra.
    from softalign.composition import parse

    for word, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        given = following if word in ("-S", "--set-param") else re.sub("^(-S|--set-param=)", "", word)
        if given == word:
            continue
        file = given.partition("=")[0].rpartition(":")[0]
        if file not in ("", "params.yaml"):
            continue
        try:
            yield from parse([given.removeprefix("params.yaml:")])
        except UserError as error:
            remedy = "write key=value, and each override in quotes, as in -S \"overrides=['optimization.lr=0.002']\""
            raise UserError(f"not understood: {error}", f"-S {given}", remedy) from None


def _names(layout: Layout) -> list[str]:
    return sorted(path.stem for path in (layout.conf / "experiment").glob("*.yaml"))
