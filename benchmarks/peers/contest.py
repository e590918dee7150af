"""The sides taking turns: every command goes to one after the other, and nothing else runs meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.peers.worker import Worker
from softalign.errors import UserError

OURS = "softalign"


@dataclass(frozen=True)
class Contender:
    """A side that can be started."""

    title: str
    command: tuple[str, ...]  # but for the run's file, which comes after the module's name
    import_paths: tuple[Path, ...]
    settings: tuple[str, ...] = ()  # what follows the run's file

    def start(self, root: Path, run: Path, logs: Path) -> Worker:
        print(f"starting {self.title}", file=sys.stderr, flush=True)
        log = logs / f"{self.title.replace(' ', '-')}.log"
        return Worker(self.title, [*self.command, str(run), *self.settings], root, self.import_paths, log)


@dataclass
class Contest:
    """The sides that run. One that fails is left out from then on, with its line in `failures`."""

    contenders: Sequence[Contender]
    root: Path
    run: Path
    logs: Path
    failures: list[str]
    workers: dict[str, Worker] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Contest:
        for contender in self.contenders:
            with self._surviving(contender.title):
                worker = contender.start(self.root, self.run, self.logs)
                self.workers[contender.title] = self._open.enter_context(worker)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def ask(self, **command: Any) -> dict[str, dict[str, Any]]:
        """The answers of all sides, one after the other."""
        answers = {}
        for title, worker in list(self.workers.items()):
            with self._surviving(title):
                answers[title] = worker.ask(**command)
                print(f"  {title}: {answers[title]}", file=sys.stderr, flush=True)
        return answers

    def rounds(self, count: int, value: Callable[[dict[str, Any]], float], **command: Any) -> dict[str, list[float]]:
        """A value each round, of the sides that got to the end; a round before them warms up."""
        seen: dict[str, list[float]] = {title: [] for title in self.workers}
        for turn in range(count + 1):
            print(f"{command}: " + (f"round {turn} of {count}" if turn else "warming up"), file=sys.stderr, flush=True)
            for title, answer in self.ask(**command).items():
                with self._surviving(title):
                    seen[title].append(value(answer))
        return {title: values[1:] for title, values in seen.items() if title in self.workers}

    def _surviving(self, title: str) -> _Surviving:
        return _Surviving(self, title)


@dataclass(frozen=True)
class _Surviving:
    """Notes a side's failure and goes on without it. softalign's own is not survived: nothing would be compared."""

    contest: Contest
    title: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if not isinstance(error, UserError) or self.title == OURS:
            return False
        self.contest.workers.pop(self.title, None)
        note_failure(self.contest.failures, error)
        return True


def note_failure(failures: list[str], error: UserError) -> None:
    failures.append(str(error))
    print(f"error: {error}; going on without it", file=sys.stderr, flush=True)
