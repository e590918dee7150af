"""Trainings that diverged, in made-up runs: what each claim makes of them."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from synthetic_runs import Arm, diverge, report_on, write_project

from softalign.config import EvaluationConfig
from softalign.params import read_params
from softalign.paths import Layout
from softalign.reporting.claims import divergence
from softalign.reporting.claims.catalogue import CLAIMS
from softalign.reporting.claims.divergence import Divergence
from softalign.reporting.claims.overall import overall
from softalign.reporting.claims.pairs import Pair
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Verdict
from softalign.reporting.runs import TaskRuns, read_runs

FUSED = {"fusion": "luong", "score": "dot"}
ARMS = {
    "plain": Arm({}),
    "plain-r": Arm({"activation": "relu"}),
    "fused": Arm(FUSED),
    "fused-r": Arm({**FUSED, "activation": "relu"}),
}


def project(root: Path, seeds: int) -> Path:
    return write_project(root, tasks=("translation",), models=(), seeds=tuple(range(1, seeds + 1)), rows=6, arms=ARMS)


def runs_of(root: Path) -> TaskRuns:
    layout = Layout(root)
    (task,) = read_runs(layout, read_params(layout.params))
    return task


@pytest.mark.parametrize(
    ("seeds", "arm", "against", "p_value", "better", "different"),
    # All of n against none of n: 2 of the (2n choose n) ways to choose n of 2n trainings are as far off.
    [
        (3, 3, 0, 2 / 20, NOT_DECIDED, NOT_DECIDED),
        (4, 4, 0, 2 / 70, REFUTED, SUPPORTED),
        (4, 0, 4, 2 / 70, SUPPORTED, SUPPORTED),
        (4, 4, 3, 1.0, NOT_DECIDED, NOT_DECIDED),
        (4, 1, 0, 1.0, NOT_DECIDED, NOT_DECIDED),
    ],
)
def test_how_often_the_trainings_of_two_arms_diverge_decides(
    tmp_path: Path, seeds: int, arm: int, against: int, p_value: float, better: str, different: str
) -> None:
    root = project(tmp_path, seeds)
    diverge(root, "fused-r", *range(1, arm + 1))
    diverge(root, "plain-r", *range(1, against + 1))
    task = runs_of(root)

    def row(rule: Divergence) -> Verdict:
        return rule("C0", task, Pair("fused-r", "plain-r"), EvaluationConfig())

    assert row(divergence.is_worse).verdict == better
    assert row(divergence.is_different).verdict == different
    assert row(divergence.is_worse).p_value == pytest.approx(p_value)
    assert row(divergence.is_worse).effect == pytest.approx((arm - against) / seeds)
    notes = [f"diverged: fused-r {arm} of {seeds}, plain-r {against} of {seeds}"]
    if seeds < 4:  # of three against three the least p is 2 / (6 over 3)
        least = 2 / math.comb(2 * seeds, seeds)
        notes.append(f"with {seeds} an arm no shares are told apart: p is {least:.2g} at the least")
    assert row(divergence.is_worse).notes == notes
    silent = row(divergence.is_silent)
    assert (silent.applies, silent.effect, silent.p_value, silent.verdict) == (False, None, None, NOT_DECIDED)


def test_every_claim_takes_divergence_as_an_outcome(tmp_path: Path) -> None:
    root = project(tmp_path, seeds=2)
    diverge(root, "fused-r", 2)
    reported = report_on(root)
    by_claim = {claim.id: [row for row in reported.verdicts if row.claim == claim.id] for claim in CLAIMS}
    assert not any(row.missing for rows in by_claim.values() for row in rows)
    (relu,) = [row for row in by_claim["C8"] if row.arm == "fused-r"]
    (better,) = [row for row in by_claim["C1"] if row.arm == "fused-r"]
    for row, against in ((relu, "fused"), (better, "plain-r")):
        assert (row.quantity, row.effect, row.against) == ("share of diverged trainings", 0.5, against)
    for name in ("C4", "C5", "C9", "C10", "C11", "C12", "C13", "C14"):
        assert [row.applies for row in by_claim[name] if row.arm == "fused-r"] == [False], name
    # Counted exactly, so decided for the arm that got through: a silent arm does not hold the claim back.
    assert overall(by_claim["C11"]).verdict != NOT_DECIDED


def test_a_training_that_was_not_run_is_missing_also_beside_one_that_diverged(tmp_path: Path) -> None:
    root = project(tmp_path, seeds=2)
    diverge(root, "fused-r", 1)
    shutil.rmtree(root / "runs/translation/fused-r/2")
    (row,) = [row for row in report_on(root).verdicts if (row.claim, row.arm) == ("C1", "fused-r")]
    diverged = "runs/translation/fused-r/1 (diverged at step 7, gradient norm inf)"
    assert row.missing == [diverged, "runs/translation/fused-r/2 (not run)"]
