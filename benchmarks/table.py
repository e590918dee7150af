"""Cells of the tables, shared by the benchmarks."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def speed(values: Sequence[float]) -> str:
    """The median."""
    return f"{statistics.median(values):,.0f}"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Round by round: the median and, in brackets, the lowest and the highest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
