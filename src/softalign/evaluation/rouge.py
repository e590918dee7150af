"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004), F1 per item."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

ROUGE_METRICS = ("rouge1", "rouge2", "rougeL")


def rouge_statistics(
    predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[dict[str, NDArray[np.float64]], str]:
    """Per metric the pairs (F1, 1) of each item (N, 2), and the settings in words.

    The reference with the best F1 counts, for each metric on its own. Words are stemmed (`use_stemmer=True`, the
    `ROUGE-1.5.5.pl -m` of the summarization literature). The tokenizer of rouge-score lower-cases and keeps a-z and 0-9
    alone, so a word such as "über" loses its first letter: fit for English, poor for anything else.
    """
    tokenize = _StemmingTokenizer().tokenize
    values = {metric: np.ones((len(predictions), 2)) for metric in ROUGE_METRICS}
    for row, (prediction, several) in enumerate(zip(predictions, references, strict=True)):
        predicted = tokenize(prediction)
        scores = [_f_measures(predicted, tokenize(reference)) for reference in several]
        for metric, alternatives in zip(ROUGE_METRICS, zip(*scores, strict=True), strict=True):
            values[metric][row, 0] = max(alternatives)
    counts = {len(several) for several in references}
    signature = "|".join(
        [
            f"nrefs:{counts.pop() if len(counts) == 1 else 'var'}",
            "measure:f1",
            "several:best",
            "stemmer:porter",
            "case:lc",
            "tok:a-z0-9",
            f"version:rouge-score-{version('rouge-score')}",
        ]
    )
    return values, signature


def _f_measures(prediction: list[str], reference: list[str]) -> tuple[float, ...]:
    """F1 = 2 P R / (P + R) of ROUGE-1, ROUGE-2 and ROUGE-L; 0 where nothing is shared.

    rouge-score's own numbers: a test compares them. Its table for the longest common subsequence, a Python loop over
    every pair of words, would be most of the time.
    """
    counts = []
    for order in (1, 2):
        grams = [
            Counter(zip(*(words[start:] for start in range(order)), strict=False)) for words in (prediction, reference)
        ]
        counts.append(((grams[0] & grams[1]).total(), grams[0].total(), grams[1].total()))
    counts.append((_common_subsequence(prediction, reference), len(prediction), len(reference)))
    return tuple(map(_f_measure, *zip(*counts, strict=True)))


def _f_measure(shared: int, predicted: int, wanted: int) -> float:
    precision, recall = shared / max(predicted, 1), shared / max(wanted, 1)
    return 2 * precision * recall / (precision + recall) if shared else 0.0


def _common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence, a whole column of the table at once as the bits of a number.

    Hyyrö (2004), Bit-parallel LCS-length computation revisited: a bit that is zero is a step up of the column.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << place
    everything = (1 << len(a)) - 1
    column = everything
    for word in b:
        matched = column & places.get(word, 0)
        column = (column + matched | column - matched) & everything
    return len(a) - column.bit_count()


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Imports in the block find none of these packages, unless they are imported already.

    The stemmer belongs to nltk, which imports whatever it may some day use with it: two seconds of every evaluation.
    Without them nltk lacks classifiers and tests of association, which nothing here asks it for.
    """
    absent = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: the import raises ImportError
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]


class _StemmingTokenizer:
    """rouge-score's own tokenizer and Porter stemmer, but each word is stemmed once: most of the time goes there."""

    def __init__(self) -> None:
        with _hidden("scipy", "sklearn"):
            from nltk.stem.porter import PorterStemmer  # type: ignore[import-untyped]

        self.stem = lru_cache(maxsize=2**16)(PorterStemmer().stem)

    def tokenize(self, text: str) -> list[str]:
        from rouge_score.tokenize import tokenize

        tokens: list[str] = tokenize(text, self)
        return tokens


def mean_score(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over items in points of 100 from summed pairs (value, 1) (..., 2): (...)."""
    return 100.0 * totals[..., 0] / np.maximum(totals[..., 1], 1.0)
