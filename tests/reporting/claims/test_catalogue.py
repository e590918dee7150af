"""The verdicts on the claims, from runs whose outcome is known."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from synthetic_runs import Reported, report_of

from softalign.config import EvaluationConfig
from softalign.reporting.claims import cost, quality
from softalign.reporting.claims.catalogue import CLAIMS
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case, Verdict, by_interval, opposite
from softalign.reporting.comparisons import Scored, score_items
from softalign.reporting.estimates import Estimate, Replicates, contrast, resample_counts
from softalign.reporting.runs import Run
from softalign.reporting.tables import claim_table, headline_comparison, number


def of(reported: Reported, claim: str, arm: str, task: str = "translation") -> list[Verdict]:
    return [v for v in reported.verdicts if (v.claim, v.arm, v.task) == (claim, arm, task)]


def changed(scored: Scored, arm: str, change: Callable[[Run], None]) -> Case:
    """The case of `arm` after `change` has been made to each of its runs."""
    runs = copy.deepcopy(scored.runs)
    for run in runs.of(arm):
        change(run)
    return Case(replace(scored, runs=runs), "vanilla", arm, EvaluationConfig(bootstrap_samples=200))


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
        *rules, diverged = claim.rules
        assert rules and all(rule.startswith("Effect:") for rule in rules)
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


def test_summaries_are_also_held_against_systems_that_learn_nothing(one_seed: Reported) -> None:
    rows = of(one_seed, "C2", "multiply", "summarization")
    assert [row.against for row in rows] == ["vanilla", "lead-20", "copy"]
    assert rows[0].verdict == NOT_DECIDED
    assert rows[2].verdict == SUPPORTED


def test_an_advantage_that_grows_with_length_supports_c4(one_seed: Reported) -> None:
    (growing,) = of(one_seed, "C4", "bahdanau")
    assert growing.verdict == SUPPORTED
    assert growing.effect is not None and growing.effect > 0


def test_an_arm_that_is_worse_on_one_end_refutes_c4(one_seed: Reported) -> None:
    scored = one_seed.scored[0]
    # The arm without attention in the role of the candidate, against one that is far better on long sources.
    case = Case(scored, "bahdanau", "vanilla", one_seed.evaluation)
    (verdict,) = quality.local_and_long_range(case)
    assert verdict.verdict == REFUTED
    assert verdict.effect is not None and verdict.effect < 0


@pytest.mark.parametrize(
    ("short", "long", "expected", "end"),
    [
        (50.0, 30.0, SUPPORTED, "longest"),  # better at both ends, though the advantage shrinks
        (30.0, 50.0, SUPPORTED, "shortest"),
        (0.0, 30.0, NOT_DECIDED, "shortest"),
        (30.0, 0.0, NOT_DECIDED, "longest"),
        (30.0, -20.0, REFUTED, "longest"),
        (-20.0, 0.0, REFUTED, "shortest"),
    ],
)
def test_c4_asks_for_both_ends_of_the_lengths(
    one_seed: Reported, monkeypatch: pytest.MonkeyPatch, short: float, long: float, expected: str, end: str
) -> None:
    scored = one_seed.scored[0]
    words = np.array([item["source_words"] for item in scored.runs.items], dtype=float)
    noise = 5 * np.random.default_rng(0).standard_normal(len(words))
    advantage = np.interp(words, np.quantile(words, [0.2, 0.8]), [short, long]) + noise - noise.mean()
    points = {"vanilla": [np.full(len(words), 40.0)], "bahdanau": [40.0 + advantage]}
    monkeypatch.setattr(quality, "_sentence_points", lambda case, model, metric: points[model])
    (verdict,) = quality.local_and_long_range(Case(scored, "vanilla", "bahdanau", one_seed.evaluation))
    assert (verdict.verdict, verdict.quantity) == (expected, f"chrF on the {end} fifth, points")
    assert verdict.low is not None and verdict.high is not None and verdict.p_value is not None
    assert (verdict.p_value < 0.05) == (expected != NOT_DECIDED)


def test_c4_measures_the_sentence_scores_and_notes_their_slope(one_seed: Reported) -> None:
    scored = one_seed.scored[0]
    words = np.array([item["source_words"] for item in scored.runs.items])
    points = {
        model: [float(scored.items[model, 1]["chrf"].score(row)) for row in scored.items[model, 1]["chrf"].values]
        for model in ("vanilla", "bahdanau")
    }
    difference = np.subtract(points["bahdanau"], points["vanilla"])
    (verdict,) = of(one_seed, "C4", "bahdanau")
    shortest = np.argsort(words, kind="stable")[: len(words) // 5]
    assert verdict.quantity == "chrF on the shortest fifth, points"
    assert verdict.effect == pytest.approx(difference[shortest].mean(), rel=0.05)  # equal lengths stay together
    assert f"slope {10 * np.polyfit(words, difference, 1)[0]:+.1f}" in verdict.notes[2]


def test_attention_that_aligns_better_than_the_diagonal_supports_c5(one_seed: Reported) -> None:
    (good,), (bad,) = of(one_seed, "C5", "bahdanau"), of(one_seed, "C5", "multiply")
    assert (good.verdict, bad.verdict) == (SUPPORTED, REFUTED)
    assert good.effect == pytest.approx(-38.0, abs=3)  # 88 % of the links right, of the diagonal's 50 %
    (missing,) = of(one_seed, "C5", "bahdanau", "summarization")
    assert missing.verdict == NOT_DECIDED
    assert "no alignment" in missing.notes[0]


@pytest.mark.parametrize(("right", "expected"), [(6, SUPPORTED), (5, NOT_DECIDED), (3, REFUTED)])
def test_the_interval_against_the_diagonal_decides_c5_and_the_entropy_does_not(
    one_seed: Reported, right: int, expected: str
) -> None:
    """Of ten links a row five are the diagonal's; of attention one more or less in every other row."""

    def links(run: Run) -> None:
        run.scores["alignment"]["entropy"] = math.log(9)
        for row, item in enumerate(run.predictions):
            own = right + (row % 2 if row % 4 < 2 else -(row % 2))
            item["links"] = {"attention": [own, 10, 10], "diagonal": [5, 10, 10], "same_word": [0, 10, 10]}

    (verdict,) = quality.focuses(changed(one_seed.scored[0], "bahdanau", links))
    assert verdict.verdict == expected
    assert verdict.effect == pytest.approx(10 * (5 - right))
    assert "as wide as 9.0 of" in verdict.notes[1]


