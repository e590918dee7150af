"""Bootstrap over test items (Koehn 2004): intervals, and whether one arm beats another on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.scores import ItemStatistics

_BLOCK = 4_000_000  # entries of the count matrix held at once, 32 MB


@dataclass(frozen=True)
class Interval:
    """A score and its percentile interval, in points of 100."""

    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Candidate minus baseline, in points of 100, with its percentile interval and two-sided p-value."""

    difference: float
    low: float
    high: float
    p_value: float


def resampled_scores(statistics: Sequence[ItemStatistics], samples: int, seed: int) -> NDArray[np.float64]:
    """Scores of several systems on the same resamples of the N items: (systems, samples).

    A resample draws N items with replacement. It is a row of counts c (how often each item was drawn), and the totals
    of a system are c · values, so all resamples are one product (samples, N) x (N, K). The draws depend on N and `seed`
    alone: every metric and every pair of systems sees the same resamples.

    Raises `ValueError` when the systems were not scored on the same number of items, or on none.
    """
    sizes = {len(system) for system in statistics}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"a paired bootstrap needs the same items for each system, got {sorted(sizes)} items")
    items = sizes.pop()
    generator = np.random.default_rng(seed)
    scores = np.empty((len(statistics), samples))
    block = max(1, _BLOCK // items)
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        draws = generator.integers(items, size=(rows, items))
        flat = (draws + np.arange(rows)[:, None] * items).ravel()
        counts = np.bincount(flat, minlength=rows * items).reshape(rows, items).astype(np.float64)
        for index, system in enumerate(statistics):
            scores[index, start : start + rows] = system.score(counts @ system.values)
    return scores


def bootstrap_interval(statistics: ItemStatistics, samples: int, confidence: float, seed: int) -> Interval:
    """A system's score with the percentile interval of its resampled scores."""
    return bootstrap_intervals([statistics], samples, confidence, seed)[0]


def bootstrap_intervals(
    statistics: Sequence[ItemStatistics], samples: int, confidence: float, seed: int
) -> list[Interval]:
    """`bootstrap_interval` of several metrics or systems on the same items, which are drawn once for all."""
    resampled = resampled_scores(statistics, samples, seed)
    return [
        Interval(system.corpus_score(), *percentile_interval(scores, confidence))
        for system, scores in zip(statistics, resampled, strict=True)
    ]


def paired_bootstrap(
    baseline: Sequence[ItemStatistics],
    candidate: Sequence[ItemStatistics],
    samples: int,
    confidence: float,
    seed: int,
) -> Comparison:
    """Paired bootstrap of the difference between two arms on the same test items.

    `baseline` and `candidate` hold one set of statistics for each training seed; an arm's score on a resample is the
    mean over its seeds, so the interval covers the choice of test items and not the choice of seeds.

    The p-value is two-sided: with d* the resampled differences,
    p = min(1, 2 (1 + min(#{d* <= 0}, #{d* >= 0})) / (1 + samples)).
    It doubles Koehn's share of resamples in which the winner does not win, and goes with the percentile interval:
    where that leaves zero out, p < 1 - confidence, save for rounding. The ones keep p above 0, as any test by
    simulation needs (Davison and Hinkley 1997, section 4.2).

    Raises `ValueError` when the arms were not scored on the same number of items.
    """
    scores = resampled_scores([*baseline, *candidate], samples, seed)
    differences = scores[len(baseline) :].mean(axis=0) - scores[: len(baseline)].mean(axis=0)
    low, high = percentile_interval(differences, confidence)
    return Comparison(
        difference=_mean_score(candidate) - _mean_score(baseline),
        low=low,
        high=high,
        p_value=two_sided_p_value(differences),
    )


def two_sided_p_value(differences: NDArray[np.float64]) -> float:
    """The p-value of `paired_bootstrap` from the resampled differences (samples,)."""
    smaller_tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2.0 * (1 + smaller_tail) / (1 + len(differences))))


def percentile_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """The central `confidence` share of `values`."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of a family of m tests, corrected for their number by Holm's step-down procedure, in the order given.

    With p_(1) <= ... <= p_(m): p'_(i) = max over j <= i of min(1, (m - j + 1) p_(j)). Rejecting where p' < α keeps the
    probability of any false rejection in the family below α, whatever the dependence between the tests (Holm 1979,
    Scandinavian Journal of Statistics 6:65-70). An empty family gives an empty list.

    Raises `ValueError` for a number that is no p-value, nan among them: a test that was not made is no member.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values must lie between 0 and 1, got {list(p_values)}")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def _mean_score(statistics: Sequence[ItemStatistics]) -> float:
    return sum(system.corpus_score() for system in statistics) / len(statistics)
