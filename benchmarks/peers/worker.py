"""The driver's end: a side in a process of its own, asked in lines of JSON (see `session`)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from softalign.errors import UserError


class Worker:
    """A running side, started in `root`. Raises `UserError`, which names the log, when it dies."""

    def __init__(self, title: str, command: Sequence[str], root: Path, import_paths: Sequence[Path], log: Path) -> None:
        self.title = title
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=root,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, import_paths))},
                text=True,
            )
        try:
            self.about = self._answer()
        except UserError:
            self.close()
            raise

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        return self._answer()

    def close(self) -> None:
        """The worker ends when there are no more commands."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(timeout=20)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            answer = json.loads(line)
        except ValueError:
            raise self._died() from None
        assert isinstance(answer, dict)
        return answer

    def _died(self) -> UserError:
        return UserError(f"{self.title} stopped", str(self._log), "the log's end says why")
