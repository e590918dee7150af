"""Batches: the record that models read, how rows become one, and which rows go together.

B batch, S source length with EOS, T target length with EOS (or BOS).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.utils.data import Sampler

from softalign.data.tokenizer import BOS, EOS, PAD

# index in its split, source ids, target ids
Row = tuple[int, Sequence[int] | NDArray[np.int32], Sequence[int] | NDArray[np.int32]]


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


def _padded(
    sequences: Sequence[Sequence[int] | NDArray[np.int32]], first: int | None = None, last: int | None = None
) -> Tensor:
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


class BucketSampler(Sampler[list[int]]):
    """Batches of rows of similar source and similar target length; every row once in each epoch.

    The rows are cut by source length into strips, sorted by target length within a strip (up in one, down in the
    next, so that a batch that reaches over the border is still of similar targets), and cut into batches. Few strips
    leave padding in the sources, many leave it in the targets: as many are used as pad least.

    With `shuffle`, rows of equal lengths change places and the batches come in another order in each epoch, by
    `seed` and `epoch` alone. Without, the order is fixed: by length, shortest sources first.

    `source_lengths`, `target_lengths`: (N,) without BOS and EOS. `batch_size` counts pairs for the unit "sentences";
    for "tokens" it bounds B * (S + T), padding and EOS included, and a row that is longer is a batch of its own.
    """

    def __init__(
        self,
        source_lengths: ArrayLike,
        target_lengths: ArrayLike,
        batch_size: int,
        batch_unit: str = "sentences",
        seed: int = 0,
        shuffle: bool = True,
    ) -> None:
        if batch_unit not in ("sentences", "tokens"):
            raise ValueError(f"batch_unit is sentences or tokens, not {batch_unit!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be 1 or more")
        self.sampler = self  # Lightning calls `set_epoch` on `batch_sampler.sampler`
        self.seed = seed
        self.epoch = 0
        self.shuffle = shuffle
        lengths = np.stack([np.asarray(source_lengths), np.asarray(target_lengths)]).astype(np.int64) + 1
        self._ranks, self._starts, self.padding = _least_padded(lengths, batch_size, batch_unit)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch's order the next `iter` gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches in an epoch, the same in every one."""
        return len(self._starts)

    def __iter__(self) -> Iterator[list[int]]:
        rows = np.arange(len(self._ranks))
        batches = np.arange(len(self._starts))
        if self.shuffle:
            generator = np.random.default_rng([self.seed, self.epoch])
            rows = generator.permutation(rows)
            batches = generator.permutation(batches)
        rows = rows[np.argsort(self._ranks[rows], kind="stable")]
        ends = np.append(self._starts[1:], len(rows))
        for batch in batches:
            yield rows[self._starts[batch] : ends[batch]].tolist()


def _least_padded(
    lengths: NDArray[np.int64], size: int, unit: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Where each row comes in the order (rows of equal lengths share a place), the first place of each batch, and
    the share of the cells that are padding, for the best number of strips found by doubling."""
    best: tuple[NDArray[np.int64], NDArray[np.int64], float] | None = None
    strips = 1
    while strips <= max(1, len(np.unique(lengths[0]))) * 2:
        ranks = _ranks(lengths, strips)
        ordered = lengths[:, np.argsort(ranks, kind="stable")]
        starts = _starts(ordered, size, unit)
        padding = _padding(ordered, starts)
        if best is None or padding < best[2]:
            best = ranks, starts, padding
        strips *= 2
    assert best is not None
    return best


def _ranks(lengths: NDArray[np.int64], strips: int) -> NDArray[np.int64]:
    """(N,) the place of each row in the order of a snake through `strips` strips of about equally many rows."""
    source, target = lengths
    _, group, counts = np.unique(source, return_inverse=True, return_counts=True)
    shorter = np.cumsum(counts) - counts  # rows whose source is shorter
    strip = (shorter * strips // max(1, len(source)))[group]
    up = np.where(strip % 2, -target, target)
    _, ranks = np.unique(np.stack([strip, up, np.where(target % 2, -source, source)]), axis=1, return_inverse=True)
    return ranks.reshape(-1)


def _starts(ordered: NDArray[np.int64], size: int, unit: str) -> NDArray[np.int64]:
    """The first place of each batch when rows of lengths `ordered` (2, N) are cut in order."""
    rows = ordered.shape[1]
    if unit == "sentences":
        return np.arange(0, rows, size)
    starts = []
    count = source = target = 0
    for place, (s, t) in enumerate(ordered.T.tolist()):
        source, target = max(source, s), max(target, t)
        if count and (count + 1) * (source + target) <= size:
            count += 1
        else:
            starts.append(place)
            count, source, target = 1, s, t
    return np.array(starts, dtype=np.int64)


def _padding(ordered: NDArray[np.int64], starts: NDArray[np.int64]) -> float:
    """The share of the cells of all source and target matrices that is padding."""
    if not len(starts):
        return 0.0
    counts = np.diff(np.append(starts, ordered.shape[1]))
    cells = int((np.maximum.reduceat(ordered, starts, axis=1) * counts).sum())
    return 1 - int(ordered.sum()) / cells