def test_alignment_is_resampled_over_items_and_over_seeds(two_seeds: Reported) -> None:
    """With the error rates written out, 1 - 2 |A ∩ S| / (|A| + |S|) of all links, and the items drawn once more."""
    (verdict,) = of(two_seeds, "C5", "bahdanau")
    runs, evaluation = two_seeds.tasks[0].of("bahdanau"), two_seeds.evaluation
    rows = len(runs[0].predictions)
    counts = resample_counts(rows, evaluation.bootstrap_samples, evaluation.bootstrap_seed)

    def rates(run: Run, whose: str, drawn: np.ndarray) -> np.ndarray:
        right, predicted, gold = (drawn @ np.array([item["links"][whose] for item in run.predictions])).T
        return 100 * (1 - 2 * right / (predicted + gold))

    def arm(whose: str, of_runs: list[Run]) -> Replicates:
        return Replicates(
            np.array([rates(run, whose, np.ones((1, rows)))[0] for run in of_runs]),
            np.array([rates(run, whose, counts) for run in of_runs]),
        )

    expected = contrast(arm("diagonal", runs[:1]), arm("attention", runs), evaluation.confidence)
    assert (verdict.effect, verdict.low, verdict.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert verdict.p_value == pytest.approx(expected.p_value)


def test_items_aligned_in_some_seeds_alone_do_not_count_in_c5(two_seeds: Reported) -> None:
    (before,) = of(two_seeds, "C5", "bahdanau")

    def unlinked(run: Run) -> None:
        if run.seed == 2:
            for item in run.predictions[:30]:
                del item["links"]

    (after,) = quality.focuses(changed(two_seeds.scored[0], "bahdanau", unlinked))
    runs = two_seeds.tasks[0].of("bahdanau")
    totals = {
        whose: np.sum([[item["links"][whose] for item in run.predictions[30:]] for run in runs], axis=1)
        for whose in ("attention", "diagonal")
    }
    rates = {whose: 100 * (1 - 2 * found[:, 0] / found[:, 1:].sum(axis=1)) for whose, found in totals.items()}
    assert after.effect == pytest.approx((rates["attention"] - rates["diagonal"]).mean()) != before.effect


def test_extra_time_that_grows_with_length_supports_c9(one_seed: Reported) -> None:
    scoring, decoding, memory = of(one_seed, "C9", "bahdanau")
    assert scoring.verdict == decoding.verdict == memory.verdict == SUPPORTED
    # The made-up runs need 0.1 ms a source word, 0.2 in decoding; the arm with attention 1.4 times as much.
    assert scoring.effect == pytest.approx(0.4, abs=0.05)
    assert decoding.effect == pytest.approx(0.8, abs=0.05)
    assert memory.effect == pytest.approx(0.2)  # 20 bytes a source word

    def as_vanilla(run: Run) -> None:
        run.scores["cost"] = one_seed.tasks[0].of("vanilla")[0].scores["cost"]

    equal, _, same = cost.heavier_on_long_sequences(changed(one_seed.scored[0], "bahdanau", as_vanilla))
    assert (equal.verdict, same.verdict) == (NOT_DECIDED, REFUTED)  # counted, not measured: as much is not more


def test_c9_counts_a_seed_once(two_seeds: Reported) -> None:
    """The slope of a seed is one measurement, however many buckets it has, and a copy of a seed is none."""
    scored = two_seeds.scored[0]
    slopes = []
    for seed in scored.runs.seeds:
        plain, fused = (
            scored.runs.runs[model, seed].scores["cost"]["scoring_by_length"] for model in ("vanilla", "bahdanau")
        )
        extra = [
            (b["seconds"] / b["tokens"] - a["seconds"] / a["tokens"]) * 1e3 for a, b in zip(plain, fused, strict=True)
        ]
        slopes.append(np.polyfit([bucket["source_words"] / 10 for bucket in plain], extra, 1)[0])
    (scoring, *_) = of(two_seeds, "C9", "bahdanau")
    assert scoring.effect == pytest.approx(np.mean(slopes))
    half = stats.t.ppf(0.975, 1) * np.std(slopes, ddof=1) / math.sqrt(2)
    assert (scoring.low, scoring.high) == pytest.approx((np.mean(slopes) - half, np.mean(slopes) + half))

    def as_the_first_seed(run: Run) -> None:
        run.scores["cost"] = scored.runs.runs[run.model, scored.runs.seeds[0]].scores["cost"]

    once = changed(scored, "vanilla", as_the_first_seed).scored
    (copied, *_) = cost.heavier_on_long_sequences(changed(once, "bahdanau", as_the_first_seed))
    assert (copied.verdict, copied.low) == (NOT_DECIDED, None)


def test_memory_is_an_exact_count_of_the_first_seed(two_seeds: Reported) -> None:
    (*_, memory) = of(two_seeds, "C9", "bahdanau")
    assert memory.quantity == "activation memory, extra kB per token and 10 source words"
    assert (memory.verdict, memory.effect) == (SUPPORTED, pytest.approx(0.2))
    assert (memory.low, memory.p_value, memory.p_holm, memory.detectable) == (None, None, None, None)
    assert memory.notes[-1] == "exact count"

    def in_the_second_seed(run: Run) -> None:
        if run.seed == 2:
            run.scores["cost"]["activations_by_length"][0]["bytes"] *= 100

    (*_, same) = cost.heavier_on_long_sequences(changed(two_seeds.scored[0], "bahdanau", in_the_second_seed))
    assert same.effect == memory.effect


@pytest.mark.parametrize(
    ("speed", "verdict"), [(20_000, SUPPORTED), (29_000, NOT_DECIDED), (45_000, REFUTED), (0, NOT_DECIDED)]
)
def test_one_seed_needs_a_clear_ratio_of_training_times(one_seed: Reported, speed: float, verdict: str) -> None:
    case = changed(one_seed.scored[0], "multiply", lambda run: run.cost.update(train_tokens_per_second=speed))
    (found,) = cost.slower_per_token(case)
    assert found.verdict == verdict
    assert found.neutral == 1


def test_time_to_the_loss_that_both_reach(one_seed: Reported) -> None:
    def losses(run: Run) -> None:
        run.history[:] = [{"validation_loss": loss, "seconds": 10.0 * n} for n, loss in enumerate([5, 1.2, 1.0], 1)]

    case = changed(one_seed.scored[0], "bahdanau", losses)
    level = min(row["validation_loss"] for row in case.scored.runs.of("vanilla")[0].history)
    seconds = next(r["seconds"] for r in case.scored.runs.of("vanilla")[0].history if r["validation_loss"] == level)
    (verdict,) = cost.slower_to_quality(case)
    assert verdict.effect == pytest.approx(20.0 / seconds)
    assert verdict.verdict == REFUTED
    assert verdict.notes[0] == f"validation loss {level:.3f}"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([10, 20, 30], SUPPORTED),  # vanilla reaches the loss at 10 s sharp; between 20 and 30 s is surely later
        ([6, 11, 30], NOT_DECIDED),  # 11 s would not be clear, 30 s would
        ([2, 7, 12], NOT_DECIDED),  # not clear at either end
        ([2, 5, 7], REFUTED),
    ],
)
def test_a_loss_that_is_seen_once_an_epoch_was_reached_at_some_time_in_it(
    one_seed: Reported, seconds: list[float], expected: str
) -> None:
    def history(run: Run) -> None:
        fused = run.model == "bahdanau"
        losses, ends = ([5.0, 3.0, 1.0], seconds) if fused else ([5.0, 2.0], [5.0, 10.0])
        run.history[:] = [{"validation_loss": loss, "seconds": end} for loss, end in zip(losses, ends, strict=True)]

    plain = changed(one_seed.scored[0], "vanilla", history).scored
    (verdict,) = cost.slower_to_quality(changed(plain, "bahdanau", history))
    assert verdict.verdict == expected
    assert verdict.effect == pytest.approx(seconds[2] / 10)
    assert ("once an epoch" in verdict.notes[0]) == (expected == NOT_DECIDED and seconds[2] != 12)


