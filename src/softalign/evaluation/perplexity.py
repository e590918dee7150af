"""Perplexity per word."""

from __future__ import annotations

import math
from collections.abc import Sequence


def word_perplexity(negative_log_likelihoods: Sequence[float], words: Sequence[int]) -> float:
    """exp(Σ nll / Σ (words + 1)): teacher-forced perplexity per white-space word.

    `negative_log_likelihoods`: nats of each row, summed over its target tokens, the end of sentence among them.
    `words`: white-space words of each target; the end of sentence counts as one more. Divided by words, not by
    subwords, the number does not change with the vocabulary; but with words for tokens, of which unknown ones cost less
    the more there are. `inf` where it does not fit a float, `nan` without rows.
    """
    total = sum(count + 1 for count in words)
    if total == 0:
        return math.nan
    try:
        return math.exp(sum(negative_log_likelihoods) / total)
    except OverflowError:
        return math.inf
