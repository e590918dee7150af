from hypothesis import given
from hypothesis import strategies as st

from softalign.evaluation.attention_maps import example_rows


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
