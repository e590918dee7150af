"""Where a training lives until it is finished: a folder that survives an interruption, and the move to its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from softalign.data.atomic import replacing
from softalign.training.identity import CODE_FILE, Identity, code_digest, digest

FILES = ("best.ckpt", "last.ckpt", "config.yaml", "history.csv", "steps.csv", "cost.json", "run.json", CODE_FILE)


@contextmanager
def work_folder(store: Path, identity: Identity) -> Iterator[Path]:
    """The folder .softalign/work/<hash> of this training below `store`, locked for the block.

    The hash covers configuration, data, seed and code, so that nothing but this very training is resumed there. A
    second process with the same training waits until the first has ended.
    """
    name = digest([identity.fingerprint, code_digest()])
    folder = store / ".softalign" / "work" / name
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"{identity.label}: another process is training this; waiting for it", flush=True)
        lock.acquire()
    try:
        folder.mkdir(exist_ok=True)  # whoever held the lock may have removed it
        yield folder
    finally:
        lock.release()


def publish(work: Path, output: Path) -> None:
    """Put the files of a finished training into `output`, all at once, and remove the work folder."""
    with replacing(output) as folder:
        for name in FILES:
            shutil.copyfile(work / name, folder / name)
    shutil.rmtree(work)
