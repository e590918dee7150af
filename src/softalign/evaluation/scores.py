"""The scores of a set of predictions, each kept as per-item statistics that add up to the corpus score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.bleu import bleu_score, bleu_statistics
from softalign.evaluation.chrf import chrf_score, chrf_statistics
from softalign.evaluation.matches import MATCH_METRICS, SIGNATURE, match_statistics
from softalign.evaluation.rouge import ROUGE_METRICS, mean_score, rouge_statistics

Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # summed values (..., K) -> points of 100 (...)

METRICS = ("bleu", "chrf", *ROUGE_METRICS)  # of text, where an answer may be more or less right
SCORES: dict[str, Score] = {
    "bleu": bleu_score,
    "chrf": chrf_score,
    **dict.fromkeys((*ROUGE_METRICS, *MATCH_METRICS), mean_score),
}


def metrics_of(headline: str) -> tuple[str, ...]:
    """The metrics of a task, by its headline metric: those of the kind that this one is of."""
    return MATCH_METRICS if headline in MATCH_METRICS else METRICS


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
    unknown = sorted(set(metrics) - set(SCORES))
    if unknown:
        raise ValueError(f"no metric {unknown[0]!r}: choose from {', '.join(SCORES)}")

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
    if set(metrics) & set(MATCH_METRICS):
        matched = match_statistics(predictions, references)
        for metric in MATCH_METRICS:
            if metric in metrics:
                result[metric] = ItemStatistics(matched[metric], SCORES[metric], SIGNATURE)
    return result


def corpus_scores(statistics: dict[str, ItemStatistics]) -> dict[str, float]:
    """The corpus score of each metric, in points of 100."""
    return {metric: item.corpus_score() for metric, item in statistics.items()}
