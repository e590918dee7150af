"""The token ids of a split in memory: one flat array a side, from which a row is a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from softalign.data.batching import Row


@dataclass(frozen=True)
class Ids:
    """N sequences of ids, one after the other: sequence n is flat[offsets[n] : offsets[n + 1]]."""

    flat: NDArray[np.int32]  # (sum of lengths,)
    offsets: NDArray[np.int64]  # (N + 1,)

    @classmethod
    def from_column(cls, table: pa.Table, column: str) -> Ids:
        """The ids of a list column. A column of one chunk is not copied; each further chunk is."""
        chunks = table.column(column).chunks
        flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks]
        lengths = [np.diff(chunk.offsets.to_numpy()) for chunk in chunks]
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths or [[]]))]).astype(np.int64)
        return cls(np.concatenate(flat or [[]]).astype(np.int32, copy=False), offsets)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N,)"""
        return np.diff(self.offsets)

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.flat[self.offsets[row] : self.offsets[row + 1]]


class EncodedSplit(torch.utils.data.Dataset[Row]):
    """The rows of a split as `collate` takes them."""

    def __init__(self, source: Ids, target: Ids) -> None:
        self._source = source
        self._target = target

    @classmethod
    def from_table(cls, table: pa.Table) -> EncodedSplit:
        """From a split of `Prepared`, which must be whole: not a slice."""
        return cls(Ids.from_column(table, "source_ids"), Ids.from_column(table, "target_ids"))

    @property
    def source_lengths(self) -> NDArray[np.int64]:
        """(N,) source tokens of each row, without EOS."""
        return self._source.lengths

    @property
    def target_lengths(self) -> NDArray[np.int64]:
        """(N,) target tokens of each row, without BOS and EOS."""
        return self._target.lengths

    def __len__(self) -> int:
        return len(self._source.offsets) - 1

    def __getitem__(self, row: int) -> Row:
        return row, self._source[row], self._target[row]
