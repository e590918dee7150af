import numpy as np
import pytest

from softalign.config import EvaluationConfig
from softalign.evaluation.by_length import score_by_length
from softalign.evaluation.lengths import length_buckets
from softalign.evaluation.scores import item_statistics
from softalign.evaluation.significance import bootstrap_interval


def test_each_bucket_is_scored_alone_with_its_interval():
    generator = np.random.default_rng(0)
    references = [[" ".join(generator.choice(list("abcd"), length))] for length in generator.integers(4, 12, 60)]
    predictions = [text[0][:-1] + str(generator.choice(list("abcd"))) for text in references]
    words = [len(text[0].split()) for text in references]
    buckets = length_buckets(words, 3)
    config = EvaluationConfig(bootstrap_samples=200, confidence=0.9)
    records = score_by_length("bleu", item_statistics(predictions, references, ["bleu"])["bleu"], buckets, config)
    assert sum(record["rows"] for record in records) == 60
    for record, bucket in zip(records, buckets, strict=True):
        own = [(predictions[row], references[row]) for row in bucket.rows]
        statistics = item_statistics([p for p, _ in own], [r for _, r in own], ["bleu"])["bleu"]
        expected = bootstrap_interval(statistics, 200, 0.9, 0)
        assert (record["low"], record["high"], record["metric"]) == (bucket.low, bucket.high, "bleu")
        found = (record["score"], record["ci_low"], record["ci_high"])
        assert found == pytest.approx((expected.score, expected.low, expected.high))
        assert record["ci_low"] <= record["score"] <= record["ci_high"]
