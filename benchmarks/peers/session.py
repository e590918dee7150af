"""The worker's end: a training that stands still between commands, so that the sides can take turns.

A command is a line of JSON on stdin, its answer a line of JSON on stdout; what a toolkit itself prints goes to stderr.

{"train": steps}                              -> seconds, target_tokens, sentences
{"until": loss, "every": steps, "limit": s}   -> seconds, steps, loss: whichever comes first, the loss or the limit
{"decode": beam size}                         -> seconds, sentences, shortest, longest (tokens of the outputs)
{"peak": true}                                -> mib: the highest resident memory of the process so far

Seconds are those of training steps, batches made and weights updated, or of decoding; no start-up and no validation.
Runs in the environments of the peers: only the standard library, torch, and of softalign `training/cost.py`, which
imports nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

import torch

from softalign.training.cost import peak_memory_mb

B = TypeVar("B")


@dataclass(frozen=True)
class Run:
    """run.json, in the folder of the data: what all sides have in common."""

    folder: Path  # train, validation and decode as `data.py` writes them
    seed: int
    threads: int
    length: int  # tokens that every decoded sentence gets
    decoding_batch: int  # sentences
    overrides: list[str]  # the composed configuration, for softalign

    @classmethod
    def read(cls, path: Path) -> Run:
        return cls(**json.loads(path.read_text(encoding="utf-8")) | {"folder": path.parent})


class Side(Protocol):
    """What a toolkit does beside training."""

    def decode(self, beam_size: int) -> Sequence[Sequence[object]]:
        """The tokens of each output for the sentences of decode.source."""
        ...

    def validation_loss(self) -> float:
        """Mean negative log-likelihood of a target token, in nats, end of sentence counted, without dropout."""
        ...


class Session:
    """Counts steps, stops the clock and answers commands where the training would go on to the next batch."""

    def __init__(self, name: str, distribution: str, run: Run) -> None:
        self._name, self._version = name, version(distribution)
        self._commands = sys.stdin
        self._answers = _reserve_stdout()
        torch.set_num_threads(run.threads)
        torch.set_flush_denormal(True)  # for every side: shrinking states reach numbers that a CPU is slow with
        torch.manual_seed(run.seed)
        self._side: Side | None = None
        self._goal: dict[str, Any] = {}
        self._every = 1  # steps after which to see whether the goal is reached
        self._seconds, self._started = 0.0, 0.0
        self._steps, self._tokens, self._sentences = 0, 0, 0

    def begin(self, side: Side, parameters: int) -> None:
        """All is built: wait for the first command."""
        self._side = side
        self._answer({"name": self._name, "version": self._version, "parameters": parameters})
        self._wait()

    def watched(self, batches: Iterable[B], sizes: Callable[[B], tuple[int, int]]) -> Iterator[B]:
        """The same batches. When the next one is asked for, the step on the last one has ended."""
        for batch in batches:
            yield batch
            self.step_ended(*sizes(batch))

    def step_ended(self, target_tokens: int, sentences: int) -> None:
        self._steps += 1
        self._tokens += target_tokens
        self._sentences += sentences
        if self._steps % self._every:
            return
        self._seconds += time.perf_counter() - self._started
        reached = self._reached()
        if reached is not None:
            self._answer(reached)
            self._wait()
        self._started = time.perf_counter()

    def _reached(self) -> dict[str, Any] | None:
        """The answer to the training command, if it is done."""
        if "train" in self._goal:
            return {"seconds": self._seconds, "target_tokens": self._tokens, "sentences": self._sentences}
        assert self._side is not None
        loss = self._side.validation_loss()
        print(f"after {self._steps} steps and {self._seconds:.1f} s: validation loss {loss:.4f}", file=sys.stderr)
        if loss > self._goal["until"] and self._seconds < self._goal["limit"]:
            return None
        return {"seconds": self._seconds, "steps": self._steps, "loss": loss}

    def _wait(self) -> None:
        """Answer commands up to the next one that trains. When there is none left, the process ends."""
        assert self._side is not None
        for line in self._commands:
            command = json.loads(line)
            if "decode" in command:
                self._answer(self._decoded(command["decode"]))
            elif "peak" in command:
                self._answer({"mib": peak_memory_mb()})
            else:
                self._goal = command
                self._every = command["train"] if "train" in command else command["every"]
                self._seconds, self._steps, self._tokens, self._sentences = 0.0, 0, 0, 0
                self._started = time.perf_counter()
                return
        sys.stderr.flush()
        os._exit(0)  # the toolkits' own ways out write checkpoints and reports

    def _decoded(self, beam_size: int) -> dict[str, Any]:
        assert self._side is not None
        start = time.perf_counter()
        outputs = self._side.decode(beam_size)
        seconds = time.perf_counter() - start
        lengths = [len(output) for output in outputs]
        return {"seconds": seconds, "sentences": len(outputs), "shortest": min(lengths), "longest": max(lengths)}

    def _answer(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()


def _reserve_stdout() -> IO[str]:
    """stdout for the answers alone: everything else that is printed goes to stderr from now on."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers
