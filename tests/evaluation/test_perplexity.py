import math

import pytest

from softalign.evaluation.perplexity import word_perplexity


def test_by_hand():
    # 2 words + end, 1 word + end: 5 predictions of a word in all.
    assert word_perplexity([6.0, 4.0], [2, 1]) == pytest.approx(math.exp(10 / 5))


def test_a_uniform_model_over_v_words_has_perplexity_v():
    words = [3, 7, 0]
    assert word_perplexity([(n + 1) * math.log(50) for n in words], words) == pytest.approx(50)


def test_too_large_is_infinite_and_nothing_is_undefined():
    assert word_perplexity([1e6], [1]) == math.inf
    assert math.isnan(word_perplexity([], []))
