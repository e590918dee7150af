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

SHIFTS = 4  # ways to place the strips among which an epoch chooses


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

    With `shuffle`, each epoch draws by `seed` and `epoch` alone where the strips begin, which rows of equal lengths
    stand for each other, and the order of the batches: rows meet others in each epoch. Without, the order is fixed:
    by length, shortest sources first.

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
        lengths = Lengths.of(source_lengths, target_lengths)
        self._kind = lengths.kind
        plans = [plan(lengths, strips, 0.0, batch_size, batch_unit) for strips in lengths.strip_numbers()]
        best = min(plans, key=lambda candidate: candidate.padding)
        shifts = [n / SHIFTS for n in range(1, SHIFTS)] if shuffle else []
        self._plans = [best, *(plan(lengths, best.strips, shift, batch_size, batch_unit) for shift in shifts)]
        self._batches = max(len(found.starts) for found in self._plans)

    @property
    def padding(self) -> float:
        """The share of the cells of all source and target matrices that is padding, mean over the epochs."""
        return float(np.mean([found.padding for found in self._plans]))

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch's batches the next `iter` gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches in an epoch, the same in every one."""
        return self._batches

    def __iter__(self) -> Iterator[list[int]]:
        rows = np.arange(len(self._kind))
        batches = np.arange(self._batches)
        chosen = self._plans[0]
        if self.shuffle:
            generator = np.random.default_rng([self.seed, self.epoch])
            chosen = self._plans[generator.integers(len(self._plans))]
            rows = generator.permutation(rows)
            batches = generator.permutation(batches)
        rows = rows[np.argsort(chosen.rank[self._kind[rows]], kind="stable")]
        bounds = _split_to(self._batches, [*chosen.starts.tolist(), len(rows)])
        for batch in batches:
            yield rows[bounds[batch] : bounds[batch + 1]].tolist()


@dataclass(frozen=True)
class Lengths:
    """The lengths of N rows, told once for each of the K pairs of lengths that occur: K stays small where N grows."""

    source: NDArray[np.int64]  # (K,) EOS counted; ascending
    target: NDArray[np.int64]  # (K,) EOS counted
    rows: NDArray[np.int64]  # (K,) rows that have these lengths
    kind: NDArray[np.int64]  # (N,) which pair of lengths a row has

    @classmethod
    def of(cls, source_lengths: ArrayLike, target_lengths: ArrayLike) -> Lengths:
        source, target = (np.asarray(each, dtype=np.int64) + 1 for each in (source_lengths, target_lengths))
        width = int(target.max(initial=0)) + 1
        pairs, kind, rows = np.unique(source * width + target, return_inverse=True, return_counts=True)
        return cls(pairs // width, pairs % width, rows, kind)

    def strip_numbers(self) -> list[int]:
        """Numbers of strips worth trying: 1, 2, 3, 4, 6, 8, 12, ... up to one for each source length, or two."""
        most = 2 * max(1, len(np.unique(self.source)))
        return sorted({2**k for k in range(most.bit_length())} | {3 * 2**k for k in range((most // 3).bit_length())})


@dataclass(frozen=True)
class Plan:
    """One way to order the rows and cut them into batches."""

    strips: int
    rank: NDArray[np.int64]  # (K,) where the rows of each pair of lengths come
    starts: NDArray[np.int64]  # first place of each batch
    padding: float  # share of the cells that is padding


def plan(lengths: Lengths, strips: int, shift: float, size: int, unit: str) -> Plan:
    """Order by a snake through `strips` strips that begin `shift` of a strip earlier, and cut in that order.

    With r rows a source length and targets spread over D, batches of n rows pad least where strips are
    sqrt(D n / r) wide: so a strip takes an equal share of the sum of sqrt(r) rather than of the rows.
    """
    _, place = np.unique(lengths.source, return_inverse=True)
    mass = np.sqrt(np.bincount(place, weights=lengths.rows))
    strip = np.floor((np.cumsum(mass) - mass) / max(1.0, mass.sum()) * strips + shift).astype(np.int64)[place]
    snake = np.where(strip % 2, -lengths.target, lengths.target)
    order = np.lexsort((np.where(lengths.target % 2, -lengths.source, lengths.source), snake, strip))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    source, target, rows = lengths.source[order], lengths.target[order], lengths.rows[order]
    starts = _starts(source, target, rows, size, unit)
    cells = _cells(source, target, rows, starts)
    used = int(((source + target) * rows).sum())
    return Plan(strips, rank, starts, 1 - used / cells if cells else 0.0)


def _starts(
    source: NDArray[np.int64], target: NDArray[np.int64], rows: NDArray[np.int64], size: int, unit: str
) -> NDArray[np.int64]:
    """The first place of each batch when `rows` rows of each pair of lengths are cut in order."""
    if unit == "sentences":
        return np.arange(0, rows.sum(), size)
    starts = []
    place = count = longest_source = longest_target = 0  # `count` rows are in the batch that is being filled
    for s, t, left in zip(source.tolist(), target.tolist(), rows.tolist(), strict=True):
        while left:
            cells = max(longest_source, s) + max(longest_target, t)
            fit = min(left, size // cells - count)
            if fit <= 0 and count:
                count = longest_source = longest_target = 0
                continue
            if not count:
                starts.append(place)
                fit = max(1, fit)
            longest_source, longest_target = max(longest_source, s), max(longest_target, t)
            place, count, left = place + fit, count + fit, left - fit
    return np.array(starts, dtype=np.int64)


def _cells(
    source: NDArray[np.int64], target: NDArray[np.int64], rows: NDArray[np.int64], starts: NDArray[np.int64]
) -> int:
    """B * (S + T), summed over the batches."""
    if not len(starts):
        return 0
    total = int(rows.sum())
    first = np.searchsorted(np.cumsum(rows), starts, side="right")  # the pair of lengths of each batch's first row
    last = np.searchsorted(np.cumsum(rows), np.append(starts[1:], total) - 1, side="right")
    longest = [source[a : b + 1].max() + target[a : b + 1].max() for a, b in zip(first, last, strict=True)]
    return int((np.diff(np.append(starts, total)) * np.array(longest)).sum())


def _split_to(batches: int, bounds: list[int]) -> list[int]:
    """`bounds` of batches, the largest halved until there are `batches`: Lightning asks for their number only once."""
    while len(bounds) - 1 < batches:
        sizes = np.diff(bounds)
        largest = int(sizes.argmax())
        bounds.insert(largest + 1, bounds[largest] + int(sizes[largest]) // 2)
    return bounds
