"""A split of the prepared data, as evaluation reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from softalign.data.batching import Row
from softalign.evaluation.lengths import count_words

COLUMNS = ("source", "target", "references", "alignment", "source_ids", "target_ids")


@dataclass(frozen=True)
class Split:
    """N rows: text, references, gold alignment ("" where there is none), and token ids without BOS and EOS."""

    source: list[str]
    target: list[str]
    references: list[list[str]]
    alignment: list[str]
    source_ids: list[list[int]]
    target_ids: list[list[int]]

    def __len__(self) -> int:
        return len(self.source)

    @property
    def rows(self) -> list[Row]:
        """(index, source ids, target ids) of each row."""
        return list(zip(range(len(self)), self.source_ids, self.target_ids, strict=True))

    @property
    def source_words(self) -> list[int]:
        return [count_words(text) for text in self.source]

    @property
    def target_words(self) -> list[int]:
        return [count_words(text) for text in self.target]


def split_of(table: pa.Table, sample: int | None = None) -> Split:
    """All rows of a prepared split, or a fixed random sample of at most `sample` of them.

    The sample depends on the number of rows alone, so that every arm and seed is given the same one.
    """
    if sample is not None and sample < len(table):
        table = table.take(np.sort(np.random.default_rng(0).choice(len(table), sample, replace=False)))
    columns = table.to_pydict()
    return Split(**{column: columns[column] for column in COLUMNS})
