"""compose writes what later stages track, and keeps the old files when it fails."""

from __future__ import annotations

from pathlib import Path

import yaml
from project import copy_project, run

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


def test_the_name_in_an_arms_file_is_the_files(tmp_path: Path) -> None:
    copy_project(tmp_path)
    arm = tmp_path / "conf" / "model" / "multiply.yaml"
    arm.write_text(arm.read_text().replace("name: multiply", "name: times"))
    failed = run(tmp_path, *STAGE, check=False)
    assert failed.returncode == 1
    assert "name: times in the file of the arm multiply" in failed.stderr


def test_an_argument_is_refused_instead_of_ignored(tmp_path: Path) -> None:
    failed = run(copy_project(tmp_path), *STAGE, "model=vanilla", check=False)
    assert failed.returncode == 2
    assert "unrecognized arguments: model=vanilla" in failed.stderr
    assert not (tmp_path / "resolved").exists()
