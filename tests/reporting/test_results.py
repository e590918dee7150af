"""The records that other tools read."""

from __future__ import annotations

import json

import pytest
from synthetic_runs import Reported

from softalign.evaluation.scores import item_statistics
from softalign.reporting import results


def test_a_run_record_has_what_the_report_promises(one_seed: Reported) -> None:
    record = one_seed.results["runs"][0]
    assert {"task", "model", "cell", "seed", "data", "test", "cost"} <= set(record)
    assert {"bleu", "chrf", "rouge1", "rouge2", "rougeL", "perplexity"} <= set(record["test"])
    assert {
        "n_parameters",
        "train_seconds",
        "cpu_seconds",
        "train_tokens_per_second",
        "peak_memory_mb",
        "decode_sentences_per_second",
    } <= set(record["cost"])
    arms = [(run["task"], run["model"]) for run in one_seed.results["runs"]]
    assert arms == [(task, model) for task in ("translation", "summarization") for model in one_seed.tasks[0].models]
    json.dumps(one_seed.results, allow_nan=False)


def test_a_comparison_record_has_what_the_report_promises(one_seed: Reported) -> None:
    assert list(one_seed.results["comparisons"][0]) == [
        "task",
        "metric",
        "baseline",
        "candidate",
        "difference",
        "low",
        "high",
        "p_value",
        "p_bootstrap",
        "p_randomisation",
        "standard_error",
        "detectable",
        "cohens_dz",
        "hedges_g",
        "scope",
        "seeds",
        "p_holm",
        "family",
    ]


def test_headline_metrics_are_means_over_seeds(two_seeds: Reported, one_seed: Reported) -> None:
    metrics = results.headline_metrics(two_seeds.results)
    runs = [run.scores["test"]["bleu"] for run in two_seeds.tasks[0].of("bahdanau")]
    assert list(metrics) == ["vanilla", "multiply", "bahdanau"]
    assert metrics["bahdanau"] == {"bleu": round(sum(runs) / 2, 2)}
    assert list(results.headline_metrics(one_seed.results)["vanilla"]) == ["bleu", "rougeL"]


def test_headline_metrics_of_two_tasks_are_told_apart(one_seed: Reported) -> None:
    tasks = {task: record | {"headline_metric": "chrf"} for task, record in one_seed.results["tasks"].items()}
    metrics = results.headline_metrics(one_seed.results | {"tasks": tasks})
    assert list(metrics["vanilla"]) == ["chrf translation", "chrf summarization"]


def test_plots_have_a_row_for_each_epoch(two_seeds: Reported) -> None:
    curves = results.loss_curves(two_seeds.tasks)
    assert len(curves) == 3 * 2 * 8
    assert list(curves[0]) == ["task", "model", "seed", "epoch", "train_loss", "validation_loss"]


def test_what_learns_nothing_is_scored_on_the_same_items(one_seed: Reported) -> None:
    record, runs = one_seed.results["tasks"]["summarization"]["untrained"], one_seed.tasks[1]
    references = [item["references"] for item in runs.items]
    copied = item_statistics([item["source"] for item in runs.items], references, ["rougeL"])["rougeL"]
    assert record["copy"]["rougeL"] == pytest.approx(copied.corpus_score())
    first = [" ".join(item["source"].split()[: runs.lead_words]) for item in runs.items]
    assert record["lead"]["rougeL"] == pytest.approx(item_statistics(first, references)["rougeL"].corpus_score())
    assert list(one_seed.results["tasks"]["translation"]["untrained"]) == ["copy"]
