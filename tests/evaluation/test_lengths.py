import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from softalign.evaluation.lengths import count_words, example_rows, length_buckets


def test_equal_buckets():
    buckets = length_buckets([1, 2, 3, 4, 5, 6], 3)
    assert [(b.low, b.high, b.rows.tolist()) for b in buckets] == [(1, 2, [0, 1]), (3, 4, [2, 3]), (5, 6, [4, 5])]


def test_equal_lengths_stay_together():
    buckets = length_buckets([7, 3, 3, 3, 3, 9], 3)
    assert [(b.low, b.high, sorted(b.rows.tolist())) for b in buckets] == [(3, 3, [1, 2, 3, 4]), (4, 9, [0, 5])]


def test_one_length_is_one_bucket():
    assert [(b.low, b.high) for b in length_buckets([5] * 10, 4)] == [(5, 5)]


def test_no_items():
    assert length_buckets([], 5) == []


@given(st.lists(st.integers(0, 60), min_size=1, max_size=200), st.integers(1, 8))
def test_buckets_are_a_partition(words, n):
    buckets = length_buckets(words, n)
    assert 1 <= len(buckets) <= n
    assert sorted(np.concatenate([b.rows for b in buckets]).tolist()) == list(range(len(words)))
    for bucket in buckets:
        assert all(bucket.low <= words[row] <= bucket.high for row in bucket.rows)
    for before, after in zip(buckets, buckets[1:], strict=False):
        assert after.low == before.high + 1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300), st.integers(1, 6))
def test_buckets_are_as_equal_as_ties_allow(words, n):
    largest_tie = max(np.bincount(words))
    for bucket in length_buckets(words, n):
        assert len(bucket.rows) <= len(words) / n + largest_tie


def test_words_are_split_at_white_space():
    assert count_words(" a  b\tc\n") == 3
    assert count_words("") == 0


def test_examples_spread_from_short_to_long():
    assert example_rows([30, 10, 20, 40], 2) == [2, 3]
    assert example_rows([5, 5, 5, 5], 4) == [0, 1, 2, 3]
    assert example_rows([1, 2], 5) == [0, 1]
    assert example_rows([1, 2], 0) == []


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 9))
def test_examples_are_distinct_rows(words, count):
    chosen = example_rows(words, count)
    assert len(chosen) == len(set(chosen)) == min(count, len(words))
    assert [words[row] for row in chosen] == sorted(words[row] for row in chosen)
