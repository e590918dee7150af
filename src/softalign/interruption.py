"""DVC, interrupted: it ends with the stage that Ctrl-C has reached."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

INTERRUPTED = 128 + signal.SIGINT  # a shell's exit status


def call_interruptibly(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
    """Run a command of DVC and return its exit status.

    Ctrl-C reaches DVC, its stage and this process. While a stage runs DVC does not listen, and with --keep-going it
    takes the stage that stops for one that fails and starts the next. So it is ended here, at a moment when it only
    waits (told by a signal later, it may be writing its locks, and leaves half of them), and the stage has its time.
    """
    stages: list[int] = []
    process = subprocess.Popen(command, cwd=cwd, env=environment)
    before = signal.signal(signal.SIGINT, lambda *_: stages.extend(_children(process.pid)))  # none: DVC has heard
    try:
        while True:
            try:
                status = process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                if stages:
                    process.kill()
            else:
                break
        while any(map(_runs, stages)):
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGINT, before)
    return INTERRUPTED if stages else status


def _children(pid: int) -> list[int]:
    rows = (line.split() for line in _ps("-A", "-o", "pid=,ppid=").splitlines())
    return [int(child) for child, parent in rows if parent == str(pid)]


def _runs(pid: int) -> bool:
    """Whether there is such a process, and not only its exit status."""
    state = _ps("-o", "stat=", "-p", str(pid)).strip()
    return bool(state) and not state.startswith("Z")


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
