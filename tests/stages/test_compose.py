"""compose writes what later stages track, and keeps the old files when it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml
from project import copy_project, run

from softalign.paths import Layout

STAGE = ("python", "-m", "softalign.stages.compose")


def test_one_file_an_arm_and_one_for_the_data(tmp_path: Path) -> None:
    run(copy_project(tmp_path), *STAGE)
    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    written = {str(path.relative_to(tmp_path / "resolved")) for path in (tmp_path / "resolved").rglob("*.yaml")}
    assert written == {f"{task}/{name}.yaml" for task in params["tasks"] for name in [*params["models"], "data"]}
    arm = yaml.safe_load((tmp_path / "resolved" / "translation" / "multiply.yaml").read_text())
    assert arm["model"]["fusion"] == "multiply"
    assert yaml.safe_load((tmp_path / "resolved" / "translation" / "data.yaml").read_text()) == {"data": arm["data"]}


def test_a_misspelt_arm_stops_with_one_line_and_loses_nothing(tmp_path: Path) -> None:
    run(copy_project(tmp_path), *STAGE)
    before = (tmp_path / "resolved" / "translation" / "vanilla.yaml").read_text()
    params = tmp_path / "params.yaml"
    params.write_text(params.read_text().replace("vanilla", "vanila"))
    failed = run(tmp_path, *STAGE, check=False)
    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [
        "error: unknown model 'vanila' (conf/model): did you mean 'vanilla'? known: "
        + ", ".join(sorted(path.stem for path in (tmp_path / "conf" / "model").glob("*.yaml")))
    ]
    assert (tmp_path / "resolved" / "translation" / "vanilla.yaml").read_text() == before


def test_a_rate_that_only_some_arms_have_searched_for_is_warned_of(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    shutil.rmtree(layout.conf / "tuned", ignore_errors=True)
    assert run(tmp_path, *STAGE).stderr == ""
    arms = yaml.safe_load(layout.params.read_text())["models"]
    for number, arm in enumerate(arms, start=1):
        path = layout.tuned("newsbriefs", arm)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# @package _global_\noptimization:\n  lr: 2e-2\n")
        warned = run(tmp_path, *STAGE).stderr.splitlines()
        assert len(warned) == (number < len(arms))
        assert all(
            line.startswith("warning: summarization: the learning rate was searched for the other arms, not for ")
            for line in warned
        )
        assert all(line.endswith(f"model={','.join(arms[number:])}") for line in warned)


def test_where_an_override_sets_the_rates_no_search_is_asked_for(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    layout.tuned("newsbriefs", "vanilla").unlink()
    assert "was searched for the other arms, not for vanilla:" in run(tmp_path, *STAGE).stderr
    params = yaml.safe_load(layout.params.read_text())
    layout.params.write_text(yaml.safe_dump(params | {"overrides": ["optimization.lr=0.123"]}))
    assert run(tmp_path, *STAGE).stderr == ""


def test_an_argument_is_refused_instead_of_ignored(tmp_path: Path) -> None:
    failed = run(copy_project(tmp_path), *STAGE, "model=vanilla", check=False)
    assert failed.returncode == 2
    assert "unrecognized arguments: model=vanilla" in failed.stderr
    assert not (tmp_path / "resolved").exists()
