"""Every arm against every other on the same test items: paired tests, intervals, effect sizes.

The family of comparisons whose p-values are corrected together is every pair of arms in one task and one metric, in
one seed or over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from softalign.config import EvaluationConfig
from softalign.evaluation.baselines import baseline_outputs
from softalign.evaluation.scores import ItemStatistics, item_statistics, metrics_of
from softalign.evaluation.significance import (
    exchanged_differences,
    exchanges,
    holm,
    randomisation_p_value,
    resampled_scores,
    two_sided_p_value,
)
from softalign.progress import progress
from softalign.reporting.effect_sizes import cohens_dz, hedges_g
from softalign.reporting.estimates import Array, Estimate, Replicates, contrast, detectable_difference
from softalign.reporting.runs import TaskRuns

# An arm trained with several seeds is compared seed by seed, and once with all seeds together.
PER_SEED, POOLED = "per seed", "pooled over seeds"
CORPUS_METRICS = ("bleu",)  # the score of a single sentence is another one, smoothed


@dataclass(frozen=True)
class Scored:
    """The runs of a task with per-item statistics, and those of the systems that learn nothing (copy, lead)."""

    runs: TaskRuns
    items: dict[tuple[str, int], dict[str, ItemStatistics]]  # (model, seed) -> metric -> statistics
    untrained: dict[str, dict[str, ItemStatistics]]  # name -> metric -> statistics
    replicates: dict[tuple[str, str], Replicates]  # (model or name, metric) -> scores on all resamples

    def contrast(self, metric: str, baseline: str, candidate: str, evaluation: EvaluationConfig) -> Estimate:
        """Candidate minus baseline, all seeds together."""
        return contrast(self.replicates[baseline, metric], self.replicates[candidate, metric], evaluation.confidence)


def score_items(runs: TaskRuns, evaluation: EvaluationConfig) -> Scored:
    """Score the predictions of every run, and the outputs of the untrained systems, on shared resamples."""
    references = [item["references"] for item in runs.items]
    sources = [item["source"] for item in runs.items]
    metrics = metrics_of(runs.headline_metric)
    items = {
        (model, run.seed): run.statistics
        if run.statistics and set(metrics) <= set(run.statistics)
        else item_statistics([row["prediction"] for row in run.predictions], references, metrics)
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


def compare_arms(scored: Scored, evaluation: EvaluationConfig, form: str = "none") -> list[dict[str, Any]]:
    """One record for each pair of arms, metric and seed, and one for all seeds together where there are several.

    `difference`       candidate minus baseline in points of 100, means over seeds
    `low` `high`       its interval: `estimates.contrast`; over test items, and with several seeds over these too
    `p_value`          two-sided, the one that goes with the interval
    `p_bootstrap`      paired bootstrap over test items, seeds as they are
    `p_randomisation`  approximate randomisation over test items; an item is exchanged in all seeds or in none
    `p_holm`           corrected by Holm's procedure for the `family` of comparisons that the record is one of: with one
                       seed it corrects `p_randomisation`, which resolves 1 / (1 + trials) where the bootstrap resolves
                       2 / (1 + samples); with several `p_value`, the only one that knows that seeds vary
    `detectable`       the true difference that would have been found with 80 % power: `estimates.detectable_difference`
    `cohens_dz`        effect size over test items, of the mean over seeds; None for a metric without item scores
    `hedges_g`         effect size over seeds; None with one

    `form` is how progress is shown.
    """
    metrics = metrics_of(scored.runs.headline_metric)
    pairs = comb(len(scored.runs.models), 2)
    with progress(f"{scored.runs.task}: comparing", pairs * len(metrics), form) as advance:
        return [record for metric in metrics for record in _compare_metric(scored, metric, evaluation, advance)]


def _compare_metric(
    scored: Scored, metric: str, evaluation: EvaluationConfig, advance: Callable[[int], None]
) -> list[dict[str, Any]]:
    runs = scored.runs
    arms = [(model, seed) for model in runs.models for seed in runs.seeds_of(model)]
    statistics = [scored.items[arm][metric] for arm in arms]
    exchanged = dict(
        zip(arms, exchanges(statistics, evaluation.randomisation_trials, evaluation.bootstrap_seed), strict=True)
    )
    records = []
    for pair in combinations(runs.models, 2):
        shared = [seed for seed in runs.seeds_of(pair[0]) if seed in runs.seeds_of(pair[1])]  # where runs are missing
        names = {"task": runs.task, "metric": metric, "baseline": pair[0], "candidate": pair[1]}
        for seeds in _scopes(shared):
            places = [[runs.seeds_of(model).index(seed) for seed in seeds] for model in pair]
            a, b = (scored.replicates[model, metric].of(own) for model, own in zip(pair, places, strict=True))
            moved = [exchanged_differences(*(exchanged[model, seed] for model in pair)) for seed in seeds]
            differences = None
            if metric not in CORPUS_METRICS:
                points = [_item_scores(scored, model, metric, seeds) for model in pair]
                differences = (points[1] - points[0]).mean(axis=0)
            tests = _tests(a, b, np.array(moved).mean(axis=0), differences, evaluation)
            records.append(names | tests | {"scope": PER_SEED if len(seeds) == 1 else POOLED, "seeds": seeds})
        advance(1)
    return _corrected(records)


def _scopes(seeds: list[int]) -> list[list[int]]:
    """The seeds that are looked at together: each alone, and where there are several all."""
    return [[seed] for seed in seeds] + ([seeds] if len(seeds) > 1 else [])


def _tests(
    baseline: Replicates,
    candidate: Replicates,
    exchanged: Array,
    item_differences: Array | None,
    evaluation: EvaluationConfig,
) -> dict[str, Any]:
    estimate = contrast(baseline, candidate, evaluation.confidence)
    resampled = candidate.resampled.mean(axis=0) - baseline.resampled.mean(axis=0)
    return {
        "difference": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "p_value": estimate.p_value,
        "p_bootstrap": two_sided_p_value(resampled),
        "p_randomisation": randomisation_p_value(estimate.value, exchanged),
        "standard_error": estimate.standard_error,
        "detectable": detectable_difference(estimate, evaluation.confidence),
        "cohens_dz": None if item_differences is None else cohens_dz(item_differences),
        "hedges_g": hedges_g(baseline.points, candidate.points),
    }


def _item_scores(scored: Scored, model: str, metric: str, seeds: list[int]) -> Array:
    """The score of each test item by itself: (S, N)."""
    systems = [scored.items[model, seed][metric] for seed in seeds]
    return np.array([system.score(system.values) for system in systems])


def _corrected(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of one task and metric with `p_holm` and `family`, the number of comparisons in theirs."""
    families: dict[tuple[int, ...], list[dict[str, Any]]] = {}
    for record in records:
        families.setdefault(tuple(record["seeds"]) if record["scope"] == PER_SEED else (), []).append(record)
    for family in families.values():
        corrected = holm([r["p_randomisation"] if r["scope"] == PER_SEED else r["p_value"] for r in family])
        for record, p_value in zip(family, corrected, strict=True):
            record |= {"p_holm": p_value, "family": len(family)}
    return records


def decisive(comparisons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that speak for all seeds: the pooled ones, or the per-seed ones of arms that share a single seed."""
    keys = ("task", "metric", "baseline", "candidate")
    pooled = {tuple(record[key] for key in keys) for record in comparisons if record["scope"] == POOLED}
    return [
        record
        for record in comparisons
        if record["scope"] == POOLED or tuple(record[key] for key in keys) not in pooled
    ]
