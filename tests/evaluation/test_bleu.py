import math

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from softalign.evaluation.bleu import bleu_score, bleu_statistics
from softalign.evaluation.references import reference_streams

words = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", ",", "too", "."]), max_size=9).map(" ".join)
items = st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=3)), min_size=1, max_size=6)


def test_statistics_of_a_hand_counted_pair():
    # "a b c d e" against "a b c d f": 4 of 5 words, 3 of 4 bigrams, 2 of 3 trigrams, 1 of 2 four-grams.
    values, _ = bleu_statistics(["a b c d e"], [["a b c d f"]])
    assert values.tolist() == [[5, 5, 4, 3, 2, 1, 5, 4, 3, 2]]


def test_score_of_a_hand_counted_pair():
    values, _ = bleu_statistics(["a b c d e"], [["a b c d f"]])
    assert bleu_score(values.sum(axis=0)) == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_brevity_penalty_by_hand():
    # Every n-gram of the prediction is right, and it has 5 words of 8.
    values, _ = bleu_statistics(["a b c d e"], [["a b c d e f g h"]])
    assert bleu_score(values.sum(axis=0)) == pytest.approx(100 * math.exp(1 - 8 / 5))


@given(items)
@settings(max_examples=200, deadline=None)
def test_equals_sacrebleu(pairs):
    predictions, references = [p for p, _ in pairs], [r for _, r in pairs]
    values, _ = bleu_statistics(predictions, references)
    expected = sacrebleu.corpus_bleu(predictions, reference_streams(references)).score
    assert float(bleu_score(values.sum(axis=0))) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_equals_sacrebleu_on_random_totals():
    # Orders without a match, or without an n-gram, in every combination.
    generator = np.random.default_rng(0)
    predicted = np.sort(generator.integers(0, 6, size=(2000, 4)))[:, ::-1]
    matched = np.sort(np.minimum(generator.integers(0, 6, size=(2000, 4)), predicted))[:, ::-1]
    lengths = np.stack([predicted[:, 0], generator.integers(0, 9, size=2000)], axis=1)
    totals = np.concatenate([lengths, matched, predicted], axis=1)
    expected = [BLEU.compute_bleu(list(r[2:6]), list(r[6:]), r[0], r[1], smooth_method="exp").score for r in totals]
    np.testing.assert_allclose(bleu_score(totals.astype(float)), expected, rtol=1e-12)


def test_signature_states_tokenizer_case_and_references():
    _, one = bleu_statistics(["A b"], [["A b"]])
    _, several = bleu_statistics(["A b", "c"], [["A b", "a"], ["c"]])
    assert one.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert several.startswith("nrefs:var|")


def test_case_counts():
    values, _ = bleu_statistics(["THE CAT SAT DOWN"], [["the cat sat down"]])
    assert bleu_score(values.sum(axis=0)) == 0.0


@pytest.mark.parametrize("predictions", [[""], ["", ""], ["", "a b c d"]])
def test_empty_predictions(predictions):
    references = [["a b c d"]] * len(predictions)
    values, _ = bleu_statistics(predictions, references)
    expected = sacrebleu.corpus_bleu(predictions, reference_streams(references)).score
    assert float(bleu_score(values.sum(axis=0))) == pytest.approx(expected)
