"""Batches hold what went in and nothing else; the sampler gives every row once and pads little."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softalign.data.batching import BucketSampler, collate
from softalign.data.tokenizer import BOS, EOS, PAD

ids = st.lists(st.integers(3, 50), max_size=8)
length_pairs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


def test_collate_by_hand() -> None:
    batch = collate([(5, [7, 8], [9]), (2, [7, 8, 9], [4, 5, 6])])
    assert batch.source.tolist() == [[7, 8, 9, EOS], [7, 8, EOS, PAD]]
    assert batch.source_lengths.tolist() == [4, 3]
    assert batch.target_in.tolist() == [[BOS, 4, 5, 6], [BOS, 9, PAD, PAD]]
    assert batch.target_out.tolist() == [[4, 5, 6, EOS], [9, EOS, PAD, PAD]]
    assert batch.rows.tolist() == [2, 5]
    assert batch.n_target_tokens == 6
    assert batch.source_mask.tolist() == [[True] * 4, [True] * 3 + [False]]
    assert batch.target_mask.tolist() == [[True] * 4, [True] * 2 + [False] * 2]
    assert all(t.dtype == torch.int64 for t in (batch.source, batch.source_lengths, batch.target_in, batch.rows))


@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=6))
def test_every_row_is_in_the_batch_and_padding_is_all_else(rows: list[tuple[list[int], list[int]]]) -> None:
    batch = collate([(index, source, target) for index, (source, target) in enumerate(rows)])
    assert sorted(batch.rows.tolist()) == list(range(len(rows)))
    assert batch.source_lengths.tolist() == sorted(batch.source_lengths.tolist(), reverse=True)
    for place, index in enumerate(batch.rows.tolist()):
        source, target = rows[index]
        assert batch.source[place][batch.source_mask[place]].tolist() == [*source, EOS]
        assert batch.target_out[place][batch.target_mask[place]].tolist() == [*target, EOS]
        assert batch.target_in[place][batch.target_mask[place]].tolist() == [BOS, *target]
        assert batch.source_lengths[place] == len(source) + 1
    for tensor, mask in ((batch.source, batch.source_mask), (batch.target_in, batch.target_mask)):
        assert (tensor[~mask] == PAD).all()
        assert mask.any(dim=0).all()  # no column is padding alone
        assert (mask[:, :-1] >= mask[:, 1:]).all()  # padding is on the right
    assert batch.n_target_tokens == sum(len(target) + 1 for _, target in rows)


def test_rows_may_be_arrays_and_rows_of_one_length_keep_their_order() -> None:
    batch = collate([(n, np.array([n], dtype=np.int32), np.array([], dtype=np.int32)) for n in (9, 3, 6)])
    assert batch.rows.tolist() == [9, 3, 6]
    assert batch.target_out.tolist() == [[EOS]] * 3


def test_moving_a_batch_leaves_the_lengths_behind() -> None:
    moved = collate([(0, [5], [6])]).to("meta")
    assert moved.source.device.type == moved.target_in.device.type == moved.rows.device.type == "meta"
    assert moved.source_lengths.device.type == "cpu"


def test_no_rows_are_no_batch() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        collate([])


@given(length_pairs, st.integers(1, 80), st.sampled_from(["sentences", "tokens"]), st.booleans(), st.integers(0, 9))
def test_every_row_once_in_every_epoch(
    lengths: list[tuple[int, int]], size: int, unit: str, shuffle: bool, epoch: int
) -> None:
    source, target = [s for s, _ in lengths], [t for _, t in lengths]
    sampler = BucketSampler(source, target, size, unit, seed=3, shuffle=shuffle)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert len(batches) == len(sampler) and all(batches)
    for batch in batches:
        cells = len(batch) * (max(source[row] + 1 for row in batch) + max(target[row] + 1 for row in batch))
        assert len(batch) <= size if unit == "sentences" else cells <= size or len(batch) == 1
    if unit == "sentences":
        assert len(batches) == -(-len(lengths) // size)
    assert list(sampler) == batches


def sentence_lengths(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Source lengths as natural sentences have them (log-normal), target lengths that follow them with some noise."""
    generator = np.random.default_rng(seed)
    source = np.clip(generator.lognormal(2.6, 0.45, rows), 3, 60).astype(int)
    target = np.clip(source * 1.05 + generator.normal(0, 2.5, rows), 2, 70).astype(int)
    return source, target


def report_lengths(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Long sources and short targets that do not follow them, as summaries have them."""
    generator = np.random.default_rng(0)
    return generator.integers(30, 120, rows), np.clip(generator.normal(14, 3, rows), 8, 20).astype(int)


@pytest.mark.parametrize("lengths", [sentence_lengths(16_000), report_lengths(12_000)], ids=["sentences", "reports"])
@pytest.mark.parametrize(("size", "unit"), [(64, "sentences"), (3000, "tokens")])
def test_little_is_padding(lengths: tuple[np.ndarray, np.ndarray], size: int, unit: str) -> None:
    source, target = lengths
    sampler = BucketSampler(source, target, size, unit, seed=1)
    shares = []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        cells = sum(len(batch) * (source[batch].max() + target[batch].max() + 2) for batch in sampler)
        shares.append(1 - (source.sum() + target.sum() + 2 * len(source)) / cells)
    assert max(shares) < 0.04
    assert min(shares) <= sampler.padding + 0.002 and max(shares) >= sampler.padding - 0.002


def test_batches_by_tokens_are_full() -> None:
    source, target = sentence_lengths(8000)
    cells = [
        len(batch) * (source[batch].max() + target[batch].max() + 2)
        for batch in BucketSampler(source, target, 3000, "tokens")
    ]
    assert np.mean(cells) > 0.94 * 3000


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    source, target = sentence_lengths(2000)

    def batches(seed: int, epoch: int) -> list[list[int]]:
        torch.manual_seed(seed + epoch)
        np.random.seed(epoch)
        sampler = BucketSampler(source, target, 32, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert batches(1, 2) == batches(1, 2)
    assert len({str(batches(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_rows_meet_others_in_the_next_epoch() -> None:
    source, target = report_lengths(4000)
    sampler = BucketSampler(source, target, 64, seed=1)
    before = {row: place for place, batch in enumerate(sampler) for row in batch}
    sampler.set_epoch(1)
    again = [np.bincount([before[row] for row in batch]).max() / len(batch) for batch in sampler]
    assert np.mean(again) < 0.75


def test_the_order_of_batches_is_shuffled() -> None:
    source, target = sentence_lengths(4000)
    means = [source[batch].mean() for batch in BucketSampler(source, target, 64, seed=1)]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.4


def test_without_shuffling_the_order_is_fixed_and_short_sources_come_first() -> None:
    source, target = sentence_lengths(1000)
    sampler = BucketSampler(source, target, 50, shuffle=False, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) == first == list(BucketSampler(source, target, 50, shuffle=False, seed=2))
    assert source[first[0]].max() < source[first[-1]].min()


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="sentences or tokens"):
        BucketSampler([1], [1], 4, "words")
    with pytest.raises(ValueError, match="1 or more"):
        BucketSampler([1], [1], 0)
