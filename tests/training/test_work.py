from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from softalign.config import Config
from softalign.training.identity import identify
from softalign.training.work import FILES, publish, work_folder


def test_the_folder_is_found_again_by_the_same_training(
    prepared: Path, tmp_path: Path, configured: Callable[..., Config]
) -> None:
    with work_folder(tmp_path, identify(configured(), prepared)) as first:
        (first / "last.ckpt").write_text("epoch 3")
    with work_folder(tmp_path, identify(configured(), prepared)) as again:
        assert (again / "last.ckpt").read_text() == "epoch 3"
    with work_folder(tmp_path, identify(configured(seed=2), prepared)) as other:
        assert other != first


def test_a_second_process_waits(prepared: Path, tmp_path: Path, configured: Callable[..., Config]) -> None:
    identity = identify(configured(), prepared)
    order: list[str] = []
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with work_folder(tmp_path, identity) as folder:
            assert folder.exists() and not list(folder.iterdir())
            order.append("second")

    with work_folder(tmp_path, identity) as work:
        waiting = threading.Thread(target=second)
        waiting.start()
        entered.wait()
        for name in FILES:
            (work / name).write_text(name)
        publish(work, tmp_path / "train")
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_publishing_replaces_the_old_files_and_removes_the_work_folder(tmp_path: Path) -> None:
    work, output = tmp_path / "work", tmp_path / "runs" / "train"
    work.mkdir()
    output.mkdir(parents=True)
    (output / "of_before").write_text("old")
    for name in FILES:
        (work / name).write_text(name)
    publish(work, output)
    assert {path.name for path in output.iterdir()} == set(FILES)
    assert not work.exists()
    assert [path.name for path in output.parent.iterdir()] == ["train"]


def test_an_unfinished_training_is_not_published(tmp_path: Path) -> None:
    work, output = tmp_path / "work", tmp_path / "runs" / "train"
    work.mkdir()
    output.mkdir(parents=True)
    (output / "best.ckpt").write_text("old")
    (work / "best.ckpt").write_text("new")
    with pytest.raises(FileNotFoundError):
        publish(work, output)
    assert (output / "best.ckpt").read_text() == "old"
    assert work.exists()
