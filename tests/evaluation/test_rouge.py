import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from softalign.evaluation.rouge import ROUGE_METRICS, mean_score, rouge_statistics

vocabulary = ["police", "arrest", "arrested", "gunman", "killed", "the", "end", "."]
texts = st.lists(st.sampled_from(vocabulary), max_size=8).map(" ".join)


def f1(predictions, references, metric):
    return rouge_statistics(predictions, references)[0][metric][:, 0]


def test_hand_counted_pair():
    # Lin 2004, 3.1: S1 "police killed the gunman", S2 "police kill the gunman" without stemming share 3 of 4 words;
    # with it all of them. Here "police ended the gunman" keeps one word apart.
    prediction, reference = "police ended the gunman", "police killed the gunman"
    assert f1([prediction], [[reference]], "rouge1")[0] == pytest.approx(3 / 4)
    assert f1([prediction], [[reference]], "rouge2")[0] == pytest.approx(1 / 3)
    assert f1([prediction], [[reference]], "rougeL")[0] == pytest.approx(3 / 4)


def test_longest_common_subsequence_keeps_order():
    assert f1(["the gunman killed police"], [["police killed the gunman"]], "rougeL")[0] == pytest.approx(2 / 4)


def test_stemming():
    assert f1(["arrested"], [["arrests"]], "rouge1")[0] == 1.0


def test_best_reference_counts_for_each_metric():
    values, _ = rouge_statistics(["a b c d"], [["d c b a", "a b x y"]])
    assert values["rouge1"][0, 0] == 1.0  # the first reference
    assert values["rouge2"][0, 0] == pytest.approx(1 / 3)  # the second
    assert values["rougeL"][0, 0] == pytest.approx(1 / 2)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_equals_the_mean_of_rouge_score(pairs):
    values, _ = rouge_statistics([p for p, _ in pairs], [[r] for _, r in pairs])
    scorer = RougeScorer(list(ROUGE_METRICS), use_stemmer=True)
    for metric in ROUGE_METRICS:
        expected = 100 * np.mean([scorer.score(r, p)[metric].fmeasure for p, r in pairs])
        assert float(mean_score(values[metric].sum(axis=0))) == pytest.approx(expected)


def test_signature_states_the_settings():
    _, signature = rouge_statistics(["a"], [["a", "b"]])
    assert "nrefs:2" in signature and "stemmer:porter" in signature and "several:best" in signature


def test_empty_predictions():
    values, _ = rouge_statistics(["", ""], [["a b"], [""]])
    assert all(mean_score(values[metric].sum(axis=0)) == 0.0 for metric in ROUGE_METRICS)
