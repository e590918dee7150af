"""C1, C2, C4, C5: is fusion better, on which lengths, and does its attention find what matters.

Each function tests one claim; its docstring is the rule, fixed before any data was seen unless it says otherwise, and
the report prints it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softalign.evaluation.alignment import ATTENTION, error_rate
from softalign.evaluation.lengths import length_buckets
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.significance import resampled_scores
from softalign.reporting.claims.verdicts import (
    FIFTHS,
    NOT_DECIDED,
    REFUTED,
    SUPPORTED,
    Case,
    Verdict,
    by_interval,
    opposite,
    signed,
)
from softalign.reporting.estimates import (
    Array,
    Estimate,
    Replicates,
    contrast,
    resample_counts,
    weighted_mean,
    weighted_slope,
)
from softalign.reporting.names import NAMES

# How the differences by length are measured: a score that a single sentence has.
SENTENCE_METRIC = {"translation": "chrf", "summarization": "rougeL"}


def better_translation(case: Case) -> list[Verdict]:
    """Effect: BLEU of the arm minus BLEU of the arm without attention, in points; where there is one, also minus that
    of an arm without attention that has as many parameters. The interval is the paired bootstrap's over test items, and
    with several seeds over these too. Supported: the whole interval lies above 0. Refuted: the whole interval lies
    below 0. Not decided otherwise.
    """
    estimate = case.scored.contrast("bleu", case.baseline, case.arm, case.evaluation)
    return [case.verdict("C1", by_interval(estimate), "BLEU, points", estimate, *case.seed_note())]


def better_summaries(case: Case) -> list[Verdict]:
    """Effect: ROUGE-L of the arm minus ROUGE-L of its opponent, in points. The opponents are the arm without
    attention, where there is one also that of as many parameters, and the systems that learn nothing: the first n words
    of the source (lead) and all of it (copy). The interval is the paired bootstrap's over test items, and with several
    seeds over these too. Supported: the whole interval lies above 0. Refuted: the whole interval lies below 0. Not
    decided otherwise. Each opponent has its own row, for an arm can beat the plain RNN and still write worse summaries
    than lead does.
    """
    verdicts = []
    opponents = {case.baseline: case.baseline}
    untrained = case.scored.untrained if case.is_alike else ()  # once an arm
    for name in sorted(untrained, reverse=True):  # lead, copy
        opponents[name] = f"lead-{case.scored.runs.lead_words}" if name == "lead" else name
    for opponent, label in opponents.items():
        estimate = case.scored.contrast("rougeL", opponent, case.arm, case.evaluation)
        verdicts.append(
            case.verdict("C2", by_interval(estimate), "ROUGE-L, points", estimate, *case.seed_note(), against=label)
        )
    return verdicts


def local_and_long_range(case: Case) -> list[Verdict]:
    """Effect: the mean per-sentence difference (arm minus the arm without attention; chrF for translations, ROUGE-L for
    summaries) on the shortest and on the longest fifth of the sources, in points; the one of the two that is less sure,
    or where one refutes, the surest that does. Supported: the whole interval of both lies above 0. Refuted: the whole
    interval of one of them lies below 0. Not decided otherwise, and where all sources are about equally long. The
    p-value is twice that of the surest that refutes, where one does, and else the larger of the two. The slope of the
    difference over the source length stands beside it and decides nothing. (Changed after the first runs: at first a
    slope below 0 refuted, which made an arm that is better on all lengths, and most on short ones, refute the claim.)
    """
    metric = SENTENCE_METRIC.get(case.scored.runs.kind, case.scored.runs.headline_metric)
    found = _by_length(case, metric)
    ends = {
        f"{NAMES[metric]} on the {label} fifth, points": estimate
        for label, estimate in (("shortest", found.shortest), ("longest", found.longest))
    }
    verdict, quantity, p_value = _at_both_ends(ends)
    notes = [f"{end.removesuffix(', points')} {signed(estimate)}" for end, estimate in ends.items()]
    notes.append(f"slope {signed(found.slope)} per 10 source words")
    effect = replace(ends[quantity], p_value=p_value)
    row = case.verdict("C4", verdict, quantity, effect, *notes, *case.seed_note())
    return [row.kept_open("all sources are about equally long") if found.is_one_length else row]


@dataclass(frozen=True)
class _ByLength:
    """The mean per-sentence difference between two arms by the length of the source, in points."""

    shortest: Estimate  # on the shortest fifth of the sources
    longest: Estimate
    slope: Estimate  # for 10 source words
    is_one_length: bool  # the sources are about equally long, and the two fifths the same


def _by_length(case: Case, metric: str) -> _ByLength:
    words = np.array([item["source_words"] for item in case.scored.runs.items], dtype=np.float64)
    fifths = length_buckets(words.astype(int).tolist(), FIFTHS)
    points = [_sentence_points(case, model, metric) for model in (case.baseline, case.arm)]
    return _ByLength(
        shortest=_difference_of_means(case, points, fifths[0].rows),
        longest=_difference_of_means(case, points, fifths[-1].rows),
        slope=_difference_of_slopes(case, points, words / 10),
        is_one_length=len(fifths) < 2,
    )


def _difference_of_means(case: Case, points: Sequence[list[Array]], rows: NDArray[np.intp]) -> Estimate:
    """The mean over the items in `rows`, of the second arm minus the first."""
    counts = resample_counts(len(rows), case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed)
    baseline, candidate = (
        Replicates(
            np.array([values[rows].mean() for values in per_seed]),
            np.array([weighted_mean(values[rows], counts) for values in per_seed]),
        )
        for per_seed in points
    )
    return contrast(baseline, candidate, case.evaluation.confidence)


def _difference_of_slopes(case: Case, points: Sequence[list[Array]], x: Array) -> Estimate:
    """The least-squares slope over all items, of the second arm minus the first."""
    counts = resample_counts(len(x), case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed)
    once = np.ones((1, len(x)))
    baseline, candidate = (
        Replicates(
            np.array([weighted_slope(x, values, once)[0] for values in per_seed]),
            np.array([weighted_slope(x, values, counts) for values in per_seed]),
        )
        for per_seed in points
    )
    return contrast(baseline, candidate, case.evaluation.confidence)


def _at_both_ends(ends: dict[str, Estimate]) -> tuple[str, str, float]:
    """The verdict, the end that it hangs on, and its p-value: support needs both ends, refutation either."""
    found = {end: by_interval(estimate) for end, estimate in ends.items()}
    p_values = {end: 1.0 if estimate.p_value is None else estimate.p_value for end, estimate in ends.items()}
    against = [end for end in ends if found[end] == REFUTED]
    if against:  # either is enough: Bonferroni
        end = min(against, key=p_values.__getitem__)
        return REFUTED, end, min(1.0, 2 * p_values[end])
    undecided = [end for end in ends if found[end] == NOT_DECIDED]  # both are needed: the larger
    end = max(undecided or ends, key=lambda each: (p_values[each], -ends[each].value))
    return NOT_DECIDED if undecided else SUPPORTED, end, max(p_values.values())


def _sentence_points(case: Case, model: str, metric: str) -> list[np.ndarray]:
    """The score of each test item by itself, for each seed: S arrays (N,)."""
    runs = case.scored.runs
    statistics = [case.scored.items[model, seed][metric] for seed in runs.seeds_of(model)]
    return [np.asarray(system.score(system.values), dtype=np.float64) for system in statistics]


def focuses(case: Case) -> list[Verdict]:
    """Effect: the alignment error rate of the attention minus that of a baseline that learns nothing, in points of 100,
    against the gold alignment; below 0 is better. The baseline is the better of two: the diagonal (target word j of J
    linked to the source word at the same relative place), and each target word linked to the equal source word.
    The interval is over sentence pairs, and with several seeds over these too. Supported: the whole interval lies below
    0. Refuted: the whole interval lies above 0. Not decided otherwise, and where there is no gold alignment. Each arm
    is judged by itself, so arms may disagree. How far the attention is spread is told by its entropy, which decides
    nothing. (Changed after the first runs: at first, support also asked for at most half the entropy of uniform
    attention, a limit without a reason behind it; the diagonal was the only baseline, which where a summary repeats
    words of its source is hardly one; and with several seeds the interval was over these alone.)
    """
    quantity = "alignment error rate minus the baseline's, points"
    reports = [run.scores["alignment"] for run in case.scored.runs.of(case.arm)]
    if not all(reports):
        note = "the data or the arm has no alignment"
        missing = Estimate(math.nan)
        return [case.verdict("C5", NOT_DECIDED, quantity, missing, note, against="baseline", applies=False)]
    baseline = reports[0]["baseline"]  # the test items decide which, so that it is the same for all seeds
    estimate = contrast(_error_rates(case, baseline), _error_rates(case, ATTENTION), case.evaluation.confidence)
    entropy, uniform, attention, diagonal, same_word = (
        float(np.mean([report[key] for report in reports]))
        for key in ("entropy", "entropy_uniform", "error_rate", "diagonal_error_rate", "same_word_error_rate")
    )
    verdict = by_interval(opposite(estimate))
    notes = [
        f"error rate {100 * attention:.1f}, of the diagonal {100 * diagonal:.1f}, of same words {100 * same_word:.1f}",
        f"entropy {entropy:.2f} nats, of uniform attention {uniform:.2f} (as wide as {math.exp(entropy):.1f} of"
        f" {math.exp(uniform):.1f} source tokens)",
    ]
    against = baseline.replace("_", " ")
    return [case.verdict("C5", verdict, quantity, estimate, *notes, *case.seed_note(), against=against)]


def _error_rates(case: Case, name: str) -> Replicates:
    """Of the attention in each seed; of a baseline, which learns nothing, once. Points of 100."""
    runs = case.scored.runs.of(case.arm)
    items = zip(*(run.predictions for run in runs), strict=True)
    aligned = [rows for rows in items if all(row.get("links") for row in rows)]
    seeds = range(len(runs) if name == ATTENTION else 1)
    systems = [ItemStatistics(np.array([rows[seed]["links"][name] for rows in aligned]), _points, "") for seed in seeds]
    resampled = resampled_scores(systems, case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed)
    return Replicates(np.array([system.corpus_score() for system in systems]), resampled)


def _points(totals: Array) -> Array:
    return 100 * error_rate(totals)
