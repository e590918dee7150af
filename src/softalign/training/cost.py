"""What a training cost: cost.json, and the memory of this process."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Cost:
    """cost.json: what training one arm cost, and how it went. Seconds of an interrupted training add up."""

    precision: str  # fp32 or bf16: what products were computed in
    n_parameters: int  # shared ones once
    train_seconds: float  # in training steps: forward, backward, update; neither validation nor checkpoints
    wall_seconds: float  # all of it, from the first epoch's start to the last one's end
    cpu_seconds: float  # of all threads of the process over the same time: what other programs do hardly changes it
    cores: int  # that it could use, the fewest: all of the machine, or less beside other trainings (run --jobs)
    jobs: int  # that many trainings and evaluations ran at a time, the most; 1 without --jobs
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


def peak_memory_mb() -> float:
    """The highest resident memory of this process so far, in MiB."""
    import resource  # of Unix only

    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` starts from what the process had before it ran this program
        peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 2**10
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def peak_accelerator_memory_mb(device: torch.device) -> float | None:
    """The highest memory that torch has allocated on a GPU, in MiB; None for the CPU."""
    import torch

    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None
