"""C1, C2, C4 and C5, from runs whose outcome is known."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from claim_cases import changed, of
from synthetic_runs import Reported

from softalign.reporting.claims import quality
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case
from softalign.reporting.estimates import Estimate, Replicates, contrast, resample_counts
from softalign.reporting.runs import Run


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


def test_c4_is_as_sure_as_its_ends_make_it() -> None:
    worse, better, surer = Estimate(-2, -3, -1, 0.01), Estimate(1, 0.5, 2, 0.03), Estimate(3, 2, 4, 0.002)
    at_both_ends = quality._at_both_ends
    assert at_both_ends({"short": worse, "long": surer}) == (REFUTED, "short", 0.02)  # either is enough: twice its own
    assert at_both_ends({"short": better, "long": surer}) == (SUPPORTED, "short", 0.03)  # both are needed: the larger


def test_sources_of_one_length_keep_c4_open(one_seed: Reported) -> None:
    scored = copy.deepcopy(one_seed.scored[0])
    for run in scored.runs.runs.values():
        for item in run.predictions:
            item["source_words"] = 9
    (row,) = quality.local_and_long_range(Case(scored, "vanilla", "bahdanau", one_seed.evaluation))
    assert row.effect is not None and row.effect > 0
    assert (row.verdict, row.p_value) == (NOT_DECIDED, None)
    assert row.open_because == "all sources are about equally long"


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
