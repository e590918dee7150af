"""C9 to C13: what fusion costs, and whether it overfits.

Each function tests one claim; its docstring is the rule, fixed before any data was seen, and the report prints it.
"""

from __future__ import annotations

import math

import numpy as np

from softalign.reporting.arms import SAME_SIZE, control_of
from softalign.reporting.estimates import (
    Estimate,
    Replicates,
    contrast,
    line_slope,
    ratio_of_means,
    resample_counts,
)
from softalign.reporting.runs import Run
from softalign.reporting.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case, Verdict, by_interval, opposite

# A ratio of two single measurements of time has no interval: only one beyond this, either way, decides.
CLEAR_RATIO = 1.25


def heavier_on_long_sequences(case: Case) -> list[Verdict]:
    """Effect: the slope, over the source length, of the extra time that the arm needs for a test row beyond the arm
    without attention, in ms per row and 10 source words; once for scoring the reference (teacher-forced), once for
    decoding. Least squares over the length buckets of all seeds, Student's t interval. Supported: the whole interval
    lies above 0 (the extra time grows with length). Refuted: the whole interval lies below 0. Not decided otherwise.
    Decoding time also depends on how much an arm writes.
    """
    return [_time_by_length(case, work) for work in ("scoring", "decoding")]


def _time_by_length(case: Case, work: str) -> Verdict:
    quantity = f"{work}, extra ms per row and 10 source words"
    lengths: list[float] = []
    extra: list[float] = []
    ratios: list[float] = []
    for runs in zip(*_arms(case), strict=True):
        plain, fused = (_seconds_by_length(run, work) for run in runs)
        lengths += plain
        extra += [1000 * (fused[length] - plain[length]) for length in plain]
        ratios.append(fused[max(plain)] / plain[max(plain)])
    slope = line_slope(lengths, extra, case.evaluation.confidence)
    scaled = Estimate(10 * slope.value, _times(10, slope.low), _times(10, slope.high), slope.p_value)
    longest = f"{np.mean(ratios):.2f} times the time on the longest sources"
    return case.verdict("C9", by_interval(scaled), quantity, scaled, longest)


def slower_per_token(case: Case) -> list[Verdict]:
    """Effect: training time per target token, as the ratio arm / arm without attention. With two seeds or more:
    ratio of geometric means with Welch's t interval on the logarithms; supported when the whole interval lies above
    1, refuted when below, not decided otherwise. With one seed: supported above 1.25, refuted below 1/1.25, not
    decided between.
    """
    speeds = [[run.cost["train_tokens_per_second"] for run in runs] for runs in _arms(case)]
    times = [[1 / speed if speed else math.nan for speed in arm] for arm in speeds]
    return [_ratio_verdict(case, times[0], times[1], "training time per token, ratio")]


def slower_to_quality(case: Case) -> list[Verdict]:
    """Effect: training time until a given validation loss, as the ratio arm / arm without attention. The loss is
    the best that both reach in every seed (the higher of their best losses). Decided as the time per token is.
    """
    quantity = "time to the same validation loss, ratio"
    arms = _arms(case)
    best = [min((row["validation_loss"] for row in run.history), default=math.nan) for runs in arms for run in runs]
    if not all(math.isfinite(loss) for loss in best):
        return [
            case.verdict(
                "C10", NOT_DECIDED, quantity, Estimate(math.nan), "an arm's validation loss is not a number", neutral=1
            )
        ]
    level = max(best)
    times = [[seconds_to(run, level) for run in runs] for runs in arms]
    return [_ratio_verdict(case, times[0], times[1], quantity, f"validation loss {level:.3f}")]


def _ratio_verdict(case: Case, baseline: list[float], candidate: list[float], quantity: str, *notes: str) -> Verdict:
    if not all(math.isfinite(value) and value > 0 for value in [*baseline, *candidate]):
        return case.verdict("C10", NOT_DECIDED, quantity, Estimate(math.nan), "a time is missing", *notes, neutral=1)
    ratio = ratio_of_means(baseline, candidate, case.evaluation.confidence)
    if ratio.low is not None:
        return case.verdict("C10", by_interval(ratio, neutral=1), quantity, ratio, *notes, neutral=1)
    verdict = NOT_DECIDED
    if not 1 / CLEAR_RATIO <= ratio.value <= CLEAR_RATIO:
        verdict = SUPPORTED if ratio.value > 1 else REFUTED
    return case.verdict("C10", verdict, quantity, ratio, *notes, "one measurement an arm: no interval", neutral=1)


