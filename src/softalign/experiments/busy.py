"""Whether a stage of another DVC command is running in the project."""

from __future__ import annotations

import json
import os

from softalign.errors import UserError
from softalign.paths import Layout


def check_idle(layout: Layout) -> None:
    """Raise `UserError` where one is.

    DVC refuses a second command too, but `dvc exp run -S` has then written params.yaml, and the command that is running
    would go on to report on what that says.
    """
    try:
        locks = json.loads((layout.root / ".dvc" / "tmp" / "rwlock").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    readers = [owner for owners in locks.get("read", {}).values() for owner in owners]
    for owner in [*locks.get("write", {}).values(), *readers]:
        if owner and _is_alive(owner["pid"]):
            raise UserError(
                f"a stage of another command is running (process {owner['pid']}: {owner['cmd']})",
                str(layout.root),
                "wait for its end, or put this one into DVC's queue with --queue",
            )


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
