import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.evaluation.chrf import chrf_score, chrf_statistics
from softalign.evaluation.references import reference_streams

texts = st.text("ab c.é", max_size=12)
items = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=6)


def test_statistics_of_a_hand_counted_pair():
    # "ab c" has the characters a b c and the bigrams ab bc; "abd" has a b d and ab bd.
    values, _ = chrf_statistics(["ab c"], [["abd"]])
    assert values[0, :9].tolist() == [3, 3, 2, 2, 2, 1, 1, 1, 0]
    assert values[0, 9:].tolist() == [0] * 9


def test_score_of_a_hand_counted_pair():
    values, _ = chrf_statistics(["ab c"], [["abd"]])
    mean = (2 / 3 + 1 / 2 + 0) / 3  # precision and recall are equal, so F is that too
    assert chrf_score(values.sum(axis=0)) == pytest.approx(100 * mean)


def test_recall_weighs_four_times():
    values, _ = chrf_statistics(["a"], [["aaa"]])
    # Order 1 alone is in both: P = 1, R = 1/3.
    assert chrf_score(values.sum(axis=0)) == pytest.approx(100 * 5 * (1 / 3) / (4 + 1 / 3))


@given(items)
@settings(max_examples=200, deadline=None)
def test_equals_sacrebleu(pairs):
    predictions, references = [p for p, _ in pairs], [r for _, r in pairs]
    values, _ = chrf_statistics(predictions, references)
    expected = sacrebleu.corpus_chrf(predictions, reference_streams(references)).score
    assert float(chrf_score(values.sum(axis=0))) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_signature():
    _, signature = chrf_statistics(["a"], [["a", "b"]])
    assert signature.startswith("nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")


def test_empty_predictions():
    values, _ = chrf_statistics(["", ""], [["abc"], ["d", "e"]])
    assert chrf_score(values.sum(axis=0)) == 0.0
