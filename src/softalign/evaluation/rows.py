"""Rows in batches for a model that is not being trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softalign.data.batching import Batch, Row, collate


def sorted_batches(rows: Sequence[Row], batch_size: int) -> Iterator[Batch]:
    """All rows in batches of sources of similar length, longest first, so that the hungriest batch comes first.

    `rows` are (index, source ids, target ids). `Batch.rows` carries the indices, by which the results find their place.
    """
    longest_first = sorted(rows, key=lambda row: (-len(row[1]), -len(row[2])))
    for start in range(0, len(longest_first), batch_size):
        yield collate(longest_first[start : start + batch_size])
