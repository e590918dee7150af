"""BLEU (Papineni et al. 2002), from counts that add up over items.

The counts come from sacreBLEU (Post 2018), so the score is sacreBLEU's own; the formula is repeated here in numpy
because the bootstrap needs it for a thousand resamples at once, where sacreBLEU loops.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.references import reference_streams

ORDER = 4  # n-grams of 1 to 4 words


def bleu_statistics(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[NDArray[np.float64], str]:
    """Per-item counts (N, 10) and sacreBLEU's signature.

    Columns: words of the prediction, words of the closest reference, matched 1- to 4-grams, predicted 1- to 4-grams.
    Tokenizer 13a, case as it is, exponential smoothing of a zero precision.
    """
    from sacrebleu.metrics import BLEU

    metric = BLEU(tokenize="13a", force=True)  # force: no warning about text that looks tokenized
    # The private function is the one that sacreBLEU's own significance tests use; a test compares it with corpus_bleu.
    counts = metric._extract_corpus_statistics(list(predictions), reference_streams(references))
    return np.array(counts, dtype=np.float64).reshape(len(predictions), 2 + 2 * ORDER), str(metric.get_signature())


def bleu_score(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """BLEU in points of 100 from summed counts (..., 10): (...).

    BLEU = BP · exp(1/4 Σ_n log p_n), with p_n = matched / predicted n-grams and BP = exp(min(0, 1 - r/c)). The k-th
    order without any match counts as p_n = 1 / (2^k · predicted) (sacreBLEU's `exp`). Without any match at all, or when
    no prediction has an n-gram of order 4, the score is 0.
    """
    length, reference_length = totals[..., 0], totals[..., 1]
    matched, predicted = totals[..., 2 : 2 + ORDER], totals[..., 2 + ORDER :]
    defined = matched.any(axis=-1) & (predicted > 0).all(axis=-1)

    unmatched = matched == 0
    smoothed = np.where(unmatched, 0.5 ** np.cumsum(unmatched, axis=-1), matched)
    precision = smoothed / np.where(predicted > 0, predicted, 1.0)
    brevity = np.minimum(0.0, 1.0 - reference_length / np.where(length > 0, length, 1.0))
    score = 100.0 * np.exp(brevity + np.log(precision).mean(axis=-1))
    return np.where(defined, score, 0.0)
