"""Outputs that exist whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softalign.errors import UserError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place once the block has ended without an error.

    After an error the temporary folder is removed and `target` is as it was; what a killed process has left is
    removed by the next one. Everything is on the disk (fsync) before the swap.
    Raises `UserError` when the disk is full.
    """
    folder = target.parent / f".{target.name}.{os.getpid()}.partial"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_what_was_killed(target)
        folder.mkdir()
        yield folder
        for path in sorted(folder.rglob("*")):
            _flush(path)
        _swap(folder, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(str(target)) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace_text(target: Path, text: str) -> None:
    """`replace_bytes` with `text` in UTF-8."""
    replace_bytes(target, text.encode())


def replace_bytes(target: Path, content: bytes) -> None:
    """Write `content` to `target` in one step: a reader sees the old file or the new one, never a part.

    What a killed process leaves beside it matches `.*.partial`. Raises `UserError` when the disk is full.
    """
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes a file that only its owner can read
        os.replace(temporary, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(str(target)) from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def disk_full(where: str) -> UserError:
    return UserError("no space left on disk", where, "free some space and run the same command again")


def _swap(folder: Path, target: Path) -> None:
    """os.replace cannot replace a folder that has content: the old one steps aside first, and comes back on failure."""
    _flush(folder)
    aside = target.parent / f".{target.name}.{os.getpid()}.old"
    if target.exists():
        os.replace(target, aside)
    try:
        os.replace(folder, target)
    except OSError:
        if aside.exists():
            os.replace(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    _flush(target.parent)


def _clear_what_was_killed(target: Path) -> None:
    """Remove the temporary folders of processes that are gone; one killed amid the swap gets its old output back."""
    for path in target.parent.glob(f".{target.name}.*.*"):
        _, number, kind = path.name.removeprefix(f".{target.name}").split(".", 2)
        if not number.isdigit() or kind not in ("partial", "old") or _is_alive(int(number)):
            continue
        if kind == "old" and not target.exists():
            os.replace(path, target)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def _flush(path: Path) -> None:
    """fsync a file, or a folder's list of names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
