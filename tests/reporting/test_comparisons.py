"""Paired tests between all arms."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from sacrebleu.metrics import BLEU
from sacrebleu.significance import PairedTest
from synthetic_runs import Reported

from softalign.evaluation.scores import METRICS
from softalign.evaluation.significance import holm
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


def test_p_values_over_items_agree_with_sacrebleus(one_seed: Reported) -> None:
    task = one_seed.tasks[0]
    texts = {model: [row["prediction"] for row in task.of(model)[0].predictions] for model in ("vanilla", "multiply")}
    references = [[item["references"][0] for item in task.items]]
    record = next(r for r in one_seed.comparisons if r["metric"] == "bleu" and r["candidate"] == "multiply")
    _, found = PairedTest(list(texts.items()), {"bleu": BLEU()}, references, "ar", n_samples=2000)()
    expected = found["BLEU"][1].p_value
    noise = 4 * (expected * (1 - expected) / 2000) ** 0.5  # its draws are others: another seed
    assert record["p_randomisation"] == pytest.approx(expected, abs=noise)
    assert record["p_bootstrap"] == pytest.approx(expected, abs=0.1)  # another test, of the same hypothesis
    assert record["p_bootstrap"] == record["p_value"]


def test_each_metric_and_choice_of_seeds_is_corrected_as_a_family(two_seeds: Reported) -> None:
    for metric in METRICS:
        for seeds in ([1], [2], [1, 2]):
            family = [r for r in two_seeds.comparisons if (r["metric"], r["seeds"]) == (metric, seeds)]
            assert [record["family"] for record in family] == [3, 3, 3]
            raw = [record["p_value" if len(seeds) > 1 else "p_randomisation"] for record in family]
            assert [record["p_holm"] for record in family] == holm(raw)


def test_an_item_is_exchanged_in_all_seeds_or_in_none(two_seeds: Reported) -> None:
    own = [r for r in two_seeds.comparisons if r["metric"] == "rougeL" and r["candidate"] == "multiply"]
    own = [r for r in own if r["baseline"] == "vanilla"]
    scored = two_seeds.scored[0]
    differences = np.mean(
        [
            scored.items["multiply", seed]["rougeL"].values[:, 0] - scored.items["vanilla", seed]["rougeL"].values[:, 0]
            for seed in (1, 2)
        ],
        axis=0,
    )
    signs = np.random.default_rng(9).choice([-1, 1], (20_000, len(differences)))
    expected = np.mean(np.abs(signs @ differences) >= abs(differences.sum()))
    assert own[2]["p_randomisation"] == pytest.approx(expected, abs=0.03)


def test_effect_sizes_where_there_is_something_to_measure(one_seed: Reported, two_seeds: Reported) -> None:
    for record in [*one_seed.comparisons, *two_seeds.comparisons]:
        assert (record["cohens_dz"] is None) == (record["metric"] == "bleu")
        assert (record["hedges_g"] is None) == (len(record["seeds"]) == 1)
    scored = one_seed.scored[0]
    a, b = (scored.items[model, 1]["rouge1"].values[:, 0] for model in ("vanilla", "bahdanau"))
    record = next(r for r in one_seed.comparisons if r["metric"] == "rouge1" and r["candidate"] == "bahdanau")
    assert record["cohens_dz"] == pytest.approx((b - a).mean() / (b - a).std(ddof=1))


def test_what_was_found_clearly_was_detectable(one_seed: Reported) -> None:
    for record in one_seed.comparisons:
        assert record["detectable"] == pytest.approx(2.8016 * record["standard_error"], rel=1e-4)
        if abs(record["difference"]) > 2 * record["detectable"]:
            assert record["p_holm"] < 0.05
