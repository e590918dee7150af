"""What an arm loses from the test set to a shifted one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from softalign.config import EvaluationConfig
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.significance import resampled_scores
from softalign.reporting.comparisons import Scored
from softalign.reporting.estimates import Replicates


@dataclass(frozen=True)
class Losses:
    """An arm on a shifted set, for each seed and resample, in points of 100."""

    score: Replicates  # on the set
    points: Replicates  # lost from the set's base to the set
    share: Replicates  # the same in per cent of the score on the base; nan where that is 0


def losses(scored: Scored, model: str, name: str, metric: str, evaluation: EvaluationConfig) -> Losses:
    """What an arm loses of its score from the base of the set `name` to the set itself.

    Items of both are resampled, the same ones for every arm: together where each was made of one of the base, else
    independently.
    """
    base, shifted = [], []
    is_paired = False
    for run in scored.runs.of(model):
        own = run.shifted[name]
        is_paired = own.is_paired
        one, other = own.statistics(scored.items[model, run.seed][metric], metric)
        base.append(one)
        shifted.append(other)
    samples, seed = evaluation.bootstrap_samples, evaluation.bootstrap_seed
    before = Replicates(_points(base), resampled_scores(base, samples, seed))
    after = Replicates(_points(shifted), resampled_scores(shifted, samples, seed if is_paired else seed + 1))
    points = Replicates(before.points - after.points, before.resampled - after.resampled)
    share = Replicates(_share(points.points, before.points), _share(points.resampled, before.resampled))
    return Losses(after, points, share)


def _points(statistics: list[ItemStatistics]) -> np.ndarray:
    return np.array([items.corpus_score() for items in statistics])


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return 100 * np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
