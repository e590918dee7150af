"""Where the project is, and who owns the MLflow store."""

from __future__ import annotations

from pathlib import Path

import pytest

from softalign.errors import UserError
from softalign.paths import Layout, project_root


def make_project(folder: Path) -> Path:
    (folder / "conf").mkdir(parents=True)
    (folder / "dvc.yaml").touch()
    return folder


def test_the_root_is_found_from_below_and_not_from_outside(tmp_path: Path) -> None:
    root = make_project(tmp_path / "with a space")
    (root / "notebooks").mkdir()
    assert project_root(root / "notebooks") == root
    with pytest.raises(UserError, match="not inside a softalign project"):
        project_root(tmp_path)


def test_a_copy_made_by_dvc_shares_the_store_of_its_project(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    copy = make_project(root / ".dvc" / "tmp" / "exps" / "standalone" / "tmpabc")
    assert Layout(copy).store == root
    assert Layout(root).store == root


def test_a_run_by_hand_leaves_the_folder_of_dvc_alone(tmp_path: Path) -> None:
    by_dvc = Layout(tmp_path).run("translation", "vanilla", 1)
    by_hand = Layout(tmp_path, by_hand="translation-vanilla-1-abc").run("translation", "vanilla", 1)
    assert by_dvc == tmp_path / "runs" / "translation" / "vanilla" / "1"
    assert by_hand == tmp_path / "outputs" / "translation-vanilla-1-abc"
