"""Training: steps of softalign and of plain PyTorch on the same batches and sizes, and what they need."""

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
from softalign.hardware.device import wait_for
from softalign.hardware.memory import steady_memory
from softalign.models.capture import CapturedUnroll
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
    """What takes part: how it computes the loss, where, in which numbers, and torch's threads for it."""

    name: str
    loss: Callable[[Seq2Seq, float], Loss]
    threads: int = 1
    precision: str = "fp32"
    device: str = "cpu"
    captured: bool = False  # the decoder's loop as CUDA graphs

    def trainer(self, work: Workload) -> Step:
        """Forward, backward, clipping and Adam on one batch."""
        model = work.model().to(self.device)
        if self.captured and CapturedUnroll.suits(model.decoder.fusion):
            model.decoder.captured = CapturedUnroll(model.decoder.fusion)
        loss = self.loss(model, work.config.model.dropout)
        optimizer = torch.optim.AdamW(model.parameters(), lr=work.config.optimization.lr, fused=True)

        def step(batch: Batch) -> None:
            optimizer.zero_grad()
            with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
                objective = loss(batch)
            (objective / batch.n_target_tokens).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), work.config.optimization.clip_norm)
            optimizer.step()

        return step

    def pass_over(self, step: Step, batches: Sequence[Batch]) -> float:
        """The seconds that a step on each batch takes."""
        wait_for(torch.device(self.device))
        start = time.perf_counter()
        for batch in batches:
            step(batch.to(self.device))
        wait_for(torch.device(self.device))
        return time.perf_counter() - start


def products_per_token(work: Workload) -> float:
    """Floating-point operations in matrix products, forward and backward, that plain PyTorch does a target token."""
    step = Side("plain", plain_loss).trainer(work)
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
    steady_memory()
    step = side.trainer(work)
    for batch in sorted(work.batches, key=lambda batch: -batch.source.numel() - batch.target_in.numel()):
        step(batch)
    sender.send(peak_memory_mb())
