"""Estimates with intervals: what the comparisons and the claims rest on.

S seeds, N test items, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.significance import percentile_interval, two_sided_p_value

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A quantity, its interval, and the two-sided p-value of its being zero. None: cannot be told from the data."""

    value: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Replicates:
    """One quantity of one arm: what each seed gave, and what it would have given on other test items."""

    points: Array  # (S,)
    resampled: Array  # (S, R), the same resamples of test items for every seed and arm

    @property
    def value(self) -> float:
        return float(self.points.mean())

    def of(self, seeds: Sequence[int]) -> Replicates:
        """Those of some seeds alone, by their places."""
        return Replicates(self.points[list(seeds)], self.resampled[list(seeds)])


def contrast(baseline: Replicates, candidate: Replicates, confidence: float, seed: int) -> Estimate:
    """Candidate minus baseline, means over seeds, with the percentile interval of the bootstrap.

    With one seed an arm, test items alone are resampled. With several, each resample draws the test items (the same
    ones for both arms) and, for each arm on its own, as many seeds as it has, with replacement; so the interval
    covers the choice of seeds too. Drawing from S seeds shows a variance that is too small by (S-1)/S: with two or
    three seeds the interval is on the narrow side.
    """
    generator = np.random.default_rng(seed)
    differences = _over_seeds(candidate.resampled, generator) - _over_seeds(baseline.resampled, generator)
    return from_resamples(candidate.value - baseline.value, differences, confidence)


def from_resamples(value: float, resampled: Array, confidence: float) -> Estimate:
    """An estimate with the percentile interval and the p-value of its resamples (R,)."""
    if not math.isfinite(value) or not np.isfinite(resampled).all():
        return Estimate(value)
    low, high = percentile_interval(resampled, confidence)
    return Estimate(value, low, high, two_sided_p_value(resampled))


def _over_seeds(resampled: Array, generator: np.random.Generator) -> Array:
    """The mean over seeds drawn with replacement, for each resample: (S, R) -> (R,)."""
    seeds, resamples = resampled.shape
    drawn = generator.integers(seeds, size=(seeds, resamples))
    return np.asarray(np.take_along_axis(resampled, drawn, axis=0).mean(axis=0))


def resample_counts(items: int, samples: int, seed: int) -> Array:
    """How often each test item is drawn in each resample: (R, N)."""
    generator = np.random.default_rng(seed)
    draws = generator.integers(items, size=(samples, items)) + np.arange(samples)[:, None] * items
    return np.bincount(draws.ravel(), minlength=samples * items).reshape(samples, items).astype(np.float64)


def weighted_mean(values: Array, counts: Array) -> Array:
    """The mean of `values` (N,) under each row of `counts` (R, N): (R,)."""
    return np.asarray(counts @ values / counts.sum(axis=1))


def weighted_slope(x: Array, y: Array, counts: Array) -> Array:
    """The least-squares slope of y on x (N,) under each row of `counts` (R, N): (R,). 0 where all x are equal."""
    x_mean, y_mean = weighted_mean(x, counts), weighted_mean(y, counts)
    covariance = weighted_mean(x * y, counts) - x_mean * y_mean
    variance = weighted_mean(x * x, counts) - x_mean**2
    flat = variance <= 1e-12
    return np.where(flat, 0.0, covariance / np.where(flat, 1.0, variance))


def line_slope(x: Sequence[float], y: Sequence[float], confidence: float) -> Estimate:
    """The least-squares slope of y on x with Student's t interval; no interval with fewer than three points."""
    from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

    if len(x) < 2 or len(set(x)) < 2:
        return Estimate(math.nan)
    fit = stats.linregress(x, y)
    if len(x) < 3:
        return Estimate(float(fit.slope))
    half = float(fit.stderr) * float(stats.t.ppf((1 + confidence) / 2, len(x) - 2))
    return Estimate(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half, float(fit.pvalue))


def mean_over_seeds(values: Sequence[float], confidence: float) -> Estimate:
    """The mean with Student's t interval over seeds; no interval with a single seed."""
    from scipy import stats

    value = float(np.mean(values))
    if len(values) < 2 or np.ptp(values) == 0:
        return Estimate(value)
    test = stats.ttest_1samp(values, 0.0)
    interval = test.confidence_interval(confidence)
    return Estimate(value, float(interval.low), float(interval.high), float(test.pvalue))


def ratio_of_means(baseline: Sequence[float], candidate: Sequence[float], confidence: float) -> Estimate:
    """Candidate over baseline as a ratio of geometric means, with Welch's t interval on the logarithms.

    The p-value is that of a ratio of one. No interval when an arm has fewer than two values. All values must be
    positive.
    """
    from scipy import stats

    a, b = np.log(np.asarray(baseline, dtype=np.float64)), np.log(np.asarray(candidate, dtype=np.float64))
    value = math.exp(float(b.mean() - a.mean()))
    if len(a) < 2 or len(b) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return Estimate(value)
    test = stats.ttest_ind(b, a, equal_var=False)
    interval = test.confidence_interval(confidence)
    return Estimate(value, math.exp(float(interval.low)), math.exp(float(interval.high)), float(test.pvalue))
