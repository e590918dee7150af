"""An experiment, interrupted: it ends with the stage that Ctrl-C has reached."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

MARK = "SOFTALIGN_INTERRUPTED"  # names a file that is there once Ctrl-C was pressed
INTERRUPTED = 128 + signal.SIGINT  # a shell's exit status


def call_interruptibly(call: Callable[[Mapping[str, str]], int], environment: Mapping[str, str]) -> int:
    """Let `call` run commands of DVC in the environment that it is given; their exit status.

    Ctrl-C reaches DVC and its stage, too. But while a stage runs DVC does not listen, with --keep-going it takes one
    that stops for one that fails and starts the next, and ended from outside it leaves git without a branch. So the
    stages that it still starts end at once: `end_if_interrupted`.
    """
    with tempfile.TemporaryDirectory(prefix="softalign-") as folder:
        mark = Path(folder) / "interrupted"
        before = signal.signal(signal.SIGINT, lambda *_: mark.touch())
        try:
            status = call({**environment, MARK: str(mark)})
        finally:
            signal.signal(signal.SIGINT, before)
        return INTERRUPTED if mark.exists() else status


def interrupted(environment: Mapping[str, str]) -> bool:
    """Whether Ctrl-C was pressed, by the environment that `call_interruptibly` gives."""
    return MARK in environment and Path(environment[MARK]).exists()


def end_if_interrupted() -> None:
    """Called where a stage starts."""
    if interrupted(os.environ):
        raise SystemExit(INTERRUPTED)
