"""References per item, and as the columns that sacreBLEU reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest


def reference_streams(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """Columns of references from rows of them; an item with fewer than the others is padded with None.

    >>> reference_streams([["a", "b"], ["c"]])
    [['a', 'c'], ['b', None]]
    """
    # sacreBLEU drops the None of each item; its annotations do not say so.
    return [list(stream) for stream in zip_longest(*references)]
