"""Sentences joined end to end."""

from __future__ import annotations

from softalign.data.cleaning import Pair
from softalign.data.joined import joined

ROWS = [
    Pair("a b", "x", ("x", "x2"), "0-0"),
    Pair("c", "y", ("y",), "0-0"),
    Pair("d", "z", ("z", "z2"), "0-0"),
    Pair("e f", "w", ("w", "w2", "w3"), "0-0"),
    Pair("g", "v", ("v",), "0-0"),
]


def test_neighbours_in_order_and_what_is_left_over_is_left_out() -> None:
    assert list(joined(ROWS, 2)) == [
        Pair("a b c", "x y", ("x y",)),
        Pair("d e f", "z w", ("z w", "z2 w2")),
    ]
    assert [pair.source for pair in joined(ROWS, 5)] == ["a b c d e f g"]


def test_too_few_rows_make_none() -> None:
    assert not list(joined(ROWS, 6))
