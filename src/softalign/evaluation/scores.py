"""The scores of a set of predictions, each kept as per-item statistics that add up to the corpus score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.bleu import bleu_score, bleu_statistics
from softalign.evaluation.chrf import chrf_score, chrf_statistics
from softalign.evaluation.rouge import ROUGE_METRICS, mean_score, rouge_statistics

Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # summed values (..., K) -> points of 100 (...)

SCORES: dict[str, Score] = {"bleu": bleu_score, "chrf": chrf_score, **dict.fromkeys(ROUGE_METRICS, mean_score)}
METRICS = tuple(SCORES)


@dataclass(frozen=True)
class ItemStatistics:
    """Sufficient statistics of one metric.

    The score of any selection of items, some of them several times, is `score` of the sum of their rows of `values`.
    That is what makes a bootstrap one matrix product.
    """

    values: NDArray[np.float64]  # (N, K), one row for each item
    score: Score
    signature: str

    def __len__(self) -> int:
        return len(self.values)

    def corpus_score(self) -> float:
        """The score of all items, in points of 100."""
        return float(self.score(self.values.sum(axis=0)))

    def select(self, rows: NDArray[np.intp]) -> ItemStatistics:
        """The statistics of some items alone."""
        return replace(self, values=self.values[rows])


def item_statistics(
    predictions: Sequence[str], references: Sequence[Sequence[str]], metrics: Sequence[str] = METRICS
) -> dict[str, ItemStatistics]:
    """Statistics of each metric, for predictions and, of each, one reference or more. Predictions may be empty strings.

    Raises `ValueError` when the two differ in length, when an item has no reference, or for an unknown metric.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions but references of {len(references)} items")
    if not all(len(several) > 0 for several in references):
        raise ValueError("an item without a reference cannot be scored")
    unknown = sorted(set(metrics) - set(METRICS))
    if unknown:
        raise ValueError(f"no metric {unknown[0]!r}: choose from {', '.join(METRICS)}")

    result = {}
    if "bleu" in metrics:
        values, signature = bleu_statistics(predictions, references)
        result["bleu"] = ItemStatistics(values, SCORES["bleu"], signature)
    if "chrf" in metrics:
        values, signature = chrf_statistics(predictions, references)
        result["chrf"] = ItemStatistics(values, SCORES["chrf"], signature)
    if set(metrics) & set(ROUGE_METRICS):
        per_metric, signature = rouge_statistics(predictions, references)
        for metric in ROUGE_METRICS:
            if metric in metrics:
                result[metric] = ItemStatistics(per_metric[metric], SCORES[metric], signature)
    return result


def corpus_scores(statistics: dict[str, ItemStatistics]) -> dict[str, float]:
    """The corpus score of each metric, in points of 100."""
    return {metric: item.corpus_score() for metric, item in statistics.items()}


def exact_match(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Share of predictions that equal one of their references, white space aside, in points of 100."""
    hits = [
        prediction.split() in [reference.split() for reference in several]
        for prediction, several in zip(predictions, references, strict=True)
    ]
    return 100.0 * sum(hits) / max(len(hits), 1)
