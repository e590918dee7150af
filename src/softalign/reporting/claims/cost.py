"""C9 to C13: what fusion costs, and whether it overfits.

Each function tests one claim; its docstring is the rule, fixed before any data was seen unless it says otherwise, and
the report prints it.
"""

from __future__ import annotations

import math

import numpy as np

from softalign.reporting.claims.pairs import SAME_SIZE, control_of
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case, Verdict, by_interval, opposite
from softalign.reporting.estimates import (
    Estimate,
    Replicates,
    contrast,
    line_slope,
    mean_over_seeds,
    ratio_of_means,
    resample_counts,
)
from softalign.reporting.length_costs import LENGTH_COSTS, LengthCost
from softalign.reporting.runs import Run

# A ratio of two single measurements of time has no interval: only one beyond this, either way, decides.
CLEAR_RATIO = 1.25
# A training that alone keeps a core busy all the time, and had less of one, ran beside other programs.
SHARE_OF_A_CORE = 0.8


def heavier_on_long_sequences(case: Case) -> list[Verdict]:
    """Effect: the slope, over the source length, of what the arm needs for a target token beyond the arm without
    attention, for 10 source words more: time to score the reference (teacher-forced), time for what the arm writes, and
    memory of the activations that a training step holds in fp32, the output layer's aside. Least squares over the
    length buckets, at the mean length of the rows measured. Times: the mean of the slopes of the seeds with Student's
    t interval over these, with one seed that of the line; supported when the whole interval lies above 0 (a token costs
    the more extra, the longer the source), refuted when it lies below 0, not decided otherwise. Memory is counted
    exactly: supported above 0, refuted at 0 and below. (Changed after the first runs: at first the time was that of a
    row, so that longer targets alone made a slope, and an arm that writes less looked fast; memory was not looked at;
    then a bucket stood at the middle of its ends, and the buckets of all seeds were taken for as many measurements.)
    """
    return [_growth(case, cost) for cost in LENGTH_COSTS]


def _growth(case: Case, cost: LengthCost) -> Verdict:
    slopes: list[Estimate] = []
    ratios: list[float] = []
    for runs in zip(*_arms(case), strict=True):
        plain, fused = (cost.by_length(run.scores) for run in runs)
        extra = [own.per_token - other.per_token for own, other in zip(fused, plain, strict=True)]
        slopes.append(line_slope([at.source_words / 10 for at in plain], extra, case.evaluation.confidence))
        ratios.append(fused[-1].per_token / plain[-1].per_token)
    if cost.is_exact:
        slopes, ratios = slopes[:1], ratios[:1]
    slope = slopes[0]
    if len(slopes) > 1:
        slope = mean_over_seeds([seed.value for seed in slopes], case.evaluation.confidence)
    verdict = by_interval(slope)
    notes = [f"{np.mean(ratios):.2f} times as much for a token on the longest sources"]
    if cost.is_exact:
        slope = Estimate(slope.value)
        verdict = SUPPORTED if slope.value > 0 else REFUTED if slope.value <= 0 else NOT_DECIDED
        notes.append("exact count")
    quantity = f"{cost.name}, extra {cost.unit} per token and 10 source words"
    return case.verdict("C9", verdict, quantity, slope, *notes)


def slower_per_token(case: Case) -> list[Verdict]:
    """Effect: training time per target token, as the ratio arm / arm without attention. With two seeds or more:
    ratio of geometric means with Welch's t interval on the logarithms; supported when the whole interval lies above
    1, refuted when below, not decided otherwise. With one seed: supported above 1.25, refuted below 1/1.25, not
    decided between. Not decided either where a training on a CPU had less than 0.8 CPU seconds a second: other programs
    took part of its time; nor where trainings could use unlike numbers of cores, as with and without `--jobs`, nor
    where with `--jobs` they shared a GPU. (Changed after the first runs: at first it decided whatever else the machine
    did.)
    """
    speeds = [[run.cost["train_tokens_per_second"] for run in runs] for runs in _arms(case)]
    times = [[1 / speed if speed else math.nan for speed in arm] for arm in speeds]
    return [_undisturbed(case, _ratio_verdict(case, times[0], times[1], "training time per token, ratio"))]


def slower_to_quality(case: Case) -> list[Verdict]:
    """Effect: training time until a given validation loss, as the ratio arm / arm without attention. The loss is
    the best that both reach in every seed (the higher of their best losses). It is looked at once an epoch: a run
    reaches it between the end of the epoch before and the end of the one that shows it, which is the effect's. Decided
    as the time per token is, where the verdict is the same for both ends: for the arm as early and the other as late as
    can be, and the reverse. (Changed after the first runs: at first the ends of the epochs alone decided, which with
    two epochs is the time per token once more.)
    """
    quantity = "time to the same validation loss, ratio"
    arms = _arms(case)
    best = [min((row["validation_loss"] for row in run.history), default=math.nan) for runs in arms for run in runs]
    if not all(math.isfinite(loss) for loss in best):
        row = case.verdict("C10", NOT_DECIDED, quantity, Estimate(math.nan), neutral=1)
        return [row.kept_open("an arm's validation loss is not a number")]
    level = max(best)
    spans = [[_time_to(run, level) for run in runs] for runs in arms]
    early, late = ([[span[end] for span in runs] for runs in spans] for end in (0, 1))
    verdict = _ratio_verdict(case, late[0], late[1], quantity, f"validation loss {level:.3f}")
    sooner, later = (
        _ratio_verdict(case, baseline, candidate, quantity)
        for baseline, candidate in ((late[0], early[1]), (early[0], late[1]))
    )
    if verdict.verdict == NOT_DECIDED or sooner.verdict == later.verdict == verdict.verdict:
        return [_undisturbed(case, verdict)]
    ends = " to ".join(_bound(ratio.effect, unknown) for ratio, unknown in ((sooner, "0"), (later, "any")))
    return [_undisturbed(case, verdict.kept_open("the loss is looked at once an epoch", f"{ends} times the time"))]


