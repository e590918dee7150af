"""What a training costs, measured while it runs."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch


@dataclass(frozen=True)
class Cost:
    """cost.json: what training one arm cost, and how it went. Seconds of an interrupted training add up."""

    n_parameters: int  # shared ones once
    train_seconds: float  # in training steps: forward, backward, update; neither validation nor checkpoints
    wall_seconds: float  # all of it, from the first epoch's start to the last one's end
    train_tokens_per_second: float  # target tokens (end of sentence counted, padding not) over train_seconds
    peak_memory_mb: float  # highest resident memory of the process, imports and data included
    peak_accelerator_memory_mb: float | None  # highest memory that torch allocated on a GPU; None on the CPU
    epochs: int
    steps: int
    best_epoch: int  # from 1
    seconds_to_best: float  # train_seconds up to the end of the best epoch
    stopped_early: bool  # by patience, before max_epochs
    flattened: bool  # see curve.flattened
    late_gain: float  # see curve.late_gain
    finished_at: float  # seconds since 1970


class CostMeter(pl.Callback):
    """Adds up time and tokens; the sums are part of the checkpoint, so that they survive an interruption.

    It must stand first among the callbacks: what the others do after a step is then not part of it.
    """

    def __init__(self) -> None:
        self.train_seconds = 0.0
        self.wall_seconds = 0.0
        self.tokens = 0
        self.peak_memory_mb = 0.0
        self._step_start = 0.0
        self._wall_start = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._wall_start = time.perf_counter()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        self._step_start = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any) -> None:
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)  # the step ends when the device has done it
        self.train_seconds += time.perf_counter() - self._step_start
        self.tokens += outputs["tokens"]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now = time.perf_counter()
        self.wall_seconds += now - self._wall_start
        self._wall_start = now
        self.peak_memory_mb = max(self.peak_memory_mb, peak_memory_mb())

    def state_dict(self) -> dict[str, Any]:
        names = ("train_seconds", "wall_seconds", "tokens", "peak_memory_mb")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)


def peak_memory_mb() -> float:
    """The highest resident memory of this process so far, in MiB."""
    import resource  # of Unix only

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def peak_accelerator_memory_mb(device: torch.device) -> float | None:
    """The highest memory that torch has allocated on a GPU, in MiB; None for the CPU."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None
