"""One file of digests in the place of many dependencies."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml
from project import copy_project, run

from softalign.errors import UserError
from softalign.stages.code import note

STAGES = {"code_of_it": {"deps": ["src/one.py", "src/more"], "outs": ["made/it.txt"]}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src/more/__pycache__").mkdir(parents=True)
    for name in ("one.py", "other.py", "more/b.py", "more/a.csv", "more/__pycache__/b.cpython-311.pyc"):
        (tmp_path / "src" / name).write_text(name)
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    return tmp_path


def noted(root: Path) -> str:
    note(root, "code_of_it")
    return (root / "made/it.txt").read_text()


def test_a_line_for_each_file_that_the_stage_names(root: Path) -> None:
    lines = [line.split("  ") for line in noted(root).splitlines()]
    assert [name for _, name in lines] == ["src/more/a.csv", "src/more/b.py", "src/one.py"]
    assert lines[1][0] == hashlib.sha256(b"more/b.py").hexdigest()


def test_it_changes_with_them_and_with_nothing_else(root: Path) -> None:
    before = noted(root)
    (root / "src/other.py").write_text("another")
    (root / "src/more/__pycache__/b.cpython-312.pyc.1234").write_text("being compiled")
    assert noted(root) == before
    (root / "src/more/c.py").write_text("new")
    assert noted(root) != before


def test_what_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(UserError, match="no stage 'train'.*dvc.yaml.*code_of_it"):
        note(root, "train")
    (root / "src/one.py").unlink()
    with pytest.raises(UserError, match=r"no such file or folder \(src/one.py\)"):
        note(root, "code_of_it")


def test_an_edit_reaches_what_runs_the_code_and_nothing_else(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "a project")
    files = [folder / ".softalign/code" / f"{stage}.txt" for stage in ("train", "evaluate")]

    def made() -> list[str]:
        for stage in ("train", "evaluate"):
            run(folder, "python", "-m", "softalign.stages.code", f"code_of_{stage}")
        return [file.read_text() for file in files]

    train, evaluate = made()
    with (folder / "src/softalign/decoding.py").open("a") as file:
        file.write("# another way to search\n")
    again = made()
    assert again[0] == train and again[1] != evaluate
    with (folder / "src/softalign/models/seq2seq.py").open("a") as file:
        file.write("# another model\n")
    assert not {*made()} & {*again}
