import numpy as np
import pytest
import sacrebleu

from softalign.evaluation.scores import METRICS, corpus_scores, item_statistics

PREDICTIONS = ["the cat sat on the mat", "", "a dog barked at the old cat ."]
REFERENCES = [["the cat sat on a mat", "a cat sat on the mat"], ["nothing"], ["a dog barked at the cat ."]]


def test_all_metrics_by_default():
    scores = corpus_scores(item_statistics(PREDICTIONS, REFERENCES))
    assert tuple(scores) == METRICS
    assert all(0 < score < 100 for score in scores.values())


def test_one_metric_gives_the_same_number():
    everything = corpus_scores(item_statistics(PREDICTIONS, REFERENCES))
    for metric in METRICS:
        assert corpus_scores(item_statistics(PREDICTIONS, REFERENCES, [metric])) == {metric: everything[metric]}


def test_a_perfect_prediction_scores_100():
    texts = ["the cat sat on a mat .", "a dog barked at the old cat ."]
    scores = corpus_scores(item_statistics(texts, [[text] for text in texts]))
    assert scores == pytest.approx(dict.fromkeys(METRICS, 100.0))


@pytest.mark.parametrize("metric", METRICS)
def test_selected_rows_score_as_if_scored_alone(metric):
    statistics = item_statistics(PREDICTIONS, REFERENCES, [metric])[metric]
    alone = item_statistics([PREDICTIONS[2]], [REFERENCES[2]], [metric])[metric]
    assert statistics.select(np.array([2])).corpus_score() == pytest.approx(alone.corpus_score())
    assert len(statistics.select(np.array([0, 2]))) == 2


def test_all_predictions_empty():
    scores = corpus_scores(item_statistics(["", ""], [["a b"], ["c", "d"]]))
    assert scores == dict.fromkeys(METRICS, 0.0)


def test_bleu_with_several_references_is_sacrebleus():
    streams = [["the cat sat on a mat", "nothing", "a dog barked at the cat ."], ["a cat sat on the mat", None, None]]
    expected = sacrebleu.corpus_bleu(PREDICTIONS, streams).score
    assert corpus_scores(item_statistics(PREDICTIONS, REFERENCES, ["bleu"]))["bleu"] == pytest.approx(expected)


def test_refuses_what_cannot_be_scored():
    with pytest.raises(ValueError, match="1 predictions but references of 2 items"):
        item_statistics(["a"], [["a"], ["b"]])
    with pytest.raises(ValueError, match="without a reference"):
        item_statistics(["a"], [[]])
    with pytest.raises(ValueError, match="choose from bleu, chrf"):
        item_statistics(["a"], [["a"]], ["meteor"])
