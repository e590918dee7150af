"""The verdicts on the claims, from runs whose outcome is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from claim_cases import of
from synthetic_runs import Reported, report_of

from softalign.reporting.claim_tables import claim_table
from softalign.reporting.claims.catalogue import CLAIMS
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, by_interval, opposite
from softalign.reporting.estimates import Estimate
from softalign.reporting.tables import headline_comparison, number


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 2, SUPPORTED), (-2, -0.1, REFUTED), (-1, 1, NOT_DECIDED), (0, 1, NOT_DECIDED), (None, None, NOT_DECIDED)],
)
def test_an_interval_becomes_a_verdict(low: float | None, high: float | None, verdict: str) -> None:
    assert by_interval(Estimate(0.5, low, high)) == verdict
    mirrored = {SUPPORTED: REFUTED, REFUTED: SUPPORTED, NOT_DECIDED: NOT_DECIDED}
    assert by_interval(opposite(Estimate(0.5, low, high))) == mirrored[verdict]


def test_every_claim_has_a_verdict_for_every_arm_with_attention(one_seed: Reported) -> None:
    for claim in ("C1", "C2", "C4", "C5", "C9", "C10", "C11", "C12", "C13"):
        arms = {verdict.arm for verdict in one_seed.verdicts if verdict.claim == claim}
        assert arms == {"multiply", "bahdanau"}, claim


def test_the_claims_are_those_of_the_design_and_each_prints_its_rule() -> None:
    assert [claim.id for claim in CLAIMS] == [f"C{number}" for number in range(1, 15)]
    for claim in CLAIMS:
        rules, diverged = claim.rules[: len(claim.tests)], claim.rules[-1]
        assert rules and all(rule.startswith("Effect:") for rule in rules)
        floor = [rule for rule in claim.rules if rule.startswith("A row is not decided where neither")]
        assert claim.rules == [*rules, *floor, diverged] and len(floor) == claim.of_scores
        assert "diverged" in diverged


def test_a_claim_may_hold_for_one_arm_and_not_for_another(one_seed: Reported) -> None:
    (better,) = of(one_seed, "C1", "bahdanau")
    (equal,) = of(one_seed, "C1", "multiply")
    assert (better.verdict, equal.verdict) == (SUPPORTED, NOT_DECIDED)
    assert better.effect is not None and better.effect > 40
    assert better.experiment == "runs/translation/{vanilla,bahdanau}/{1}"
    assert better.notes == ["one seed: test items resampled, seed variation not covered"]


@pytest.mark.parametrize("fixture", ["one_seed", "two_seeds"])
def test_a_row_says_what_would_have_been_detected(fixture: str, request: pytest.FixtureRequest) -> None:
    """C1 rests on the comparison of the two arms; seen from the other side, as C13 sees C12, it is the same."""
    reported: Reported = request.getfixturevalue(fixture)
    (verdict,) = of(reported, "C1", "bahdanau")
    compared = headline_comparison(reported.results, "translation", "bahdanau")
    assert compared is not None and compared["detectable"] > 0
    assert verdict.detectable == pytest.approx(compared["detectable"])
    more, less = (of(reported, claim, "bahdanau")[0].detectable for claim in ("C12", "C13"))
    assert more == less and more is not None
    record = next(claim for claim in reported.claims["claims"] if claim["id"] == "C1")
    table = claim_table(record)
    for row in reported.verdicts:
        assert (row.detectable is None) == (row.low is None), row
    cells = [row[table.columns.index("detects")] for row in table.rows if row[1] == "bahdanau"]
    assert cells == [f"≥ {number(verdict.detectable)}"]


def test_several_seeds_need_no_such_note(two_seeds: Reported) -> None:
    (verdict,) = of(two_seeds, "C1", "bahdanau")
    assert verdict.seeds == [1, 2]
    assert verdict.notes == []


def test_tasks_made_for_a_claim_speak_to_it_alone(tmp_path: Path) -> None:
    """Trained to its end on few rows, an arm says whether it overfits, and nothing else; the others say the rest."""
    both = report_of(tmp_path / "both", tasks=("translation", "translation_low_resource"), rows=6)
    tasks = {claim.id: {row.task for row in both.verdicts if row.claim == claim.id} for claim in CLAIMS}
    assert tasks["C12"] == tasks["C13"] == {"translation_low_resource"}
    assert tasks["C1"] == tasks["C4"] == tasks["C9"] == {"translation"}
    alone = report_of(tmp_path / "alone", tasks=("translation_low_resource",), rows=6)
    (first,) = [row for row in alone.verdicts if row.claim == "C1"]
    assert first.notes == ["translation: not run"]


@pytest.mark.parametrize(
    ("options", "claim", "reason"),
    [
        ({"models": ("bahdanau",)}, "C1", "no arm without attention is otherwise alike"),
        ({"models": ("vanilla",)}, "C1", "needs an arm with attention, and the arm without it that is otherwise alike"),
        ({}, "C2", "summarization: not run"),
        ({}, "C3", "recall: not run"),
        ({}, "C7", "needs an arm that feeds the fused state back, and the same arm without feedback"),
    ],
)
def test_what_the_runs_cannot_speak_to_is_not_decided(
    tmp_path: Path, options: dict[str, Any], claim: str, reason: str
) -> None:
    reported = report_of(tmp_path, tasks=("translation",), rows=6, **options)
    (verdict,) = [row for row in reported.verdicts if row.claim == claim]
    assert (verdict.verdict, verdict.notes) == (NOT_DECIDED, [reason])


def test_a_further_arm_gets_its_own_verdicts(tmp_path: Path) -> None:
    reported = report_of(tmp_path, tasks=("translation",), models=("vanilla", "luong"), rows=30)
    assert {verdict.arm for verdict in reported.verdicts if verdict.claim == "C1"} == {"luong"}
