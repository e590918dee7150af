"""Exact match and token accuracy, for tasks that have one right answer: counts that add up over items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MATCH_METRICS = ("exact_match", "token_accuracy")
SIGNATURE = "words:white-space|case:mixed|several:best"


def match_statistics(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, NDArray[np.float64]]:
    """Per metric the pairs (right, asked for) of each item (N, 2).

    `exact_match`: 1 where the prediction equals a reference, of 1. `token_accuracy`: the reference's words that the
    prediction has at their place, of the larger number of words of the two, so that words left over count as wrong.
    Words are white-space words. With several references the one with the best share counts.
    """
    values = {metric: np.empty((len(predictions), 2)) for metric in MATCH_METRICS}
    for row, (prediction, several) in enumerate(zip(predictions, references, strict=True)):
        words = prediction.split()
        candidates = [reference.split() for reference in several]
        values["exact_match"][row] = float(words in candidates), 1.0
        values["token_accuracy"][row] = max(
            (_matched(words, candidate) for candidate in candidates), key=lambda pair: pair[0] / max(pair[1], 1)
        )
    return values


def _matched(words: Sequence[str], reference: Sequence[str]) -> tuple[int, int]:
    pairs = zip(words, reference, strict=False)
    return sum(word == wanted for word, wanted in pairs), max(len(words), len(reference))