def _undisturbed(case: Case, verdict: Verdict) -> Verdict:
    """The verdict; not decided where a training ran beside other programs, with fewer cores or on a shared GPU."""
    shares = {
        f"{run.model} (seed {run.seed})": run.cost["cpu_seconds"] / run.cost["wall_seconds"]
        for runs in _arms(case)
        for run in runs
        if run.cost["peak_accelerator_memory_mb"] is None and run.cost["wall_seconds"]
    }
    disturbed = [f"{name} {share:.1f}" for name, share in shares.items() if share < SHARE_OF_A_CORE]
    if disturbed:
        return verdict.kept_open("trained beside other programs", f"CPU seconds a second: {', '.join(disturbed)}")
    cores = [{run.cost["cores"] for run in runs} for runs in _arms(case)]
    if len(set.union(*cores)) > 1:
        says = " against ".join("/".join(map(str, sorted(found))) for found in reversed(cores))
        return verdict.kept_open("trained on unlike numbers of cores", says)
    jobs = max(run.cost["jobs"] for runs in _arms(case) for run in runs)
    if jobs > 1 and any(run.cost["peak_accelerator_memory_mb"] is not None for runs in _arms(case) for run in runs):
        return verdict.kept_open("trained on a shared GPU", f"{jobs} jobs at a time")
    return verdict


def _bound(ratio: float | None, unknown: str) -> str:
    """An end of the ratio; `unknown` where one of the arms may have got there before the end of its first epoch."""
    return unknown if ratio is None or not math.isfinite(ratio) else f"{ratio:.2f}"


def _ratio_verdict(case: Case, baseline: list[float], candidate: list[float], quantity: str, *notes: str) -> Verdict:
    if not all(math.isfinite(value) and value > 0 for value in [*baseline, *candidate]):
        row = case.verdict("C10", NOT_DECIDED, quantity, Estimate(math.nan), *notes, neutral=1)
        return row.kept_open("a time is missing")
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
        own = case.scored.runs.n_parameters(control)
        assert own is not None  # it was chosen by its size
        notes.append(f"of as many parameters: {control}, {own:,} ({100 * (own - candidate) / candidate:+.1f} %)")
    verdict = SUPPORTED if difference > 0 else REFUTED
    return [case.verdict("C11", verdict, "parameters", Estimate(difference), *notes)]


def overfits_more(case: Case) -> list[Verdict]:
    """Effect: the gap ln(test perplexity / training perplexity) of the arm minus that of the arm without attention,
    both teacher-forced with dropout off; where there is one, also minus that of an arm without attention that has as
    many parameters. The interval is the paired bootstrap's over test items, and with several seeds over these too.
    Supported: the whole interval lies above 0. Refuted: the whole interval lies below 0. Not decided otherwise, and
    where a validation curve of the two was not flat at its end: who has not learned yet has no gap either. The sample
    of training rows is fixed, not resampled. Where tasks made for it are named (few rows, trained until the validation
    loss turns) they alone are looked at. (Changed after the first runs: at first the curves did not matter, and a gap
    of 0.02 after two epochs refuted; then other tasks, never trained to their end, kept the claim open.)
    """
    return [_gap_verdict(case, "C12", _gap_difference(case))]


def overfits_less(case: Case) -> list[Verdict]:
    """Effect: the same difference of gaps with the sign turned round, so that above 0 the arm overfits less.
    Supported: the whole interval lies above 0. Refuted: the whole interval lies below 0. Not decided otherwise, and
    where a validation curve of the two was not flat at its end. (Changed after the first runs as that of C12 was.)
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
    row = case.verdict(claim, by_interval(estimate), quantity, estimate, *notes, *case.seed_note())
    unsettled = [f"{run.model} (seed {run.seed})" for runs in _arms(case) for run in runs if not run.cost["flattened"]]
    if unsettled:
        return row.kept_open("the validation curve was not flat at its end", f"{', '.join(unsettled)}; train longer")
    return row


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


def _time_to(run: Run, loss: float) -> tuple[float, float]:
    """Training seconds between which the validation loss came down to `loss`: the ends of two epochs, 0 for the first.

    Both are the same where the loss of the later is `loss` itself; both are nan where no epoch reached it.
    """
    before = 0.0
    for row in run.history:
        if row["validation_loss"] <= loss:
            return (row["seconds"] if row["validation_loss"] == loss else before, row["seconds"])
        before = row["seconds"]
    return math.nan, math.nan


def _arms(case: Case) -> list[list[Run]]:
    """The runs of the arm without attention, and of the candidate."""
    return [case.scored.runs.of(case.baseline), case.scored.runs.of(case.arm)]
