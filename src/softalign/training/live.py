"""Metrics on their way to MLflow while a model trains."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from softalign.training.curve import Curve
from softalign.training.failure import DivergedError
from softalign.training.points import Point, epoch_points, step_point


class Tracker(Protocol):
    """Whoever takes metrics during a training; `log` neither raises nor blocks for long."""

    def log(self, points: Iterable[Point]) -> None: ...


class LiveTracking(Checkpoint):
    """Hands the rows of `Curve` on at each epoch's end, and within long epochs every few seconds.

    A `Checkpoint` only because Lightning calls those last: no server keeps a checkpoint waiting.
    """

    SECONDS = 10.0

    def __init__(self, tracker: Tracker, curve: Curve) -> None:
        self.tracker = tracker
        self.curve = curve
        self._sent = 0  # rows of curve.steps
        self._last = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._sent = len(self.curve.steps)  # of a resumed training: logged before, or filled in from the files
        self._last = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object) -> None:
        if time.monotonic() - self._last > self.SECONDS:
            self._send([])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._send(epoch_points(self.curve.epochs[-1], time.time()))

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, DivergedError):  # how the loss went up to there is what one wants to see
            self._send([])

    def _send(self, points: list[Point]) -> None:
        new, self._sent = self.curve.steps[self._sent :], len(self.curve.steps)
        self.tracker.log([*(step_point(row, time.time()) for row in new), *points])
        self._last = time.monotonic()
