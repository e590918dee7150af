"""The commands that the README shows: each is one that runs here."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from project import ROOT, apply_with_dvc, copy_project, run

from softalign.__main__ import parse
from softalign.composition import compose_arm, compose_by_hand
from softalign.experiments import dvc_command, read_experiment
from softalign.params import read_params
from softalign.paths import Layout
from softalign.tuning.search import arms_of


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line.partition("  #")[0].partition(" # ")[0].strip() for block in blocks for line in block.splitlines()]


def shown(program: str) -> list[str]:
    return [line for line in commands() if line.startswith(program)]


def test_the_readme_shows_commands_of_each_kind_and_no_other() -> None:
    modules = ("python -m softalign.stages.", "python -m softalign run", "python -m softalign generate ")
    kinds = ("make ", "dvc exp run ", "python -m softalign tune ", *modules)
    assert all(line.startswith(kinds) for line in commands())
    assert all(shown(kind) for kind in kinds)


@pytest.mark.parametrize("line", shown("make "))
def test_make_knows_the_target(line: str) -> None:
    run(ROOT, *shlex.split(line), "--dry-run")


@pytest.mark.parametrize("line", shown("python -m softalign.stages."))
def test_a_stage_by_hand_composes(line: str, tmp_path: Path) -> None:
    copy_project(tmp_path)
    module, *arguments = shlex.split(line)[2:]
    if "--multirun" in arguments:  # only its first job, which is composed before anything runs
        arguments = [argument.split(",")[0] for argument in arguments if argument != "--multirun"]
    output = run(tmp_path, "python", "-m", module, *arguments, "--cfg", "job").stdout
    assert yaml.safe_load(output)["model"]["name"]


@pytest.mark.parametrize("line", shown("python -m softalign generate "))
def test_an_arm_that_generates_composes(line: str) -> None:
    command, _, _ = line.partition("<")
    assert compose_by_hand(Layout(ROOT), parse(shlex.split(command)[3:]).overrides)


@pytest.mark.parametrize("line", shown("python -m softalign tune "))
def test_the_arms_of_a_search_compose(line: str) -> None:
    arms, others = arms_of(Layout(ROOT), parse(shlex.split(line)[3:]).overrides)
    assert [compose_by_hand(Layout(ROOT), [*others, f"model={arm}"]).model.name for arm in arms] == arms


@pytest.mark.parametrize("line", [*shown("dvc exp run "), *shown("python -m softalign run ")])
def test_an_experiment_of_the_readme_composes(line: str, tmp_path: Path) -> None:
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
    before, after = (
        [compose_arm(layout, params, task, model) for task in params.tasks for model in params.models]
        for layout in (Layout(ROOT), Layout(tmp_path))
        for params in [read_params(layout.params)]
    )
    assert after != before


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_the_targets() -> None:
    listed = run(ROOT, "make").stdout
    assert {"setup", "repro", "experiment", "test", "lint", "format", "ui", "lab", "bench", "clean"} <= {
        line.split()[0] for line in listed.splitlines()
    }
