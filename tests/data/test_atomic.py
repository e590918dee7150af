from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from softalign.data.atomic import replace_bytes, replace_text, replacing
from softalign.errors import UserError


def write(folder, text):
    (folder / "file").write_text(text)


def test_the_new_folder_takes_the_place_of_the_old_one(tmp_path):
    target = tmp_path / "deep" / "out"
    for text in ("one", "two"):
        with replacing(target) as folder:
            write(folder, text)
            (folder / text).touch()
    assert sorted(path.name for path in target.iterdir()) == ["file", "two"]
    assert (target / "file").read_text() == "two"
    assert os.listdir(target.parent) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_folder_is_as_it_was(tmp_path, error):
    target = tmp_path / "out"
    with replacing(target) as folder:
        write(folder, "old")
    with pytest.raises(error), replacing(target) as folder:
        write(folder, "new")
        raise error
    assert (target / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_a_users_error_and_leaves_the_old_folder(tmp_path):
    target = tmp_path / "out"
    with replacing(target) as folder:
        write(folder, "old")
    with pytest.raises(UserError, match="no space left on disk.*out.*free some space"), replacing(target) as folder:
        (folder / "file").symlink_to("/dev/full")
        write(folder, "new")
    assert (target / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from softalign.data.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'file').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", code, str(target)])
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists() and len(os.listdir(tmp_path)) == 1
    with replacing(target) as folder:
        write(folder, "whole")
    assert os.listdir(tmp_path) == ["out"]


def test_a_process_killed_amid_the_swap_loses_nothing(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    old = tmp_path / f".out.{gone.pid}.old"
    old.mkdir()
    write(old, "old")
    with pytest.raises(ValueError), replacing(tmp_path / "out"):
        raise ValueError
    assert (tmp_path / "out" / "file").read_text() == "old"


def test_replace_text(tmp_path):
    target = tmp_path / "deep" / "file"
    replace_text(target, "ä\n")
    replace_text(target, "ö\n")
    assert target.read_bytes() == "ö\n".encode()
    assert target.stat().st_mode & 0o777 == 0o644
    assert os.listdir(target.parent) == ["file"]


@pytest.mark.parametrize(("number", "raised"), [(errno.ENOSPC, UserError), (errno.EIO, OSError)])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, number, raised):
    replace_bytes(tmp_path / "file", b"old")

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(raised, match="(?i)no space|input/output"):
        replace_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
