"""Intervals and slopes against independent formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.reporting.estimates import (
    Replicates,
    contrast,
    from_resamples,
    line_slope,
    mean_over_seeds,
    ratio_of_means,
    resample_counts,
    weighted_mean,
    weighted_slope,
)


def test_every_resample_draws_as_many_items_as_there_are() -> None:
    counts = resample_counts(items=7, samples=50, seed=1)
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()
    assert np.array_equal(counts, resample_counts(7, 50, 1))


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=12))
def test_weighted_mean_and_slope_are_those_of_the_items_written_out(values: list[float]) -> None:
    y = np.array(values)
    x = np.arange(len(y), dtype=float) ** 1.5
    counts = resample_counts(len(y), 4, 0)
    for row, (mean, slope) in enumerate(zip(weighted_mean(y, counts), weighted_slope(x, y, counts), strict=True)):
        drawn = np.repeat(np.arange(len(y)), counts[row].astype(int))
        assert mean == pytest.approx(y[drawn].mean(), abs=1e-6)
        expected = np.polyfit(x[drawn], y[drawn], 1)[0] if len(set(drawn)) > 1 else 0.0
        assert slope == pytest.approx(expected, abs=1e-5)


def test_the_same_shift_on_every_resample_has_an_interval_without_width() -> None:
    resampled = np.linspace(10, 20, 100)[None, :]
    estimate = contrast(
        Replicates(np.array([15.0]), resampled), Replicates(np.array([17.0]), resampled + 2), confidence=0.95, seed=0
    )
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((2.0, 2.0, 2.0))
    assert estimate.p_value == pytest.approx(2 / 101)


def test_several_seeds_widen_the_interval() -> None:
    still = np.full((3, 4000), 10.0)
    spread = still + np.array([[-3.0], [0.0], [3.0]])
    points = np.array([7.0, 10.0, 13.0])
    estimate = contrast(Replicates(still[:, 0], still), Replicates(points, spread), confidence=0.9, seed=0)
    assert estimate.value == pytest.approx(0.0)
    # A mean of three draws from -3, 0, 3 lies outside ±2 with probability 2/27 and at ±2 with 6/27.
    assert (estimate.low, estimate.high) == pytest.approx((-2.0, 2.0))


def test_numbers_that_are_not_finite_have_no_interval() -> None:
    assert from_resamples(math.nan, np.zeros(10), 0.95).low is None
    assert from_resamples(1.0, np.array([1.0, math.inf]), 0.95).p_value is None


def test_line_slope_by_hand() -> None:
    # x = 0, 1, 2; y = 0, 2, 1: slope 1/2, residual sum of squares 3/2, standard error sqrt(3/2 / 1 / 2).
    estimate = line_slope([0, 1, 2], [0, 2, 1], 0.95)
    half = 12.7062 * math.sqrt(0.75)
    assert estimate.value == pytest.approx(0.5)
    assert (estimate.low, estimate.high) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-4)
    assert line_slope([0, 1], [0, 3], 0.95).low is None
    assert math.isnan(line_slope([1, 1, 1], [1, 2, 3], 0.95).value)


def test_mean_over_seeds_by_hand() -> None:
    estimate = mean_over_seeds([1.0, 3.0], 0.95)  # t with one degree of freedom: 12.7062; standard error 1
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((2.0, -10.7062, 14.7062), rel=1e-4)
    assert mean_over_seeds([4.0], 0.95).low is None


def test_ratio_of_means() -> None:
    assert ratio_of_means([2.0], [5.0], 0.95).value == pytest.approx(2.5)
    assert ratio_of_means([2.0], [5.0], 0.95).low is None
    estimate = ratio_of_means([1.0, 4.0], [8.0, 2.0], 0.95)
    assert estimate.value == pytest.approx(2.0)  # geometric means 2 and 4
    assert estimate.low is not None and estimate.high is not None
    assert estimate.low * estimate.high == pytest.approx(4.0)  # symmetric on the logarithms
