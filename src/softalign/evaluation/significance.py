"""Tests over test items: paired bootstrap (Koehn 2004) and approximate randomisation (Riezler and Maxwell 2005).

sacreBLEU has both, for BLEU and chrF; the tests compare. They are done anew here because it scores trial by trial
(1.5 s for each metric and pair of systems, at its 10,000 trials and 1,000 items), and knows no ROUGE and no system of
several training seeds. Here all systems, seeds and metrics share the draws, and a trial is a row of one product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.scores import ItemStatistics, Score

_BLOCK = 4_000_000  # entries of the count matrix held at once, 32 MB


@dataclass(frozen=True)
class Interval:
    """A score and its percentile interval, in points of 100."""

    score: float
    low: float
    high: float


def count_blocks(items: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each of N items is drawn in each of R resamples, some resamples at a time: (rows, N), R rows in all.

    A resample draws N items with replacement. The draws depend on N and `seed` alone, whatever the size of a block.
    """
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // items)
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        draws = generator.integers(items, size=(rows, items))
        flat = (draws + np.arange(rows)[:, None] * items).ravel()
        yield np.bincount(flat, minlength=rows * items).reshape(rows, items).astype(np.float64)


def resampled_scores(statistics: Sequence[ItemStatistics], samples: int, seed: int) -> NDArray[np.float64]:
    """Scores of several systems on the same resamples of the N items: (systems, samples).

    A resample is a row of counts c (`count_blocks`), and the totals of a system are c · values, so all resamples are
    one product (samples, N) x (N, K). Every metric and every pair of systems sees the same resamples.

    Raises `ValueError` when the systems were not scored on the same number of items, or on none.
    """
    items = _shared_size(statistics, "a paired bootstrap")
    scores = np.empty((len(statistics), samples))
    start = 0
    for counts in count_blocks(items, samples, seed):
        end = start + len(counts)
        for index, system in enumerate(statistics):
            scores[index, start:end] = system.score(counts @ system.values)
        start = end
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


def two_sided_p_value(differences: NDArray[np.float64]) -> float:
    """The p-value of the paired bootstrap from the resampled differences d* (samples,), candidate minus baseline.

    p = min(1, 2 (1 + min(#{d* <= 0}, #{d* >= 0})) / (1 + samples)). It doubles Koehn's share of resamples in which the
    winner does not win, and goes with the percentile interval: where that leaves zero out, p < 1 - confidence, save for
    rounding. The ones keep p above 0, as any test by simulation needs (Davison and Hinkley 1997, section 4.2).

    sacreBLEU's `bs` counts, on the same resamples, #{|d*| - mean |d*| > |d|}: for a clear difference the upper tail
    alone, so about half of this p; and two systems that write the same come out significant. Hence not sacreBLEU's.
    """
    smaller_tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2.0 * (1 + smaller_tail) / (1 + len(differences))))


@dataclass(frozen=True)
class Exchange:
    """One system in approximate randomisation: the totals of the items that each trial picks, and of all items."""

    picked: NDArray[np.float64]  # (trials, K)
    whole: NDArray[np.float64]  # (K,)
    score: Score


def exchanges(statistics: Sequence[ItemStatistics], trials: int, seed: int) -> list[Exchange]:
    """Pick each of the N items with probability 1/2, in every trial anew, and the same ones for every system.

    The picks depend on N and `seed` alone and are those that sacreBLEU's `ar` draws with that seed.

    Raises `ValueError` when the systems were not scored on the same number of items, or on none.
    """
    items = _shared_size(statistics, "approximate randomisation")
    generator = np.random.default_rng(seed)
    values = np.concatenate([system.values for system in statistics], axis=1)  # one product for all systems
    picked = np.empty((trials, values.shape[1]))
    # A multiple of 32 trials: the generator makes 32 picks of one word, and blocks must not change the picks.
    block = max(32, _BLOCK // items // 32 * 32)
    for start in range(0, trials, block):
        rows = min(block, trials - start)
        picks = generator.integers(2, size=(rows, items), dtype=bool)
        picked[start : start + rows] = picks.astype(np.float64) @ values
    parts = np.split(picked, np.cumsum([system.values.shape[1] for system in statistics])[:-1], axis=1)
    return [
        Exchange(part, system.values.sum(axis=0), system.score) for part, system in zip(parts, statistics, strict=True)
    ]


def exchanged_differences(baseline: Exchange, candidate: Exchange) -> NDArray[np.float64]:
    """Candidate minus baseline once the two have exchanged their outputs of the picked items: (trials,)."""
    moved = candidate.picked - baseline.picked
    return candidate.score(candidate.whole - moved) - baseline.score(baseline.whole + moved)


def randomisation_p_value(difference: float, exchanged: NDArray[np.float64]) -> float:
    """The two-sided p-value of approximate randomisation (Noreen 1989; Riezler and Maxwell 2005).

    p = (1 + #{|d*| >= |d|}) / (1 + trials), where d is the difference found and d* (trials,) those after the exchange.
    Null hypothesis: an item's two outputs could as well have come from either system. For several training seeds, d
    and d* are means over seeds; an item is exchanged in all seeds or in none, so that p speaks of test items, given the
    seeds. sacreBLEU's `ar` counts > in place of >=, by which two systems that write the same come out significant;
    where no d* equals d, the two are one number.
    """
    rounding = 1e-9  # sums of ROUGE in another order
    return float((1 + (np.abs(exchanged) >= abs(difference) - rounding).sum()) / (1 + len(exchanged)))


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


def _shared_size(statistics: Sequence[ItemStatistics], test: str) -> int:
    sizes = {len(system) for system in statistics}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"{test} needs the same items for each system, got {sorted(sizes)} items")
    return sizes.pop()
