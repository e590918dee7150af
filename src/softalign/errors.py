"""The one kind of error that a user's input can cause, and how a stage reports it."""

from __future__ import annotations

import difflib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

INACCESSIBLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR}


class UserError(Exception):
    """Something outside the program is wrong: one line that says what, where and what to do."""

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        parts = [what + (f" ({where})" if where else ""), remedy]
        super().__init__(": ".join(" ".join(part.split()) for part in parts if part))


def unknown(kind: str, name: str, where: str, known: Sequence[str]) -> UserError:
    """The refusal of a name that is none of the `known` ones, with the one that it resembles."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return UserError(f"unknown {kind} {name!r}", where, f"{hint}known: {', '.join(known) or 'none'}")


def unknown_choice(group: str, name: str, known: Sequence[str]) -> UserError:
    """The refusal of a file that a group of conf/ lacks."""
    return unknown(group, name, f"conf/{group}", known)


@contextmanager
def reported() -> Iterator[None]:
    """Turn a `UserError`, or a place that cannot be read or written, into one line on stderr and exit status 1.

    `SOFTALIGN_TRACEBACK=1` keeps the traceback, for whoever debugs softalign itself.
    """
    try:
        yield
    except (UserError, OSError) as error:
        if os.environ.get("SOFTALIGN_TRACEBACK") == "1":
            raise
        if isinstance(error, UserError):
            line = str(error)
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = error.filename or "while writing"
            line = f"no space left on disk ({where}): free some space and run the same command again"
        elif error.errno in INACCESSIBLE:
            where = f" ({error.filename})" if error.filename else ""  # pyarrow's errors name the file in their text
            line = f"{error.strerror}{where}: check its permissions, or move what is in the way"
        else:
            raise
        print(f"error: {line}", file=sys.stderr)
        raise SystemExit(1) from None
