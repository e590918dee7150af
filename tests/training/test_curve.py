from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.training.curve import flattened, late_gain, perplexity
from softalign.training.history import read_table, write_table


def test_late_gain_by_hand() -> None:
    losses = [4.0, 3.0, 2.5, 2.4, 2.3, 2.2, 2.1, 2.0]  # the last quarter is two epochs: 2.2 before, 2.0 after
    assert late_gain(losses) == pytest.approx(0.2)
    assert not flattened(losses)


def test_flat_is_less_than_one_percent_of_perplexity() -> None:
    before = [3.0, 2.0, 2.0]
    assert flattened([*before, 2.0 - math.log(1.009)])
    assert not flattened([*before, 2.0 - math.log(1.011)])


def test_a_curve_that_turned_upwards_is_flat() -> None:
    assert late_gain([3.0, 2.0, 2.5, 3.0]) == 0.0
    assert flattened([3.0, 2.0, 2.5, 3.0])


def test_one_epoch_shows_nothing() -> None:
    assert not flattened([1.0])


@given(st.lists(st.floats(0, 10), min_size=2, max_size=30))
def test_the_gain_is_never_negative(losses: list[float]) -> None:
    assert late_gain(losses) >= 0


def test_tables_come_back(tmp_path: Path) -> None:
    rows = [{"step": 10.0, "train_loss": 0.1 + 0.2}, {"step": 20.0, "train_loss": 1e-9}]
    write_table(tmp_path / "steps.csv", ("step", "train_loss"), rows)
    assert read_table(tmp_path / "steps.csv") == rows


def test_perplexity_of_a_huge_loss_is_infinite() -> None:
    assert perplexity(math.log(7)) == pytest.approx(7)
    assert perplexity(1000.0) == math.inf