def test_parameters_are_counted_exactly(one_seed: Reported) -> None:
    (more,), (same,) = of(one_seed, "C11", "bahdanau"), of(one_seed, "C11", "multiply")
    assert (more.verdict, more.effect) == (SUPPORTED, 73_856)
    assert (same.verdict, same.effect) == (REFUTED, 0)


def test_overfitting_more_and_less_are_opposite_claims_on_one_gap(one_seed: Reported) -> None:
    (more,), (less,) = of(one_seed, "C12", "bahdanau"), of(one_seed, "C13", "bahdanau")
    assert (more.verdict, less.verdict) == (SUPPORTED, REFUTED)
    assert more.effect == pytest.approx(0.08, abs=1e-3)  # ln ratios: 0.10 against 0.02
    assert (less.effect, less.low, less.high) == pytest.approx((-more.effect, -more.high, -more.low))
    assert "not matched in size" in more.notes


def test_tasks_made_for_a_claim_speak_to_it_alone(tmp_path: Path) -> None:
    """Trained to its end on few rows, an arm says whether it overfits, and nothing else; the others say the rest."""
    both = report_of(tmp_path / "both", tasks=("translation", "translation_low_resource"), rows=6)
    tasks = {claim.id: {row.task for row in both.verdicts if row.claim == claim.id} for claim in CLAIMS}
    assert tasks["C12"] == tasks["C13"] == {"translation_low_resource"}
    assert tasks["C1"] == tasks["C4"] == tasks["C9"] == {"translation"}
    alone = report_of(tmp_path / "alone", tasks=("translation_low_resource",), rows=6)
    (first,) = [row for row in alone.verdicts if row.claim == "C1"]
    assert first.notes == ["translation: not run"]


