"""Test items by the length of their source: in buckets, and some of them from short to long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LengthBucket:
    """The items whose source has `low` to `high` white-space words, both included."""

    low: int
    high: int
    rows: NDArray[np.intp]  # indices of the items, in test order


def count_words(text: str) -> int:
    """White-space words: independent of any tokenizer, so the same for every arm and vocabulary."""
    return len(text.split())


def length_buckets(words: Sequence[int], buckets: int) -> list[LengthBucket]:
    """At most `buckets` buckets of about equal size that cover every item once, shortest first.

    Items of equal length stay together: each cut is made at the length that comes closest to the wanted share. The
    buckets depend on the sources alone, so they are the same for every arm.
    """
    lengths = np.asarray(words, dtype=np.int64)
    if not len(lengths):
        return []
    distinct, counts = np.unique(lengths, return_counts=True)
    covered = np.cumsum(counts)
    wanted = len(lengths) * np.arange(1, buckets) / buckets
    cuts = {int(np.abs(covered - share).argmin()) for share in wanted} | {len(distinct) - 1}
    result, low = [], int(distinct[0])
    for cut in sorted(cuts):
        high = int(distinct[cut])
        result.append(LengthBucket(low, high, np.flatnonzero((lengths >= low) & (lengths <= high))))
        low = high + 1
    return result


def example_rows(words: Sequence[int], count: int) -> list[int]:
    """At most `count` rows from short sources to long ones, evenly spread over the test set, so that nobody picks them;
    the same for every arm. `words` are those of each source.
    """
    by_length = np.argsort(np.asarray(words), kind="stable")
    count = min(count, len(by_length))
    return [int(by_length[(2 * place + 1) * len(by_length) // (2 * count)]) for place in range(count)]
