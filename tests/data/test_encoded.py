"""Rows in memory are the rows on disk, however Arrow cuts them."""

import pyarrow as pa
import pytest

from softalign.data.encoded import EncodedSplit

SOURCES = [[5, 6], [], [7], [8, 9, 10], []]
TARGETS = [[3], [4, 4], [], [5], [6, 6, 6]]


@pytest.mark.parametrize("cuts", [[], [2], [1, 1, 4], [0, 5]])
def test_rows_and_lengths(cuts: list[int]) -> None:
    bounds = [0, *cuts, len(SOURCES)]
    kind = pa.list_(pa.int32())
    batches = [
        pa.record_batch({"source_ids": pa.array(SOURCES[a:b], kind), "target_ids": pa.array(TARGETS[a:b], kind)})
        for a, b in zip(bounds, bounds[1:], strict=False)
    ]
    split = EncodedSplit.from_table(pa.Table.from_batches(batches))
    assert len(split) == 5
    assert split.source_lengths.tolist() == [2, 0, 1, 3, 0]
    assert split.target_lengths.tolist() == [1, 2, 0, 1, 3]
    rows = [(index, source.tolist(), target.tolist()) for index, source, target in map(split.__getitem__, range(5))]
    assert rows == list(zip(range(5), SOURCES, TARGETS, strict=True))
