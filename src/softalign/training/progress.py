"""What a person sees while a model trains: a bar in a terminal, a line an epoch everywhere else."""

from __future__ import annotations

import os
import sys

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from softalign.training.curve import Curve


class EpochLines(Checkpoint):
    """Prints a line after each epoch.

    Lightning calls what derives from `Checkpoint` last, in the order given: after the checkpoints, so that an epoch
    that has been reported is an epoch that is safe.
    """

    def __init__(self, curve: Curve, label: str) -> None:
        self.curve = curve
        self.label = label

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        row = self.curve.epochs[-1]
        width = len(str(trainer.max_epochs))
        print(
            f"{self.label}: epoch {row['epoch']:{width}.0f}/{trainer.max_epochs}  train loss {row['train_loss']:.3f}"
            f"  validation loss {row['validation_loss']:.3f}  perplexity {row['validation_perplexity']:.2f}"
            f"  {row['seconds']:.1f} s",
            flush=True,
        )


def progress_callbacks(progress: str, curve: Curve, label: str) -> list[pl.Callback]:
    """The callbacks for `trainer.progress`: auto, rich, plain or none."""
    chosen = suited_progress() if progress == "auto" else progress
    if chosen == "none":
        return []
    lines: list[pl.Callback] = [EpochLines(curve, label)]
    if chosen == "rich":
        from pytorch_lightning.callbacks import RichProgressBar

        return [RichProgressBar(leave=False), *lines]
    return lines


def suited_progress() -> str:
    """A bar where someone watches a terminal; lines in CI, in a notebook, in a file."""
    watched = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
    return "rich" if watched else "plain"
