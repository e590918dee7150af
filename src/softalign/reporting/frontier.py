"""Which arm for whom: the arms that nothing beats at their price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """What an arm costs in one respect."""

    key: str  # of the run's cost
    label: str
    falls: bool = False  # more is cheaper, as of a speed


PRICES = (
    Price("cpu_seconds", "training, CPU seconds"),
    Price("n_parameters", "parameters"),
    Price("decode_sentences_per_second", "decoding, sentences/s", falls=True),
)


def frontier(arms: Sequence[tuple[str, float, float]], falls: bool = False) -> list[str]:
    """The Pareto-optimal ones of arms (name, price, quality), the cheapest first.

    An arm is left out where another has at most its price and at least its quality, and is better in one of the two.
    `falls`: of two prices the higher is the cheaper one.
    """
    sign = -1.0 if falls else 1.0
    chosen: list[tuple[str, float, float]] = []
    for name, price, quality in sorted(((n, sign * p, q) for n, p, q in arms), key=lambda arm: (arm[1], -arm[2])):
        if not chosen or quality > chosen[-1][2] or (price, quality) == chosen[-1][1:]:
            chosen.append((name, price, quality))
    return [name for name, _, _ in chosen]
