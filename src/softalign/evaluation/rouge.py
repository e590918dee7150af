"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004), F1 per item."""

from __future__ import annotations

import sys
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
    with _hidden("scipy", "sklearn"):
        from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGE_METRICS), tokenizer=_StemmingTokenizer())
    values = {metric: np.ones((len(predictions), 2)) for metric in ROUGE_METRICS}
    for row, (prediction, several) in enumerate(zip(predictions, references, strict=True)):
        best = scorer.score_multi(list(several), prediction)
        for metric in ROUGE_METRICS:
            values[metric][row, 0] = best[metric].fmeasure
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


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Imports in the block find none of these packages, unless they are imported already.

    rouge-score needs the stemmer of nltk, which imports whatever it may some day use with it: two seconds of every
    evaluation. Without them nltk lacks classifiers and tests of association, which nothing here asks it for.
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
        from nltk.stem.porter import PorterStemmer  # type: ignore[import-untyped]

        self.stem = lru_cache(maxsize=2**16)(PorterStemmer().stem)

    def tokenize(self, text: str) -> list[str]:
        from rouge_score.tokenize import tokenize

        tokens: list[str] = tokenize(text, self)
        return tokens


def mean_score(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean in points of 100 from summed pairs (value, count) (..., 2): (...). Over items where each counts 1, over
    what they consist of where it is more.
    """
    return 100.0 * totals[..., 0] / np.maximum(totals[..., 1], 1.0)
