"""Each arm's own scores over its seeds, and by the length of the source or the lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from softalign.config import EvaluationConfig
from softalign.evaluation.lengths import LengthBucket, length_buckets
from softalign.evaluation.probes import LAG_BUCKETS, marked_lags
from softalign.evaluation.significance import resampled_scores
from softalign.reporting.comparisons import Scored
from softalign.reporting.estimates import Replicates, mean_of_arm, mean_over_seeds

SCORES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "perplexity", "exact_match", "token_accuracy")

BUCKET = ("task", "model", "seed", "low", "high", "rows", "metric", "score", "ci_low", "ci_high")
LENGTH_COLUMNS = (*BUCKET, "source_words")  # of `score_lengths`


def score_arms(scored: Scored, evaluation: EvaluationConfig) -> list[dict[str, Any]]:
    """One record for each arm and score that all its complete runs have.

    `mean` over seeds, their sample standard deviation `deviation`, and `low` and `high` of Student's t interval of the
    mean over seeds, on these test items; the last three None with a single seed, which shows no spread.
    """
    records = []
    for model in scored.runs.models:
        for key in SCORES:
            values = [run.scores["test"].get(key) for run in scored.runs.of(model)]
            if all(value is not None for value in values):
                records.append(_record(scored, model, key, values, evaluation.confidence))
    return records


def _record(scored: Scored, model: str, key: str, values: list[float], confidence: float) -> dict[str, Any]:
    estimate = mean_over_seeds(values, confidence)
    return {
        "task": scored.runs.task,
        "model": model,
        "metric": key,
        "mean": estimate.value,
        "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "low": estimate.low,
        "high": estimate.high,
        "seeds": scored.runs.seeds_of(model),
    }


def score_lengths(scored: Scored, evaluation: EvaluationConfig) -> list[dict[str, Any]]:
    """One record for each arm and bucket of source lengths, in words: the headline score, as in `_of_buckets`."""
    task = scored.runs
    buckets = length_buckets([item["source_words"] for item in task.items], evaluation.length_buckets)
    records = _of_buckets(scored, task.headline_metric, buckets, evaluation)
    return [record | {"source_words": f"{record['low']}-{record['high']}"} for record in records]


def score_lags(scored: Scored, evaluation: EvaluationConfig) -> list[dict[str, Any]]:
    """One record for each arm and bucket of lags of the marked value, in words: exact match, as in `_of_buckets`.

    None but where the task is recall.
    """
    task = scored.runs
    if task.kind != "recall":
        return []
    buckets = length_buckets(marked_lags([item["source"] for item in task.items]), LAG_BUCKETS)
    return _of_buckets(scored, "exact_match", buckets, evaluation)


def _of_buckets(
    scored: Scored, metric: str, buckets: Sequence[LengthBucket], evaluation: EvaluationConfig
) -> list[dict[str, Any]]:
    """`low` and `high` are both included, and `rows` the test items between; `score` is the mean over seeds, `ci_low`
    to `ci_high` its interval over test items and, with several, seeds; points of 100.
    """
    task = scored.runs
    records = []
    for model in task.models:
        systems = [scored.items[model, seed][metric] for seed in task.seeds_of(model)]
        for bucket in buckets:
            own = [system.select(bucket.rows) for system in systems]
            resampled = resampled_scores(own, evaluation.bootstrap_samples, evaluation.bootstrap_seed)
            points = np.array([system.corpus_score() for system in own])
            estimate = mean_of_arm(Replicates(points, resampled), evaluation.confidence)
            records.append(
                {
                    "task": task.task,
                    "model": model,
                    "seed": ", ".join(str(seed) for seed in task.seeds_of(model)),
                    "low": bucket.low,
                    "high": bucket.high,
                    "rows": len(bucket.rows),
                    "metric": metric,
                    "score": estimate.value,
                    "ci_low": estimate.low,
                    "ci_high": estimate.high,
                }
            )
    return records
