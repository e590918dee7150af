"""What a target token costs, by the length of its source: time, and the memory of its activations in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CostAtLength:
    """What a target token costs in one bucket of source lengths."""

    low: int  # ends of the bucket, in words
    high: int
    source_words: float  # mean of the rows that were measured
    per_token: float


@dataclass(frozen=True)
class LengthCost:
    """A cost that scores.json tells for each bucket of source lengths."""

    entry: str  # of its part `cost`
    key: str  # of a bucket: for all its tokens
    unit: str  # in which it is shown
    per_unit: float  # how much of `key` is one of it
    name: str
    is_exact: bool = False  # counted and not measured: the same in every seed

    def by_length(self, scores: dict[str, Any]) -> list[CostAtLength]:
        """Of each bucket of a run's scores.json, shortest sources first."""
        return [
            CostAtLength(
                low=bucket["low"],
                high=bucket["high"],
                source_words=bucket["source_words"],
                per_token=bucket[self.key] / bucket["tokens"] / self.per_unit,
            )
            for bucket in scores["cost"][self.entry]
        ]


LENGTH_COSTS = (
    LengthCost("scoring_by_length", "seconds", "ms", 1e-3, "scoring"),
    LengthCost("decoding_by_length", "seconds", "ms", 1e-3, "decoding"),
    LengthCost("activations_by_length", "bytes", "kB", 1e3, "activation memory", is_exact=True),
)
