"""Every arm against every other on the same test items, by the paired bootstrap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from softalign.config import EvaluationConfig
from softalign.evaluation.baselines import baseline_outputs
from softalign.evaluation.scores import ItemStatistics, item_statistics, metrics_of
from softalign.evaluation.significance import resampled_scores
from softalign.reporting.estimates import Estimate, Replicates, contrast
from softalign.reporting.runs import TaskRuns

# An arm trained with several seeds is compared seed by seed, and once with all seeds together.
PER_SEED, POOLED = "per seed", "pooled over seeds"


@dataclass(frozen=True)
class Scored:
    """The runs of a task with per-item statistics, and those of the systems that learn nothing (copy, lead)."""

    runs: TaskRuns
    items: dict[tuple[str, int], dict[str, ItemStatistics]]  # (model, seed) -> metric -> statistics
    untrained: dict[str, dict[str, ItemStatistics]]  # name -> metric -> statistics
    replicates: dict[tuple[str, str], Replicates]  # (model or name, metric) -> scores on all resamples

    def contrast(self, metric: str, baseline: str, candidate: str, evaluation: EvaluationConfig) -> Estimate:
        """Candidate minus baseline, all seeds together."""
        return contrast(
            self.replicates[baseline, metric],
            self.replicates[candidate, metric],
            evaluation.confidence,
            evaluation.bootstrap_seed,
        )


def score_items(runs: TaskRuns, evaluation: EvaluationConfig) -> Scored:
    """Score the predictions of every run, and the outputs of the untrained systems, on shared resamples."""
    references = [item["references"] for item in runs.items]
    sources = [item["source"] for item in runs.items]
    metrics = metrics_of(runs.headline_metric)
    items = {
        (model, run.seed): run.statistics
        or item_statistics([row["prediction"] for row in run.predictions], references, metrics)
        for model in runs.models
        for run in runs.of(model)
    }
    untrained = {
        name: item_statistics(outputs, references, metrics)
        for name, outputs in baseline_outputs(sources, runs.lead_words).items()
    }
    systems = {model: [items[model, seed] for seed in runs.seeds_of(model)] for model in runs.models}
    systems |= {name: [statistics] for name, statistics in untrained.items()}
    return Scored(runs, items, untrained, _replicates(systems, metrics, evaluation))


def _replicates(
    systems: dict[str, list[dict[str, ItemStatistics]]], metrics: Sequence[str], evaluation: EvaluationConfig
) -> dict[tuple[str, str], Replicates]:
    """Of each system, given for each seed, and each metric; the resamples are drawn once for all of them."""
    pairs = [(name, metric) for name in systems for metric in metrics]
    statistics = [seed[metric] for name, metric in pairs for seed in systems[name]]
    resampled = resampled_scores(statistics, evaluation.bootstrap_samples, evaluation.bootstrap_seed)
    points = np.array([system.corpus_score() for system in statistics])
    ends = np.cumsum([len(systems[name]) for name, _ in pairs])[:-1]
    parts = zip(np.split(points, ends), np.split(resampled, ends), strict=True)
    return {pair: Replicates(*part) for pair, part in zip(pairs, parts, strict=True)}


def compare_arms(scored: Scored, evaluation: EvaluationConfig) -> list[dict[str, Any]]:
    """One record for each pair of arms, metric and seed, and one for all seeds together where there are several.

    `difference` is candidate minus baseline in points of 100; `low` and `high` its interval; `p_value` two-sided, not
    corrected for the number of comparisons.
    """
    metrics = metrics_of(scored.runs.headline_metric)
    return [record for metric in metrics for record in _compare_metric(scored, metric, evaluation)]


def _compare_metric(scored: Scored, metric: str, evaluation: EvaluationConfig) -> Iterator[dict[str, Any]]:
    for baseline, candidate in combinations(scored.runs.models, 2):
        a, b = scored.replicates[baseline, metric], scored.replicates[candidate, metric]
        own, others = scored.runs.seeds_of(baseline), scored.runs.seeds_of(candidate)
        seeds = [seed for seed in own if seed in others]  # where runs are missing, what both have
        for seed in seeds:
            single = a.of([own.index(seed)]), b.of([others.index(seed)])
            estimate = contrast(*single, evaluation.confidence, evaluation.bootstrap_seed)
            yield _record(scored.runs.task, metric, baseline, candidate, estimate, PER_SEED, [seed])
        if len(seeds) > 1:
            a, b = a.of([own.index(seed) for seed in seeds]), b.of([others.index(seed) for seed in seeds])
            estimate = contrast(a, b, evaluation.confidence, evaluation.bootstrap_seed)
            yield _record(scored.runs.task, metric, baseline, candidate, estimate, POOLED, seeds)


def _record(
    task: str, metric: str, baseline: str, candidate: str, estimate: Estimate, scope: str, seeds: list[int]
) -> dict[str, Any]:
    return {
        "task": task,
        "metric": metric,
        "baseline": baseline,
        "candidate": candidate,
        "difference": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "p_value": estimate.p_value,
        "scope": scope,
        "seeds": list(seeds),
    }


def decisive(comparisons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that speak for all seeds: the pooled ones, or the per-seed ones of arms that share a single seed."""
    keys = ("task", "metric", "baseline", "candidate")
    pooled = {tuple(record[key] for key in keys) for record in comparisons if record["scope"] == POOLED}
    return [
        record
        for record in comparisons
        if record["scope"] == POOLED or tuple(record[key] for key in keys) not in pooled
    ]
