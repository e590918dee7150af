import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from softalign.evaluation.alignment import (
    AlignmentScore,
    attention_links,
    diagonal_links,
    entropies,
    error_rate,
    link_counts,
    parse_links,
    same_word_links,
    word_weights,
)


def test_parse_links():
    assert parse_links("0-0 2-1 2-1") == {(0, 0), (2, 1)}
    assert parse_links("") == frozenset()
    for wrong in ("1", "a-b", "1-"):
        with pytest.raises(ValueError):
            parse_links(wrong)


def test_subwords_become_words():
    # Source subwords: word 0, word 0, word 1. Target subwords: word 0, word 1, word 1.
    weights = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.0, 0.2, 0.8]])
    expected = [[0.5, 0.5], [(0.8 + 0.2) / 2, (0.2 + 0.8) / 2]]
    np.testing.assert_allclose(word_weights(weights, [0, 0, 1], [0, 1, 1]), expected)


@given(
    arrays(np.float64, (4, 5), elements=st.floats(0.01, 1)),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
    st.lists(st.integers(0, 1), min_size=3, max_size=3),
)
def test_word_weights_of_whole_rows_stay_distributions(weights, source_steps, target_steps):
    weights = weights / weights.sum(axis=1, keepdims=True)
    source_words, target_words = np.cumsum([0, *source_steps]), np.cumsum([0, *target_steps])
    words = word_weights(weights, source_words.tolist(), target_words.tolist())
    assert words.shape == (target_words[-1] + 1, source_words[-1] + 1)
    np.testing.assert_allclose(words.sum(axis=1), 1)


def test_each_target_word_links_to_its_largest_weight():
    assert attention_links(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])) == {(1, 0), (0, 1), (1, 2)}


def test_diagonal():
    assert diagonal_links(3, 3) == {(0, 0), (1, 1), (2, 2)}
    assert diagonal_links(2, 4) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert diagonal_links(4, 2) == {(1, 0), (3, 1)}
    assert diagonal_links(0, 2) == frozenset()


def test_same_words_are_linked_as_near_to_the_diagonal_as_can_be():
    assert same_word_links(["a", "cat", "saw", "a", "dog", "."], ["the", "Dog,", "a", "cat"]) == {
        (4, 1),
        (3, 2),
        (1, 3),
    }
    assert same_word_links(["a", "a"], ["a"]) == {(0, 0)}  # as near as the other, and the first
    assert same_word_links(["a", "b", "a"], ["a", "a"]) == {(0, 0), (2, 1)}
    assert same_word_links(["x"], ["y"]) == same_word_links([], ["y"]) == same_word_links(["."], ["."]) == frozenset()


def test_the_better_of_two_baselines_is_the_one_to_beat():
    eye, same = np.eye(2), same_word_links(["x", "y"], ["y", "z"])
    score = AlignmentScore()
    score.add(0, eye, [0, 1], [0, 1], parse_links("1-0"), same)
    report = score.report()
    assert (report["diagonal_error_rate"], report["same_word_error_rate"], report["baseline"]) == (1, 0, "same_word")


def test_error_rate_is_och_and_neys_and_one_minus_f1():
    first = link_counts(parse_links("0-0 1-1 2-2"), parse_links("0-0 1-2"))
    second = link_counts(parse_links("0-0"), parse_links("0-0"))
    assert (first, second) == ((1, 3, 2), (1, 1, 1))
    totals = np.array([first, second]).sum(axis=0)  # A has 4 links, S = P has 3, both 2
    assert error_rate(totals) == pytest.approx(1 - (2 + 2) / (4 + 3))
    precision, recall = 2 / 4, 2 / 3
    assert error_rate(totals) == pytest.approx(1 - 2 * precision * recall / (precision + recall))


def test_entropy():
    weights = np.array([[0.25] * 4, [1.0, 0, 0, 0], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(entropies(weights), [math.log(4), 0, math.log(2)])


def test_score_of_a_pair_drops_the_end_of_both_sides():
    score = AlignmentScore()
    # Subwords: source "ab c" as a b | c, then the end; target "x y", then the end. The source's end has most weight.
    weights = np.array([[0.05, 0.05, 0.3, 0.6], [0.1, 0.2, 0.1, 0.6], [0.0, 0.0, 0.0, 1.0]])
    score.add(0, weights, [0, 0, 1], [0, 1], parse_links("1-0 0-1"), frozenset())
    report = score.report()
    assert (report["error_rate"], report["precision"], report["recall"]) == (0, 1, 1)
    assert (report["diagonal_error_rate"], report["same_word_error_rate"], report["baseline"]) == (1, 1, "diagonal")
    assert report["links"] == 2
    assert report["entropy"] == pytest.approx(entropies(weights[:2]).mean())
    assert report["entropy_uniform"] == pytest.approx(math.log(4))


def test_what_one_link_for_each_target_word_can_reach():
    score = AlignmentScore()
    # Target word 0 has two gold links, target word 1 has none.
    score.add(0, np.array([[0.6, 0.4], [0.5, 0.5]]), [0, 1], [0, 1], parse_links("0-0 1-0"), frozenset())
    report = score.report()
    assert report["reachable_error_rate"] == pytest.approx(1 - 2 * 1 / (2 + 2))
    assert report["error_rate"] == report["reachable_error_rate"]


def test_rates_are_over_all_links_of_the_corpus():
    score = AlignmentScore()
    eye = np.eye(3)
    score.add(0, eye, [0, 1, 2], [0, 1, 2], parse_links("0-0 1-1 2-2"), frozenset())
    score.add(1, eye[:1, :2], [0, 1], [0], parse_links("1-0"), frozenset())
    report = score.report()
    assert report["error_rate"] == pytest.approx(1 - 2 * 3 / (4 + 4))
    assert report["diagonal_error_rate"] == 0  # the single word's diagonal is source word 1


def test_empty_sides_and_no_pairs():
    score = AlignmentScore()
    with pytest.raises(ValueError):
        score.report()
    score.add(0, np.ones((1, 1)), [], [], frozenset(), frozenset())
    score.add(1, np.ones((2, 1)), [], [0], frozenset(), frozenset())
    assert [counts["attention"] for counts in score.counts.values()] == [(0, 0, 0), (0, 0, 0)]