def more_parameters(case: Case) -> list[Verdict]:
    """Effect: trainable parameters of the arm minus those of the arm without attention, counted exactly. Supported:
    more. Refuted: as many or fewer. An arm without attention that was sized to have as many is named where there is
    one.
    """
    baseline, candidate = (runs[0].cost["n_parameters"] for runs in _arms(case))
    difference = float(candidate - baseline)
    note = f"{candidate:,} against {baseline:,} ({100 * difference / baseline:+.1f} %)"
    notes = [note, "exact count"]
    control = control_of(case.arm, case.scored.runs)
    if control is not None:
        own = case.scored.runs.of(control)[0].cost["n_parameters"]
        notes.append(f"of as many parameters: {control}, {own:,} ({100 * (own - candidate) / candidate:+.1f} %)")
    verdict = SUPPORTED if difference > 0 else REFUTED
    return [case.verdict("C11", verdict, "parameters", Estimate(difference), *notes)]


def overfits_more(case: Case) -> list[Verdict]:
    """Effect: the gap ln(test perplexity / training perplexity) of the arm minus that of the arm without attention,
    both teacher-forced with dropout off; where there is one, also minus that of an arm without attention that has as
    many parameters. Supported: the whole interval of the paired bootstrap over test items lies above 0. Refuted: the
    whole interval lies below 0. Not decided otherwise. The sample of training rows is fixed, not resampled.
    """
    return [_gap_verdict(case, "C12", _gap_difference(case))]


def overfits_less(case: Case) -> list[Verdict]:
    """Effect: the same difference of gaps with the sign turned round, so that above 0 the arm overfits less.
    Supported: the whole interval lies above 0. Refuted: the whole interval lies below 0. Not decided otherwise.
    """
    return [_gap_verdict(case, "C13", opposite(_gap_difference(case)))]


def _gap_verdict(case: Case, claim: str, estimate: Estimate) -> Verdict:
    quantity = "gap, ln test/train perplexity" if claim == "C12" else "smaller gap, ln test/train perplexity"
    notes = []
    for model, runs in zip((case.baseline, case.arm), _arms(case), strict=True):
        gaps = [run.scores["gap"] for run in runs]
        test = np.mean([_log_ratio(gap, "test") for gap in gaps])
        validation = np.mean([_log_ratio(gap, "validation") for gap in gaps])
        notes.append(f"{model}: test/train {test:+.3f}, validation/train {validation:+.3f}")
    counts = [runs[0].cost["n_parameters"] for runs in _arms(case)]
    if abs(counts[0] - counts[1]) > SAME_SIZE * counts[1]:
        notes.append("not matched in size")
    elif not case.is_alike:
        notes.append(f"matched in size: {counts[1]:,} parameters against {counts[0]:,}")
    return case.verdict(claim, by_interval(estimate), quantity, estimate, *notes, *case.seed_note())


def _gap_difference(case: Case) -> Estimate:
    baseline, candidate = (_gaps(case, runs) for runs in _arms(case))
    return contrast(baseline, candidate, case.evaluation.confidence)


def _gaps(case: Case, runs: list[Run]) -> Replicates:
    """ln(test perplexity / training perplexity): from the scores, and moved by what resampling does to the test
    part.
    """
    counts = resample_counts(
        len(runs[0].predictions), case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed
    )
    points, resampled = [], []
    for run in runs:
        losses = np.array([row["negative_log_likelihood"] for row in run.predictions], dtype=np.float64)
        words = np.array([row["target_words"] + 1 for row in run.predictions], dtype=np.float64)  # + end of sentence
        point = _log_ratio(run.scores["gap"], "test")
        points.append(point)
        resampled.append(point + counts @ losses / (counts @ words) - losses.sum() / words.sum())
    return Replicates(np.array(points), np.array(resampled))


def _log_ratio(gap: dict[str, float | None], split: str) -> float:
    other, train = gap.get(f"{split}_perplexity"), gap.get("train_perplexity")
    if not other or not train or not math.isfinite(other) or not math.isfinite(train):
        return math.nan
    return math.log(other / train)


def seconds_to(run: Run, loss: float) -> float:
    """Training seconds at the end of the first epoch whose validation loss is at most `loss`; nan when none is."""
    for row in run.history:
        if row["validation_loss"] <= loss:
            return row["seconds"]
    return math.nan


def _arms(case: Case) -> list[list[Run]]:
    """The runs of the arm without attention, and of the candidate."""
    return [case.scored.runs.of(case.baseline), case.scored.runs.of(case.arm)]


def _seconds_by_length(run: Run, work: str) -> dict[float, float]:
    """Seconds per row by the middle of the length bucket."""
    buckets = run.scores["cost"][f"{work}_by_length"]
    return {(bucket["low"] + bucket["high"]) / 2: bucket["seconds"] / bucket["rows"] for bucket in buckets}


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value
