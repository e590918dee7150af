"""What a cell ought to show, and whether it does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contradictions.numbers import NUMBER, shows, shows_p


@dataclass(frozen=True)
class P:
    """A p-value."""

    value: float | None


@dataclass(frozen=True)
class Lines:
    """A cell of several lines, each as it ought to be."""

    lines: Sequence[Cell]


@dataclass(frozen=True)
class Bought:
    """Arms with what they cost and score, in this order."""

    arms: Sequence[tuple[str, float, float]]


# A text; one number; several, in this order and without any other; of several that are not all known, a dash.
Cell = str | float | None | tuple[float | None, ...] | P | Lines | Bought


def agrees(cell: str, wanted: Cell) -> bool:
    """Whether a cell shows what it ought to."""
    if isinstance(wanted, str):
        return " ".join(cell.split()) == " ".join(wanted.split())
    if isinstance(wanted, P):
        return shows_p(cell, wanted.value)
    if isinstance(wanted, Lines):
        lines = cell.split("\n")
        return len(lines) == len(wanted.lines) and all(map(agrees, lines, wanted.lines))
    if isinstance(wanted, Bought):
        said = re.findall(rf"(\S+) \(({NUMBER}): ({NUMBER})\)", cell)
        return len(said) == len(wanted.arms) and all(
            arm == name and shows(price, paid) and shows(score, scored)
            for (arm, price, score), (name, paid, scored) in zip(said, wanted.arms, strict=True)
        )
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    if None in values:
        return cell == "–"
    said = re.findall(NUMBER, cell)
    return len(said) == len(values) and all(map(shows, said, values))


def wrong(columns: Sequence[str], row: Sequence[str], candidates: Sequence[Sequence[Cell]]) -> list[str]:
    """What is wrong with a row that ought to be one of these: nothing, or what keeps it from the nearest."""
    own = [cells for cells in candidates if len(cells) == len(row)]
    if any(all(map(agrees, row, cells)) for cells in own):
        return []
    found = [
        [
            f"{name} is {wanted}"
            for name, cell, wanted in zip(columns, row, cells, strict=True)
            if not agrees(cell, wanted)
        ]
        for cells in own
    ]
    return min(found, key=len, default=["the records have no such row"])
