from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.config import OptimizationConfig
from softalign.training.schedule import rate_factor


def optimization(schedule: str, warmup: int) -> OptimizationConfig:
    return OptimizationConfig(lr=1.0, schedule=schedule, warmup_steps=warmup, max_epochs=1, patience=1, batch_size=1)


def test_warm_up_is_linear_and_reaches_the_full_rate() -> None:
    config = optimization("constant", 4)
    assert [rate_factor(step, 10, config) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_cosine_by_hand() -> None:
    config = optimization("cosine", 0)  # the middle of 10 updates is after 5 of them
    assert rate_factor(4, 10, config) == pytest.approx(0.5)
    assert rate_factor(9, 10, config) == pytest.approx(0.0)
    assert rate_factor(1, 6, optimization("cosine", 0)) == pytest.approx((1 + math.cos(math.pi / 3)) / 2)


def test_inverse_square_root_by_hand() -> None:
    config = optimization("inverse_sqrt", 100)
    assert rate_factor(99, 1000, config) == 1.0
    assert rate_factor(399, 1000, config) == pytest.approx(0.5)  # sqrt(100 / 400)


@given(
    st.sampled_from(["constant", "cosine", "inverse_sqrt"]),
    st.integers(0, 50),
    st.integers(1, 200),
    st.integers(0, 400),
)
def test_stays_between_none_and_all_of_the_rate(schedule: str, warmup: int, total: int, step: int) -> None:
    assert 0.0 <= rate_factor(step, total, optimization(schedule, warmup)) <= 1.0


@given(st.sampled_from(["cosine", "inverse_sqrt"]), st.integers(0, 20), st.integers(30, 100))
def test_falls_after_the_warm_up(schedule: str, warmup: int, total: int) -> None:
    factors = [rate_factor(step, total, optimization(schedule, warmup)) for step in range(warmup, total)]
    assert all(later < earlier for earlier, later in zip(factors, factors[1:], strict=False))


def test_unknown_schedule() -> None:
    with pytest.raises(ValueError, match="inverse_sqrt"):
        rate_factor(0, 1, optimization("linear", 0))
