"""Each arm's own scores, over seeds and by length."""

from __future__ import annotations

from statistics import mean, stdev

import pytest
import sacrebleu
from synthetic_runs import Reported

from softalign.config import EvaluationConfig
from softalign.evaluation.by_length import score_by_length
from softalign.evaluation.lengths import length_buckets
from softalign.reporting.arm_scores import SCORES, score_arms, score_lengths


def test_mean_spread_and_interval_over_seeds(two_seeds: Reported) -> None:
    records = two_seeds.results["scores"]
    keys = [key for key in SCORES if key != "token_accuracy"]  # which probes alone have
    assert [(r["model"], r["metric"]) for r in records] == [(m, k) for m in two_seeds.tasks[0].models for k in keys]
    record = next(r for r in records if (r["model"], r["metric"]) == ("bahdanau", "bleu"))
    values = [run.scores["test"]["bleu"] for run in two_seeds.tasks[0].of("bahdanau")]
    assert record["mean"] == pytest.approx(mean(values))
    assert record["deviation"] == pytest.approx(stdev(values))
    half = 12.7062 * stdev(values) / 2**0.5  # Student's t with one degree of freedom
    assert (record["low"], record["high"]) == pytest.approx((mean(values) - half, mean(values) + half), rel=1e-4)
    assert record["seeds"] == [1, 2]


def test_one_seed_shows_no_spread(one_seed: Reported) -> None:
    for record in one_seed.results["scores"]:
        assert (record["deviation"], record["low"], record["high"]) == (None, None, None)
    own = one_seed.tasks[0].of("multiply")[0].scores["test"]["chrf"]
    assert own in [record["mean"] for record in one_seed.results["scores"] if record["metric"] == "chrf"]


def test_a_score_that_a_seed_lacks_has_no_mean(two_seeds: Reported) -> None:
    scored = two_seeds.scored[0]
    test = scored.runs.of("vanilla")[1].scores["test"]
    kept = test["perplexity"]
    test["perplexity"] = None
    try:
        found = [(r["model"], r["metric"]) for r in score_arms(scored, two_seeds.evaluation)]
    finally:
        test["perplexity"] = kept
    assert ("vanilla", "perplexity") not in found and ("multiply", "perplexity") in found


def test_with_one_seed_a_bucket_is_scored_as_evaluation_scores_it(one_seed: Reported) -> None:
    scored, config = one_seed.scored[0], EvaluationConfig(bootstrap_samples=200, length_buckets=3)
    words = [item["source_words"] for item in scored.runs.items]
    expected = score_by_length("bleu", scored.items["bahdanau", 1]["bleu"], length_buckets(words, 3), config)
    found = [record for record in score_lengths(scored, config) if record["model"] == "bahdanau"]
    assert sum(record["rows"] for record in found) == len(words)
    for one, other in zip(found, expected, strict=True):
        assert {key: one[key] for key in other} == pytest.approx(other)


def test_over_seeds_a_bucket_has_the_mean_and_a_wider_interval(two_seeds: Reported) -> None:
    scored = two_seeds.scored[0]
    items = scored.runs.items
    record = next(r for r in two_seeds.results["by_length"] if r["model"] == "vanilla")
    rows = [row for row, item in enumerate(items) if record["low"] <= item["source_words"] <= record["high"]]
    assert record["rows"] == len(rows) and record["seed"] == "1, 2"
    references = [[items[row]["references"][0] for row in rows]]
    bleu = [
        sacrebleu.corpus_bleu([run.predictions[row]["prediction"] for row in rows], references).score
        for run in scored.runs.of("vanilla")
    ]
    assert record["score"] == pytest.approx(mean(bleu))
    assert record["ci_low"] < min(bleu) and max(bleu) < record["ci_high"]
