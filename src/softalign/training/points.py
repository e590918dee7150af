"""The values of metrics as a tracker takes them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

EPOCH_METRICS = ("train_loss", "validation_loss", "validation_perplexity", "lr")
STEP_METRIC = "step_train_loss"


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    key: str
    value: float
    step: int
    time: float = field(default_factory=time.time)  # seconds since 1970


def epoch_points(row: dict[str, float], when: float) -> list[Point]:
    """The points of a row of history.csv, at the training step where the epoch ended."""
    step = int(row["step"])
    values = [(key, row[key]) for key in EPOCH_METRICS] + [("epoch", row["epoch"])]
    return [Point(key, value, step, when) for key, value in values]


def step_point(row: dict[str, float], when: float) -> Point:
    """The point of a row of steps.csv."""
    return Point(STEP_METRIC, row["train_loss"], int(row["step"]), when)
