"""Cells of the tables, shared by the benchmarks."""

from __future__ import annotations

import argparse
import shlex
import statistics
from collections.abc import Sequence


def speed(values: Sequence[float]) -> str:
    """The median."""
    return f"{statistics.median(values):,.0f}"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Round by round: the median and, in brackets, the lowest and the highest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def shown(line: str) -> str:
    """The line, printed too: a benchmark takes minutes."""
    print(line, flush=True)
    return line


def command(module: str, given: argparse.Namespace, defaults: argparse.Namespace) -> str:
    """What was asked for, as a line to repeat it; where it was written to is left out."""
    options = {name: value for name, value in vars(given).items() if name not in ("overrides", "output")}
    asked = [f"--{name} {value}" for name, value in options.items() if value != getattr(defaults, name)]
    return " ".join(["python -m", module, *asked, *map(shlex.quote, given.overrides)])


def positive(text: str) -> int:
    """A number of at least one, for argparse, which makes one line of the error."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number
