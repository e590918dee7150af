"""Sides that take turns on the same batches, each in a process of its own.

Within one process they would share torch's threads and the state that these are in: one side can make another slower.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from types import TracebackType

import torch

from benchmarks.training import Side
from benchmarks.workload import Workload
from softalign.hardware.denormals import without_denormals
from softalign.hardware.memory import steady_memory


class Turns:
    """The processes, which live until the `with` block ends; those that wait for their turn sleep."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self.sides = list(sides)
        self._connections: list[Connection] = []
        self._stack = ExitStack()

    def __enter__(self) -> Turns:
        context = multiprocessing.get_context("spawn")
        for side in self.sides:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, side), daemon=True)
            process.start()
            theirs.close()
            self._stack.callback(process.join)
            self._stack.callback(ours.close)  # first: it ends the process
            self._connections.append(ours)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tokens_per_second(self, work: Workload, rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
        """Target tokens a second of each side, a value a round; the rounds of `warm_up` come before them."""
        for connection in self._connections:
            connection.send(work)
        seen: dict[str, list[float]] = {side.name: [] for side in self.sides}
        tokens = sum(batch.n_target_tokens for batch in work.batches)
        for connection in self._connections:
            connection.recv()  # it is ready, and its threads are still
        for _ in range(warm_up + rounds):
            for side, connection in zip(self.sides, self._connections, strict=True):
                connection.send(None)
                seen[side.name].append(tokens / connection.recv())
        return {name: values[warm_up:] for name, values in seen.items()}


def _serve(connection: Connection, side: Side) -> None:
    """A `Workload` begins a training of it; None asks for a pass over its batches, and is answered with the seconds."""
    torch.set_num_threads(side.threads)
    steady_memory()
    turn: Callable[[], float] = float
    with without_denormals():
        while True:
            try:
                work = connection.recv()
            except EOFError:
                return
            if work is None:
                connection.send(turn())
            else:
                turn = float
                gc.collect()  # the model of before, whose graphs on a GPU are in cycles
                turn = partial(side.pass_over, side.trainer(work), work.batches)
                connection.send(0.0)
