"""chrF (Popović 2015), from counts that add up over items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.references import reference_streams

ORDER = 6  # n-grams of 1 to 6 characters, white space left out; no word n-grams
BETA = 2.0  # recall counts twice as much as precision


def chrf_statistics(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[NDArray[np.float64], str]:
    """Per-item counts (N, 18) and sacreBLEU's signature.

    Columns: for each order the n-grams of the prediction, of the reference, and of both. With several references an
    item keeps the counts of the one with the best chrF.
    """
    from sacrebleu.metrics import CHRF

    metric = CHRF(char_order=ORDER, word_order=0, beta=int(BETA))
    counts = metric._extract_corpus_statistics(list(predictions), reference_streams(references))
    return np.array(counts, dtype=np.float64).reshape(len(predictions), 3 * ORDER), str(metric.get_signature())


def chrf_score(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """chrF in points of 100 from summed counts (..., 18): (...).

    chrF = (1 + β²) P R / (β² P + R), where P and R are the means of the precisions and recalls of those orders that
    both the predictions and the references have.
    """
    predicted, reference, matched = totals[..., 0::3], totals[..., 1::3], totals[..., 2::3]
    present = (predicted > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=-1), 1)
    precision = np.where(present, matched / np.where(present, predicted, 1.0), 0.0).sum(axis=-1) / orders
    recall = np.where(present, matched / np.where(present, reference, 1.0), 0.0).sum(axis=-1) / orders
    weighted = BETA**2 * precision + recall
    return 100.0 * (1.0 + BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1.0)
