"""C14: is fusion hurt less by inputs that differ from those it was trained on.

The docstring of the test is the rule, fixed before any data was seen unless it says otherwise;
the report prints it.
"""

from __future__ import annotations

import math

from softalign.evaluation.shifted import BY_LENGTH
from softalign.reporting.claims.losses import losses
from softalign.reporting.claims.verdicts import (
    NOT_DECIDED,
    REFUTED,
    SUPPORTED,
    Case,
    Verdict,
    by_interval,
    opposite,
    signed,
)
from softalign.reporting.estimates import Estimate, contrast
from softalign.reporting.names import NAMES


def generalises_better(case: Case) -> list[Verdict]:
    """Effect: what the arm loses of its headline score from the test set to a shifted one, in per cent of its score on
    the test set, minus what the arm without attention loses of its own; below 0 is better. Each shifted set has its own
    row. Noise is compared with the test rows that it was made of, and sources that are longer (or shorter) than those
    trained on with the other rows of the test set; joined rows with the whole test set. Supported: the whole interval
    lies below 0, and the arm is not surely worse on the shifted set itself. Refuted: the whole interval lies above 0,
    and the arm is not surely better on the shifted set itself. Not decided otherwise, and where there is no shifted
    set. The items of both sets are resampled, the same ones for both arms. Shares decide and not points, because an arm
    that scores little has few points to lose; the difference in points stands beside them. (Changed after the first
    runs: at first the share alone refuted, so that an arm that hardly looks at its source, and loses nothing when that
    is spoilt, won against one that is better on the spoilt source too; then such an arm could still be supported.)
    """
    runs = [*case.scored.runs.of(case.baseline), *case.scored.runs.of(case.arm)]
    names = list(dict.fromkeys(name for run in runs for name in run.shifted))
    if not names:
        note = "no shifted test set: data.shifted_tests is empty, and no length of source was kept from training"
        return [case.verdict("C14", NOT_DECIDED, "–", Estimate(math.nan), note, applies=False)]
    return [_verdict(case, name) for name in names]


def _verdict(case: Case, name: str) -> Verdict:
    metric = case.scored.runs.headline_metric
    quantity = f"{name}: {NAMES[metric]} lost, per cent of the arm's own"
    runs = [*case.scored.runs.of(case.baseline), *case.scored.runs.of(case.arm)]
    nothing = case.verdict("C14", NOT_DECIDED, quantity, Estimate(math.nan))
    without = [f"{run.model} (seed {run.seed})" for run in runs if name not in run.shifted]
    if without:
        return nothing.kept_open(f"not scored on {name}", f"{', '.join(without)}; run dvc repro")
    if any(run.shifted[name].identity != runs[0].shifted[name].identity for run in runs):
        return nothing.kept_open(f"the arms were scored on different items of {name}", "run dvc repro")
    base = runs[0].shifted[name].base
    if base is not None and not len(base):
        return nothing.kept_open("no source of the test set has a length that was trained on")
    of = {model: losses(case.scored, model, name, metric, case.evaluation) for model in (case.baseline, case.arm)}

    def difference(part: str) -> Estimate:
        return contrast(getattr(of[case.baseline], part), getattr(of[case.arm], part), case.evaluation.confidence)

    points, shares, score = difference("points"), difference("share"), difference("score")
    if shares.low is None:  # of nothing there is no share
        return nothing.kept_open(
            f"an arm scores 0 on the rows that {name} is compared with, or on some resample of them"
        )
    verdict = by_interval(opposite(shares))
    notes = [
        f"{case.arm} loses {of[case.arm].share.value:.1f} %, {case.baseline} {of[case.baseline].share.value:.1f} %",
        f"in points {signed(points)}",
        f"its score on the set {signed(score)}",
    ]
    if name in BY_LENGTH:
        notes.append("part of it may be that sources of these lengths are harder for an arm however it is trained")
    row = case.verdict("C14", verdict, quantity, shares, *notes, *case.seed_note())
    if {verdict, by_interval(score)} == {SUPPORTED, REFUTED}:
        less, worse = ("more", "better") if verdict == REFUTED else ("less", "worse")
        return row.kept_open(f"loses {less} on {name}, and is {worse} there all the same")
    return row
