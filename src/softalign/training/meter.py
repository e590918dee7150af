"""What a training costs, measured while it runs."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl

from softalign.hardware.cores import jobs_at_a_time, usable_cores
from softalign.hardware.device import wait_for
from softalign.training.cost import peak_memory_mb


class CostMeter(pl.Callback):
    """Adds up time and tokens; the sums are part of the checkpoint, so that they survive an interruption.

    It must stand first among the callbacks: what the others do after a step is then not part of it.
    """

    def __init__(self) -> None:
        self.train_seconds = 0.0
        self.wall_seconds = 0.0
        self.cpu_seconds = 0.0
        self.cores = len(usable_cores())
        self.jobs = jobs_at_a_time()
        self.tokens = 0
        self.peak_memory_mb = 0.0
        self._step_start = 0.0
        self._wall_start = self._cpu_start = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._wall_start, self._cpu_start = time.perf_counter(), time.process_time()
        self.cores = min(self.cores, len(usable_cores()))
        self.jobs = max(self.jobs, jobs_at_a_time())

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        self._step_start = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any) -> None:
        wait_for(pl_module.device)  # the step ends when the device has done it
        self.train_seconds += time.perf_counter() - self._step_start
        self.tokens += outputs["tokens"]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now, cpu = time.perf_counter(), time.process_time()
        self.wall_seconds += now - self._wall_start
        self.cpu_seconds += cpu - self._cpu_start
        self._wall_start, self._cpu_start = now, cpu
        self.peak_memory_mb = max(self.peak_memory_mb, peak_memory_mb())

    def state_dict(self) -> dict[str, Any]:
        names = ("train_seconds", "wall_seconds", "cpu_seconds", "cores", "jobs", "tokens", "peak_memory_mb")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)
