"""Which arms nothing beats at their price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.reporting.frontier import frontier


@pytest.mark.parametrize(
    ("falls", "expected"),
    [(False, ["cheap", "good"]), (True, ["good", "cheap"])],
    ids=["a lower price is better", "a higher one is"],
)
def test_by_hand(falls: bool, expected: list[str]) -> None:
    """`dear` costs as much as `good` and is worse; `both` is beaten in price and in quality."""
    prices = {"cheap": 1.0, "good": 3.0, "dear": 3.0, "both": 2.0}
    if falls:
        prices = {"cheap": 1.0, "good": 2.0, "dear": 2.0, "both": 1.5}
    qualities = {"cheap": 10.0 if not falls else 20.0, "good": 20.0 if not falls else 10.0, "dear": 8.0, "both": 9.0}
    assert frontier([(name, prices[name], qualities[name]) for name in prices], falls) == expected


def test_equal_arms_stand_together() -> None:
    assert frontier([("a", 1.0, 5.0), ("b", 1.0, 5.0)]) == ["a", "b"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8), st.booleans())
def test_it_is_what_nothing_dominates(pairs: list[tuple[int, int]], falls: bool) -> None:
    arms = [(str(place), float(price), float(quality)) for place, (price, quality) in enumerate(pairs)]

    def beaten(arm: tuple[str, float, float]) -> bool:
        def cheaper(a: float, b: float) -> bool:
            return a > b if falls else a < b

        return any(
            (other[2] >= arm[2] and cheaper(other[1], arm[1]))
            or (other[2] > arm[2] and (other[1] == arm[1] or cheaper(other[1], arm[1])))
            for other in arms
        )

    assert set(frontier(arms, falls)) == {arm[0] for arm in arms if not beaten(arm)}
