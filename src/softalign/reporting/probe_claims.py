"""C3: do recurrent networks capture long-range dependencies?

Each function tests one claim; its docstring is the rule, fixed before any data was seen, and the report prints it.
"""

from __future__ import annotations

import numpy as np

from softalign.evaluation.lengths import LengthBucket, length_buckets
from softalign.evaluation.probes import marked_lags
from softalign.reporting.estimates import Estimate, Replicates, contrast, resample_counts, weighted_mean
from softalign.reporting.probe_records import chance
from softalign.reporting.tables import number
from softalign.reporting.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case, Verdict, by_interval

FIFTHS = 5


def captures_long_range(case: Case) -> list[Verdict]:
    """Effect: exact match on the fifth of the recall rows with the longest lags, minus chance (100 / number of values
    that occur), in points; items resampled, and seeds where there are several. Halfway is the middle between chance
    and 100. Supported: the whole interval lies above halfway. Refuted: the whole interval lies below halfway, while
    that of the fifth with the shortest lags lies above it: the network can do the task and loses it with the lag. Not
    decided otherwise, so where the network has not learned the task even at the shortest lags. The arm without
    attention is what the claim speaks of; the arms with attention are judged by the same rule as a contrast. The ratio
    of the gradient norms decides nothing.
    """
    first = case.arm == case.scored.runs.candidates[0]
    return [_judge(case, model) for model in ([case.baseline] if first else []) + [case.arm]]


def _judge(case: Case, model: str) -> Verdict:
    lags = marked_lags([item["source"] for item in case.scored.runs.items])
    buckets = length_buckets(lags, FIFTHS)
    guess = chance(case.scored.runs)
    short, long = (_above_chance(case, model, bucket, guess) for bucket in (buckets[0], buckets[-1]))
    halfway = (100 - guess) / 2
    able, recalls = (by_interval(estimate, halfway) for estimate in (short, long))
    verdict = NOT_DECIDED
    if recalls == SUPPORTED:
        verdict = SUPPORTED
    elif recalls == REFUTED and able == SUPPORTED:
        verdict = REFUTED
    notes = [
        f"lags {buckets[-1].low} to {buckets[-1].high}; at lags {buckets[0].low} to {buckets[0].high}"
        f" {number(short.value, signed=True)} points; halfway is {number(halfway, signed=True)}",
        _gradients(case, model),
    ]
    if able != SUPPORTED:
        notes.insert(0, "the task is not learned even at the shortest lags")
    judged = Case(case.scored, case.baseline, model, case.evaluation)
    quantity = "exact match at the longest lags minus chance, points"
    return judged.verdict("C3", verdict, quantity, long, *notes, *case.seed_note(), against="chance")


def _above_chance(case: Case, model: str, bucket: LengthBucket, guess: float) -> Estimate:
    counts = resample_counts(len(bucket.rows), case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed)
    hits = [
        np.asarray(items.score(items.values), dtype=np.float64)[bucket.rows]
        for items in (case.scored.items[model, seed]["exact_match"] for seed in case.seeds)
    ]
    own = Replicates(np.array([y.mean() for y in hits]), np.array([weighted_mean(y, counts) for y in hits]))
    guessing = Replicates(np.full_like(own.points, guess), np.full_like(own.resampled, guess))
    return contrast(guessing, own, case.evaluation.confidence, case.evaluation.bootstrap_seed)


def _gradients(case: Case, model: str) -> str:
    """The gradient that reaches the marked value at the longest lags, beside that at the shortest."""
    probes = [run.scores["probes"]["gradient_norm"] for run in case.scored.runs.of(model)]
    ends = [[buckets[end]["relative"] for buckets in probes] for end in (0, -1)]
    if any(value is None or value <= 0 for values in ends for value in values):
        return "gradient norm: not known"
    near, far = (float(np.mean(values)) for values in ends)
    return f"gradient norm at the longest lags {number(far / near)} of that at the shortest"
