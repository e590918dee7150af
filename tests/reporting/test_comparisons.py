"""Paired tests between all arms."""

from __future__ import annotations

import sacrebleu
from synthetic_runs import Reported

from softalign.evaluation.scores import METRICS
from softalign.reporting.comparisons import PER_SEED, POOLED, decisive


def test_every_pair_and_metric_once_with_the_baseline_first(one_seed: Reported) -> None:
    own = [record for record in one_seed.comparisons if record["task"] == "translation"]
    pairs = [("vanilla", "multiply"), ("vanilla", "bahdanau"), ("multiply", "bahdanau")]
    assert [(r["metric"], r["baseline"], r["candidate"]) for r in own] == [
        (m, *pair) for m in METRICS for pair in pairs
    ]
    assert {record["scope"] for record in own} == {PER_SEED}


def test_the_difference_is_that_of_the_corpus_scores(one_seed: Reported) -> None:
    runs = one_seed.tasks[0]
    references = [[item["references"][0] for item in runs.items]]
    bleu = {
        model: sacrebleu.corpus_bleu([row["prediction"] for row in runs.of(model)[0].predictions], references).score
        for model in ("vanilla", "bahdanau")
    }
    record = next(r for r in one_seed.comparisons if r["metric"] == "bleu" and r["candidate"] == "bahdanau")
    assert abs(record["difference"] - (bleu["bahdanau"] - bleu["vanilla"])) < 1e-6
    assert record["low"] <= record["difference"] <= record["high"]
    assert record["low"] > 0 and record["p_value"] < 0.02


def test_arms_of_equal_skill_are_not_told_apart(one_seed: Reported) -> None:
    record = next(r for r in one_seed.comparisons if r["metric"] == "bleu" and r["candidate"] == "multiply")
    assert record["low"] < 0 < record["high"]
    assert record["p_value"] > 0.05


def test_several_seeds_are_compared_one_by_one_and_together(two_seeds: Reported) -> None:
    own = [r for r in two_seeds.comparisons if r["metric"] == "bleu" and r["candidate"] == "bahdanau"]
    own = [r for r in own if r["baseline"] == "vanilla"]
    assert [(r["scope"], r["seeds"]) for r in own] == [(PER_SEED, [1]), (PER_SEED, [2]), (POOLED, [1, 2])]
    assert abs(own[2]["difference"] - (own[0]["difference"] + own[1]["difference"]) / 2) < 1e-9
    assert decisive(own) == [own[2]]
