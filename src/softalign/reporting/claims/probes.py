"""C3: do recurrent networks capture long-range dependencies?

Each function tests one claim; its docstring is the rule, fixed before any data was seen unless it says otherwise, and
the report prints it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softalign.evaluation.lengths import LengthBucket, length_buckets
from softalign.evaluation.probes import marked_lags
from softalign.reporting.claims.verdicts import FIFTHS, HALFWAY, NOT_DECIDED, SUPPORTED, Case, Verdict, by_interval
from softalign.reporting.estimates import Estimate, Replicates, mean_of_arm, resample_counts, weighted_mean
from softalign.reporting.probe_records import chance


def captures_long_range(case: Case) -> list[Verdict]:
    """Effect: exact match on the fifth of the recall rows with the longest lags, in points; items resampled, and seeds
    where there are several. It is held against halfway: the middle between chance (100 / number of values that occur)
    and 100. Supported: the whole interval lies above halfway. Refuted: the whole interval lies below halfway, while
    that of the fifth with the shortest lags lies above it: the network can do the task and loses it with the lag. Not
    decided otherwise, so where the network has not learned the task even at the shortest lags. The p-value is that
    of the longest lags where they support, and the larger of both ends where the shortest lie above halfway. The arms
    with attention stand beside it as a contrast; they and the gradient norms decide nothing. (Changed after the first
    runs: at first the p-value was that of the longest lags whatever the verdict.)
    """
    runs = case.scored.runs
    buckets = length_buckets(marked_lags([item["source"] for item in runs.items]), FIFTHS)
    guess = chance(runs)
    halfway = (guess + 100) / 2
    short, long = (_against(case, case.arm, bucket, halfway) for bucket in (buckets[0], buckets[-1]))
    able, recalls = (by_interval(estimate, halfway) for estimate in (short, long))
    verdict, p_value = NOT_DECIDED, long.p_value
    if recalls == SUPPORTED:
        verdict = SUPPORTED
    elif able == SUPPORTED:  # a refutation needs both ends
        verdict = recalls
        p_value = None if short.p_value is None or long.p_value is None else max(short.p_value, long.p_value)
    notes = [
        f"lags {buckets[-1].low} to {buckets[-1].high}; at lags {buckets[0].low} to {buckets[0].high}"
        f" {short.value:.1f}; chance {guess:.1f}, halfway {halfway:.1f}",
        *[f"with attention, {arm} {_against(case, arm, buckets[-1], halfway).value:.1f}" for arm in runs.candidates],
        _gradients(case),
        *case.seed_note(),
    ]
    quantity, effect = "exact match at the longest lags, points", replace(long, p_value=p_value)
    row = case.verdict("C3", verdict, quantity, effect, *notes, against=HALFWAY, neutral=halfway)
    if SUPPORTED in (able, recalls):
        return [row]
    return [row.kept_open("the task is not learned even at the shortest lags")]


def _against(case: Case, model: str, bucket: LengthBucket, level: float) -> Estimate:
    """The exact match of an arm on a bucket's rows, with the p-value of its being `level`."""
    counts = resample_counts(len(bucket.rows), case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed)
    hits = [
        np.asarray(items.score(items.values), dtype=np.float64)[bucket.rows]
        for items in (case.scored.items[model, seed]["exact_match"] for seed in case.scored.runs.seeds_of(model))
    ]
    beyond = Replicates(
        np.array([y.mean() for y in hits]) - level, np.array([weighted_mean(y, counts) for y in hits]) - level
    )
    found = mean_of_arm(beyond, case.evaluation.confidence)
    assert found.low is not None and found.high is not None  # exact match is always finite
    return replace(found, value=found.value + level, low=found.low + level, high=found.high + level)


def _gradients(case: Case) -> str:
    """The gradient that reaches the marked value at the longest lags, beside that at the shortest."""
    probes = [run.scores["probes"]["gradient_norm"] for run in case.scored.runs.of(case.arm)]
    ends = [[buckets[end]["relative"] for buckets in probes] for end in (0, -1)]
    if any(value is None or value <= 0 for values in ends for value in values):
        return "gradient norm: not known"
    near, far = (float(np.mean(values)) for values in ends)
    return f"gradient norm at the longest lags {far / near:.2g} of that at the shortest"
