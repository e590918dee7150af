"""A column of texts as its distinct words, so that what is done to a word is done once and not at every occurrence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Words:
    """What stands between the spaces of texts."""

    distinct: list[str]
    places: pa.Array  # of every word of every text its index in `distinct`
    lengths: NDArray[np.int64]  # words of each text

    @classmethod
    def of(cls, texts: pa.Array) -> Words:
        split = pc.split_pattern(texts, " ")
        coded = split.flatten().dictionary_encode()
        return cls(coded.dictionary.to_pylist(), coded.indices, pc.list_value_length(split).to_numpy())

    def joined(self, ids: Sequence[Sequence[int]], size: int) -> list[pa.ListArray]:
        """The ids of each text, given those of each distinct word, in arrays of `size` texts.

        Each starts at offset 0 and ends with its last id, unlike a slice: Arrow writes it as bytes that do not depend
        on the texts around it.
        """
        of_words = pa.array(ids, pa.list_(pa.int32())).take(self.places)
        flat = of_words.flatten().to_numpy()
        starts = of_words.offsets.to_numpy()[np.concatenate([[0], np.cumsum(self.lengths)])]
        arrays = []
        for first in range(0, len(self.lengths), size):
            offsets = starts[first : first + size + 1]
            part = flat[offsets[0] : offsets[-1]]
            arrays.append(pa.ListArray.from_arrays(pa.array(offsets - offsets[0], pa.int32()), pa.array(part)))
        return arrays
