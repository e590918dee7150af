"""The loss over time: what is recorded of it, and whether it has flattened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from softalign.training.checkpointing import LAST
from softalign.training.failure import DivergedError, Failure
from softalign.training.history import EPOCH_COLUMNS, STEP_COLUMNS, write_table
from softalign.training.meter import CostMeter
from softalign.training.module import Seq2SeqModule

FLAT = math.log(1.01)  # nats per token: 1 % of perplexity


def late_gain(validation_losses: Sequence[float]) -> float:
    """How far the lowest validation loss (nats per token) still fell over the last quarter of the epochs.

    With E epochs and a last quarter of q = max(1, round(E / 4)) epochs: min L_1..L_{E-q} - min L_1..L_E. Infinite
    for a single epoch.
    """
    quarter = max(1, round(len(validation_losses) / 4))
    before = validation_losses[:-quarter]
    return min(before) - min(validation_losses) if before else math.inf


def flattened(validation_losses: Sequence[float]) -> bool:
    """Whether the curve is flat at its end: the last quarter of the epochs took less than 1 % off the perplexity.

    A curve that has turned upwards is flat in this sense: more epochs of the same kind promise nothing. Under the
    cosine schedule the rate falls towards zero, so that flat says that this budget is used up, not that no longer
    one could do better; a stop by patience is the stronger sign.
    """
    return late_gain(validation_losses) < FLAT


class Curve(pl.Callback):
    """Keeps the loss of steps and epochs, as part of the checkpoint, and writes them as CSV at each epoch's end.

    An epoch's train_loss is the mean over its target tokens of the loss that was minimised (dropout on, label
    smoothing included, weights changing meanwhile). A row of steps.csv is the mean over the steps since the last
    row. `seconds` is the time in training steps since the start.

    Raises `DivergedError` at the step whose loss or gradient norm (`Seq2SeqModule.gradient_norm`) is not finite, and at
    the end of the epoch whose validation loss is not.
    """

    def __init__(self, folder: Path, meter: CostMeter, every_n_steps: int, label: str) -> None:
        self.folder = folder
        self.meter = meter
        self.every_n_steps = every_n_steps
        self.label = label
        self.epochs: list[dict[str, float]] = []
        self.steps: list[dict[str, float]] = []
        self._recent: list[float] = []  # losses since the last row of `steps`
        self._loss_sum, self._tokens = 0.0, 0  # of the epoch

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._recent, self._loss_sum, self._tokens = [], 0.0, 0

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any) -> None:
        loss, norm = float(outputs["loss"]), _gradient_norm(pl_module)  # CostMeter has waited for the device
        if not math.isfinite(loss):
            raise self._diverged("training loss", loss, norm, trainer)
        if not math.isfinite(norm):
            raise self._diverged("gradient norm", loss, norm, trainer)
        self._recent.append(loss)
        self._loss_sum += loss * outputs["tokens"]
        self._tokens += outputs["tokens"]
        if trainer.global_step % self.every_n_steps == 0 or trainer.is_last_batch:
            self.steps.append({"step": trainer.global_step, "train_loss": sum(self._recent) / len(self._recent)})
            self._recent = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loss = float(trainer.callback_metrics["validation_loss"])
        if not math.isfinite(loss):
            raise self._diverged("validation loss", loss, _gradient_norm(pl_module), trainer)
        self.epochs.append(
            {
                "epoch": trainer.current_epoch + 1,
                "step": trainer.global_step,
                "train_loss": self._loss_sum / self._tokens,
                "validation_loss": loss,
                "validation_perplexity": perplexity(loss),
                "lr": trainer.optimizers[0].param_groups[0]["lr"],
                "seconds": self.meter.train_seconds,
            }
        )
        write_table(self.folder / "history.csv", EPOCH_COLUMNS, self.epochs)
        write_table(self.folder / "steps.csv", STEP_COLUMNS, self.steps)

    @property
    def validation_losses(self) -> list[float]:
        return [row["validation_loss"] for row in self.epochs]

    @property
    def best(self) -> dict[str, float]:
        """The epoch with the lowest validation loss; the first of equals, as the checkpoint has it."""
        return min(self.epochs, key=lambda row: row["validation_loss"])

    def _diverged(self, quantity: str, loss: float, norm: float, trainer: pl.Trainer) -> DivergedError:
        last = self.folder / LAST
        checkpoint = str(last) if last.exists() else None
        epoch = trainer.current_epoch + 1
        return DivergedError(self.label, Failure(quantity, trainer.global_step, epoch, loss, norm, checkpoint))

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": list(self.epochs), "steps": list(self.steps)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs, self.steps = list(state_dict["epochs"]), list(state_dict["steps"])


def _gradient_norm(module: pl.LightningModule) -> float:
    assert isinstance(module, Seq2SeqModule)
    return float(module.gradient_norm)


def perplexity(loss: float) -> float:
    """exp(loss), infinite rather than an error where that is too large for a float."""
    return math.exp(loss) if loss < 700 else math.inf