def test_a_curve_that_still_falls_says_nothing_on_overfitting(one_seed: Reported) -> None:
    case = changed(one_seed.scored[0], "bahdanau", lambda run: run.cost.update(flattened=False))
    for (row,) in (cost.overfits_more(case), cost.overfits_less(case)):
        assert (row.verdict, row.p_value) == (NOT_DECIDED, None)
        assert row.notes[0] == "the validation curve was not flat at its end: bahdanau (seed 1); train longer"


def test_a_perplexity_that_is_not_a_number_decides_nothing(one_seed: Reported) -> None:
    case = changed(one_seed.scored[0], "bahdanau", lambda run: run.scores["gap"].update(test_perplexity=None))
    assert cost.overfits_more(case)[0].verdict == NOT_DECIDED
    assert cost.overfits_less(case)[0].verdict == NOT_DECIDED


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


def test_an_item_without_a_likelihood_decides_nothing_about_overfitting(tmp_path: Path) -> None:
    reported = report_of(tmp_path, tasks=("translation",), models=("vanilla", "multiply"), rows=6)
    run = reported.tasks[0].of("multiply")[0]
    run.predictions[0]["negative_log_likelihood"] = None
    case = Case(score_items(reported.tasks[0], reported.evaluation), "vanilla", "multiply", reported.evaluation)
    assert cost.overfits_more(case)[0].verdict == NOT_DECIDED
