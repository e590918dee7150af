"""Exact match and token accuracy, counted by hand."""

import numpy as np
import pytest

from softalign.evaluation.matches import MATCH_METRICS, match_statistics
from softalign.evaluation.scores import SCORES, corpus_scores, item_statistics, metrics_of
from softalign.evaluation.significance import percentile_interval, resampled_scores, two_sided_p_value

PREDICTIONS = ["a  b ", "c", "", "D", "a b c d", "x b"]
REFERENCES = [["a b"], ["x", "c"], ["e f"], ["d"], ["a c b d"], ["a b c", "a b"]]


def test_exact_match_takes_any_reference_and_minds_case_but_not_white_space():
    values = match_statistics(PREDICTIONS, REFERENCES)["exact_match"]
    np.testing.assert_array_equal(values, [[1, 1], [1, 1], [0, 1], [0, 1], [0, 1], [0, 1]])
    assert SCORES["exact_match"](values.sum(axis=0)) == pytest.approx(100 * 2 / 6)


def test_token_accuracy_counts_words_at_their_place():
    values = match_statistics(PREDICTIONS, REFERENCES)["token_accuracy"]
    np.testing.assert_array_equal(values, [[2, 2], [1, 1], [0, 2], [0, 1], [2, 4], [1, 2]])
    assert SCORES["token_accuracy"](values.sum(axis=0)) == pytest.approx(100 * 6 / 12)


def test_words_too_many_are_wrong():
    assert corpus_scores(item_statistics(["a b c d"], [["a b"]], ["token_accuracy"])) == {"token_accuracy": 50.0}


def test_a_task_with_one_right_answer_has_these_metrics_and_no_others():
    assert metrics_of("exact_match") == metrics_of("token_accuracy") == MATCH_METRICS
    assert not set(MATCH_METRICS) & set(metrics_of("bleu"))


def test_arms_are_compared_by_it():
    references = [[word] for word in "abcdefghij" * 10]
    all_right = item_statistics([several[0] for several in references], references, ["exact_match"])["exact_match"]
    half = item_statistics(["a", "b", "c", "d", "e", *"-----"] * 10, references, ["exact_match"])["exact_match"]
    right, wrong = resampled_scores([all_right, half], 500, 0)
    low, high = percentile_interval(right - wrong, 0.95)
    assert 35 < low < 50 < high < 65 and two_sided_p_value(right - wrong) < 0.01
