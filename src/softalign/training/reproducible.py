"""Two trainings with the same seed on the same machine give the same weights, interrupted or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytorch_lightning as pl
import torch

from softalign.hardware.denormals import without_denormals


@contextmanager
def deterministic() -> Iterator[None]:
    """Deterministic algorithms within the block, and arithmetic without denormals, which are slow on a CPU."""
    algorithms = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
    torch.use_deterministic_algorithms(True, warn_only=True)  # a GPU lacks some; none that the models use on a CPU
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs time, no need
    try:
        with without_denormals():
            yield
    finally:
        torch.use_deterministic_algorithms(algorithms, warn_only=warn_only)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


class SeedEpochs(pl.Callback):
    """Seeds every generator anew at each epoch's start, from (seed, epoch).

    The random numbers of an epoch (dropout) then do not depend on what was drawn before it, so that a training that
    is resumed at an epoch's start draws the same ones as one that was never interrupted.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        (derived,) = np.random.SeedSequence([self.seed, trainer.current_epoch]).generate_state(1)
        pl.seed_everything(int(derived), verbose=False)
