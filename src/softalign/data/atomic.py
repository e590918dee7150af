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

    After an error the temporary folder is removed and `target` is as it was. Everything is on the disk (fsync) before
    the swap. Raises `UserError` when the disk is full.
    """
    folder = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        yield folder
        for path in sorted(folder.rglob("*")):
            flush(path)
        folder.chmod(0o755)  # mkdtemp makes a folder that only its owner can read
        _swap(folder, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(str(target)) from error
        raise
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def replace_text(target: Path, text: str) -> None:
    """Write `text` to `target` in one step: a reader sees the old file or the new one, never a part."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        os.replace(temporary, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(str(target)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def disk_full(where: str) -> UserError:
    return UserError("no space left on disk", where, "free some space and run the same command again")


def flush(path: Path) -> None:
    """fsync a file, or a folder's list of names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(folder: Path, target: Path) -> None:
    """os.replace cannot replace a folder that has content: the old one steps aside first, and comes back on failure."""
    flush(folder)
    if not target.exists():
        os.replace(folder, target)
    else:
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        os.replace(target, aside / "old")
        try:
            os.replace(folder, target)
        except OSError:
            os.replace(aside / "old", target)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    flush(target.parent)
