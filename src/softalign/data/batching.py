"""Batches: the record that models read, how rows become one, and which rows go together.

B batch, S source length with EOS, T target length with EOS (or BOS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from softalign.data.tokenizer import BOS, EOS, PAD

Row = tuple[int, Sequence[int], Sequence[int]]  # index in its split, source ids, target ids


@dataclass(frozen=True)
class Batch:
    """B pairs of sentences, padded on the right with PAD, sorted by source length, longest first."""

    source: Tensor  # (B, S) int64: x_1 .. x_n EOS
    source_lengths: Tensor  # (B,) int64 on the CPU, where packed sequences want it; EOS counted
    target_in: Tensor  # (B, T) int64: BOS y_1 .. y_n
    target_out: Tensor  # (B, T) int64: y_1 .. y_n EOS
    rows: Tensor  # (B,) int64: index of each pair in its split

    @property
    def source_mask(self) -> Tensor:
        """(B, S) bool: True on tokens, False on padding."""
        return self.source != PAD

    @property
    def target_mask(self) -> Tensor:
        """(B, T) bool: True on the tokens of `target_out`, False on padding."""
        return self.target_out != PAD

    @property
    def n_target_tokens(self) -> int:
        """Tokens of `target_out` that are to be predicted, EOS counted."""
        return int(self.target_mask.sum())

    def __len__(self) -> int:
        """B, the number of pairs."""
        return len(self.source)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on `device`; the lengths stay on the CPU."""
        return Batch(
            source=self.source.to(device),
            source_lengths=self.source_lengths,
            target_in=self.target_in.to(device),
            target_out=self.target_out.to(device),
            rows=self.rows.to(device),
        )


def collate(rows: Sequence[Row]) -> Batch:
    """Make a batch of (index, source ids, target ids); the ids come without BOS and EOS.

    Rows of equal source length stay in the order given. Raises `ValueError` for no rows at all.
    """
    if not rows:
        raise ValueError("a batch needs at least one row")
    rows = sorted(rows, key=lambda row: -len(row[1]))
    sources = [source for _, source, _ in rows]
    targets = [target for _, _, target in rows]
    return Batch(
        source=_padded(sources, last=EOS),
        source_lengths=torch.tensor([len(source) + 1 for source in sources]),
        target_in=_padded(targets, first=BOS),
        target_out=_padded(targets, last=EOS),
        rows=torch.tensor([row for row, _, _ in rows]),
    )


def _padded(sequences: Sequence[Sequence[int]], first: int | None = None, last: int | None = None) -> Tensor:
    """(B, longest + 1) int64: each sequence with `first` before it or `last` after it, then PAD."""
    lengths = np.array([len(sequence) for sequence in sequences])
    ids = np.full((len(sequences), lengths.max() + 1), PAD, dtype=np.int64)
    start = 0 if first is None else 1
    for row, sequence in zip(ids, sequences, strict=True):
        row[start : start + len(sequence)] = sequence
    if first is not None:
        ids[:, 0] = first
    if last is not None:
        ids[np.arange(len(sequences)), lengths] = last
    return torch.from_numpy(ids)
