"""Training: target tokens a second, softalign and plain PyTorch by turns on the same batches and sizes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain import PlainSeq2Seq
from benchmarks.workload import Workload
from softalign.data.batching import Batch
from softalign.denormals import without_denormals
from softalign.heap import keep_freed_memory
from softalign.models.seq2seq import Seq2Seq
from softalign.training.cost import peak_memory_mb

Step = Callable[[Batch], None]
Loss = Callable[[Batch], Tensor]


def softalign_loss(model: Seq2Seq, dropout: float) -> Loss:
    return lambda batch: model.loss(batch).objective


def plain_loss(model: Seq2Seq, dropout: float) -> Loss:
    return PlainSeq2Seq(model, dropout).loss


@dataclass(frozen=True)
class Side:
    """One of the two: how it computes the loss, and torch's threads for it."""

    loss: Callable[[Seq2Seq, float], Loss]
    threads: int

    def trainer(self, work: Workload) -> Step:
        """Forward, backward, clipping and Adam on one batch."""
        model = work.model()
        loss = self.loss(model, work.config.model.dropout)
        optimizer = torch.optim.AdamW(model.parameters(), lr=work.config.optimization.lr, fused=True)

        def step(batch: Batch) -> None:
            optimizer.zero_grad()
            (loss(batch) / batch.n_target_tokens).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), work.config.optimization.clip_norm)
            optimizer.step()

        return step


def tokens_per_second(work: Workload, sides: Sequence[Side], rounds: int) -> list[list[float]]:
    """Target tokens a second of each side, a value each round, by turns; a round before them warms up."""
    keep_freed_memory()
    steps = [(side.trainer(work), side.threads) for side in sides]
    seen: list[list[float]] = [[] for _ in sides]
    tokens = sum(batch.n_target_tokens for batch in work.batches)
    with without_denormals():
        for _ in range(rounds + 1):
            for values, (step, threads) in zip(seen, steps, strict=True):
                torch.set_num_threads(threads)
                start = time.perf_counter()
                for batch in work.batches:
                    step(batch)
                values.append(tokens / (time.perf_counter() - start))
    return [values[1:] for values in seen]


def products_per_token(work: Workload) -> float:
    """Floating-point operations in matrix products, forward and backward, that plain PyTorch does a target token."""
    step = Side(plain_loss, threads=1).trainer(work)
    with FlopCounterMode(display=False) as counter:
        for batch in work.batches:
            step(batch)
    return counter.get_total_flops() / sum(batch.n_target_tokens for batch in work.batches)


def peak_memory_of(work: Workload, side: Side) -> float:
    """Peak resident memory, in MiB, of a new process that trains on the batches, the largest first."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_train, args=(sender, work, side))
    process.start()
    sender.close()
    peak = float(receiver.recv())
    process.join()
    return peak


def _train(sender: Connection, work: Workload, side: Side) -> None:
    torch.set_num_threads(side.threads)
    keep_freed_memory()
    step = side.trainer(work)
    for batch in sorted(work.batches, key=lambda batch: -batch.source.numel() - batch.target_in.numel()):
        step(batch)
    sender.send(peak_memory_mb())
