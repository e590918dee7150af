"""The commands in the docs' blocks of code (README.md is one of them) and in the heads of conf/'s files: each runs."""

from __future__ import annotations

import re
import shlex
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from project import ROOT, apply_with_dvc, copy_project, run

from softalign.__main__ import parse
from softalign.arms import Arm
from softalign.composition import compose_arm, compose_by_hand
from softalign.config import Config
from softalign.experiments.experiment import dvc_command, read_experiment
from softalign.params import read_params
from softalign.paths import Layout
from softalign.tuning.search import arms_of, usual

STAGE, BENCHMARK = "python -m softalign.stages.", "python -m benchmarks"
RUN, TUNE, GENERATE = (f"python -m softalign {command}" for command in ("run", "tune", "generate"))
KINDS = ("make ", "dvc exp run ", STAGE, RUN, TUNE, GENERATE, BENCHMARK)


def blocks(page: Path) -> list[str]:
    """The lines of a page's blocks of code, fenced as sh or indented; a fence of another language holds no command."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^ {4}(\S.*)$", unfenced, flags=re.MULTILINE)
    return [*(line for block in fenced for line in block.splitlines()), *indented]


def heads(file: Path) -> list[str]:
    """The commands in the comments of a file of conf/, without what stands beside them."""
    comments = re.findall(r"^# (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [comment.partition("   ")[0] for comment in comments if comment.startswith(KINDS)]


def shown_in(*pages: Path) -> list[str]:
    lines = [line for page in pages for line in (blocks(page) if page.suffix == ".md" else heads(page))]
    return list(dict.fromkeys(line.partition("  #")[0].partition(" # ")[0].strip() for line in lines))


GUIDES = shown_in(ROOT / "README.md", ROOT / "docs" / "using.md")  # written to be tried, each in full
FILES = [path for path in sorted((ROOT / "conf").rglob("*.yaml")) if "tuned" not in path.parts]  # a search wrote those
SHOWN = list(dict.fromkeys([*GUIDES, *shown_in(*sorted((ROOT / "docs").rglob("*.md")), *FILES)]))


def shown(*kinds: str) -> list[str]:
    return [line for line in SHOWN if line.startswith(kinds)]


def composed(layout: Layout, every_arm: bool) -> list[Config]:
    """What params.yaml names; of the arms' names, where not every arm is wanted, only that there are such."""
    params = read_params(layout.params)
    assert [Arm.parse(name, layout).name for name in params.models] == params.models
    models = params.models if every_arm else params.models[:1]
    return [compose_arm(layout, params, task, model) for task in params.tasks for model in models]


def test_commands_of_each_kind_are_shown_and_no_other() -> None:
    assert [line for line in SHOWN if not line.startswith(KINDS)] == []
    assert all(shown(kind) for kind in KINDS)


@pytest.mark.parametrize("line", shown("make "))
def test_make_knows_the_target(line: str) -> None:
    run(ROOT, *shlex.split(line), "--dry-run")


@pytest.mark.parametrize("line", [line for line in GUIDES if line.startswith(STAGE)])
def test_a_stage_by_hand_takes_the_command_line(line: str, tmp_path: Path) -> None:
    copy_project(tmp_path)
    module, *arguments = shlex.split(line)[2:]
    if "--multirun" in arguments:  # only its first job, which is composed before anything runs
        arguments = [argument.split(",")[0] for argument in arguments if argument != "--multirun"]
    output = run(tmp_path, "python", "-m", module, *arguments, "--cfg", "job").stdout
    assert yaml.safe_load(output)["model"]["name"]


@pytest.mark.parametrize("line", [line for line in shown(STAGE) if "--multirun" not in line])
def test_a_stage_by_hand_composes(line: str) -> None:
    module, *overrides = shlex.split(line)[2:]
    assert callable(import_module(module).main)
    assert compose_by_hand(Layout(ROOT), overrides)


@pytest.mark.parametrize("line", shown(GENERATE))
def test_an_arm_that_generates_composes(line: str) -> None:
    command, _, _ = line.partition("<")
    assert compose_by_hand(Layout(ROOT), parse(shlex.split(command)[3:]).overrides)


@pytest.mark.parametrize("line", shown(TUNE))
def test_the_arms_of_a_search_compose(line: str) -> None:
    arms, others = arms_of(Layout(ROOT), parse(shlex.split(line)[3:]).overrides)
    assert [usual(Layout(ROOT), [*others, f"model={arm}"]).model.name for arm in arms] == arms


@pytest.mark.parametrize("line", shown(BENCHMARK))
def test_a_benchmark_takes_its_arguments(line: str) -> None:
    _, _, module, *arguments = shlex.split(line)
    is_package = getattr(find_spec(module), "submodule_search_locations", None)
    given = import_module(f"{module}.__main__" if is_package else module).parse(arguments)
    assert compose_by_hand(Layout(ROOT), getattr(given, "overrides", []))


@pytest.mark.parametrize("line", [line for line in shown("dvc exp run ", RUN) if line != RUN])
def test_an_experiment_composes(line: str, tmp_path: Path) -> None:
    """DVC itself applies each -S to the copy's files; the arms are then composed from them."""
    copy_project(tmp_path)
    words = shlex.split(line)
    if words[0] == "python":
        given = parse(words[3:])
        words = dvc_command(
            read_experiment(Layout(ROOT), given.name), read_params(ROOT / "params.yaml"), given.arguments
        )
    values = [word for flag, word in zip(words, words[1:], strict=False) if flag == "-S"]
    assert values
    apply_with_dvc(tmp_path, values)
    changed = composed(Layout(tmp_path), every_arm=line in GUIDES)
    if line in GUIDES:
        assert changed != composed(Layout(ROOT), every_arm=True)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_the_targets() -> None:
    listed = run(ROOT, "make").stdout
    assert {"setup", "repro", "experiment", "test", "lint", "format", "ui", "lab", "bench", "clean"} <= {
        line.split()[0] for line in listed.splitlines()
    }
