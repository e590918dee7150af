"""C14 on made-up items whose scores are known: each item's score is a number, the corpus score their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthetic_runs import Reported

from softalign.evaluation.scores import ItemStatistics
from softalign.reporting.claims.generalisation import generalises_better
from softalign.reporting.claims.losses import losses
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case, Verdict
from softalign.reporting.comparisons import Scored
from softalign.reporting.shifted import ShiftedSet

ITEMS = [{"source": f"s{row}", "references": ["r"], "prediction": ""} for row in range(60)]


def mean(totals: np.ndarray) -> np.ndarray:
    return np.asarray(totals[..., 0] / totals[..., 1])


def items(points: Sequence[float]) -> ItemStatistics:
    return ItemStatistics(np.column_stack([points, np.ones(len(points))]), mean, "")


def own_set(points: Sequence[float], base: list[int] | None = None) -> ShiftedSet:
    """A set with predictions of its own, of which `points` are the scores."""
    rows = None if base is None else np.array(base)
    return ShiftedSet(ITEMS[: len(points)], {"bleu": items(points)}, None, rows)


def case(reported: Reported, test: dict[str, Sequence[float]], shifted: dict[str, dict[str, ShiftedSet]]) -> Case:
    """vanilla and bahdanau with these scores of the test items, and these shifted sets."""
    scored = reported.scored[0]
    runs = {
        (model, seed): replace(run, shifted=shifted.get(model, {})) for (model, seed), run in scored.runs.runs.items()
    }
    made_up = {
        (model, seed): {"bleu": items(test[model])} if model in test else statistics
        for (model, seed), statistics in scored.items.items()
    }
    changed: Scored = replace(scored, runs=replace(scored.runs, runs=runs), items=made_up)
    return Case(changed, "vanilla", "bahdanau", reported.evaluation)


def judged(reported: Reported, vanilla: tuple[float, float], bahdanau: tuple[float, float]) -> Verdict:
    """The verdict where every item has one score on the test set and another on the shifted one."""
    pairs = {"vanilla": vanilla, "bahdanau": bahdanau}
    test = {model: [before] * 60 for model, (before, _) in pairs.items()}
    shifted = {model: {"other": own_set([after] * 30)} for model, (_, after) in pairs.items()}
    (verdict,) = generalises_better(case(reported, test, shifted))
    return verdict


def test_who_loses_the_smaller_share_generalises_better(one_seed: Reported) -> None:
    verdict = judged(one_seed, vanilla=(20, 10), bahdanau=(40, 30))
    assert verdict.verdict == SUPPORTED
    assert verdict.effect == pytest.approx(25 - 50)
    assert verdict.quantity == "other: BLEU lost, per cent of the arm's own"
    assert verdict.notes[:2] == ["bahdanau loses 25.0 %, vanilla 50.0 %", "in points +0.0 [+0.0, +0.0]"]


def test_fewer_points_lost_by_who_had_fewer_to_lose_does_not_count(one_seed: Reported) -> None:
    verdict = judged(one_seed, vanilla=(40, 20), bahdanau=(50, 15))
    assert (verdict.verdict, verdict.effect) == (REFUTED, pytest.approx(70 - 50))
    assert "in points +15.0" in verdict.notes[1]
    assert judged(one_seed, vanilla=(2, 1), bahdanau=(50, 25)).verdict == NOT_DECIDED


def test_who_loses_more_and_is_better_all_the_same_does_not_refute(one_seed: Reported) -> None:
    verdict = judged(one_seed, vanilla=(2, 1), bahdanau=(50, 20))
    assert (verdict.verdict, verdict.effect) == (NOT_DECIDED, pytest.approx(60 - 50))
    assert verdict.open_because == verdict.notes[0] == "loses more on other, and is better there all the same"
    assert "its score on the set +19.0" in verdict.notes[3]


def test_who_loses_less_and_is_worse_all_the_same_is_not_supported(one_seed: Reported) -> None:
    verdict = judged(one_seed, vanilla=(20, 12), bahdanau=(2, 1.9))
    assert (verdict.verdict, verdict.effect) == (NOT_DECIDED, pytest.approx(5 - 40))
    assert verdict.open_because == verdict.notes[0] == "loses less on other, and is worse there all the same"
    assert verdict.p_value is None


def test_an_arm_without_any_point_to_lose_decides_nothing(one_seed: Reported) -> None:
    verdict = judged(one_seed, vanilla=(0, 0), bahdanau=(50, 25))
    assert verdict.verdict == NOT_DECIDED and verdict.low is None


def test_chance_alone_decides_nothing(one_seed: Reported) -> None:
    generator = np.random.default_rng(0)
    points = {(model, part): generator.uniform(0, 100, 60) for model in ("vanilla", "bahdanau") for part in "ab"}
    test = {model: points[model, "a"] for model in ("vanilla", "bahdanau")}
    shifted = {model: {"other": own_set(points[model, "b"])} for model in test}
    (verdict,) = generalises_better(case(one_seed, test, shifted))
    assert verdict.verdict == NOT_DECIDED
    assert verdict.low is not None and verdict.high is not None and verdict.low < 0 < verdict.high


def test_noise_is_compared_with_the_very_rows_that_it_was_made_of(one_seed: Reported) -> None:
    """Rows that lose a point each, however far apart they are, lose it in every resample; other items do not."""
    points = np.arange(60.0)
    rows = list(range(10, 40))
    paired = case(one_seed, {"vanilla": points}, {"vanilla": {"noise": own_set(points[rows] - 1, rows)}})
    lost = losses(paired.scored, "vanilla", "noise", "bleu", one_seed.evaluation)
    np.testing.assert_allclose(lost.points.points, [1])
    np.testing.assert_allclose(lost.points.resampled, 1)
    np.testing.assert_allclose(lost.share.points, [100 / np.mean(rows)])
    np.testing.assert_allclose(lost.score.points, [np.mean(rows) - 1])
    others = case(one_seed, {"vanilla": points}, {"vanilla": {"other": own_set(points - 1)}})
    lost = losses(others.scored, "vanilla", "other", "bleu", one_seed.evaluation)
    np.testing.assert_allclose(lost.points.points, [1])
    independent = np.sqrt(2) * points.std() / np.sqrt(60)
    assert lost.points.resampled.std() == pytest.approx(independent, rel=0.15)


def test_sources_longer_than_trained_on_are_compared_with_the_others(one_seed: Reported) -> None:
    longer = ShiftedSet(None, None, rows=np.arange(40, 60), base=np.arange(40))
    test = {"vanilla": [20.0] * 40 + [5.0] * 20, "bahdanau": [40.0] * 40 + [30.0] * 20}
    shifted = {model: {"longer": longer} for model in test}
    (verdict,) = generalises_better(case(one_seed, test, shifted))
    assert (verdict.verdict, verdict.effect) == (SUPPORTED, pytest.approx(25 - 75))
    assert any("harder for an arm however it is trained" in note for note in verdict.notes)


def test_the_same_items_are_drawn_for_both_arms(one_seed: Reported) -> None:
    """Arms whose scores are proportional lose the same share of them in every resample."""
    generator = np.random.default_rng(0)
    before, after = generator.uniform(50, 100, 60), generator.uniform(0, 50, 30)
    test = {"vanilla": before, "bahdanau": before / 2}
    shifted = {"vanilla": {"other": own_set(after)}, "bahdanau": {"other": own_set(after / 2)}}
    (verdict,) = generalises_better(case(one_seed, test, shifted))
    assert (verdict.low, verdict.high) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))


def everyone(value: ShiftedSet, **but: Any) -> dict[str, dict[str, ShiftedSet]]:
    return {model: {"other": value} for model in ("vanilla", "bahdanau")} | but


@pytest.mark.parametrize(
    ("shifted", "says"),
    [
        ({}, "no shifted test set"),
        (everyone(own_set([1.0]), bahdanau={}), "not scored on other: bahdanau (seed 1)"),
        (everyone(own_set([1.0]), vanilla={"other": own_set([1.0, 2.0])}), "different items of other"),
        (everyone(ShiftedSet(None, None, np.arange(60), np.arange(0))), "no source of the test set has a length"),
    ],
)
def test_what_cannot_be_compared_is_not_decided_and_says_why(
    one_seed: Reported, shifted: dict[str, dict[str, ShiftedSet]], says: str
) -> None:
    (verdict,) = generalises_better(case(one_seed, {}, shifted))
    assert verdict.verdict == NOT_DECIDED
    assert says in verdict.notes[0]
    assert verdict.applies == bool(verdict.open_because)


def test_of_a_score_of_nothing_no_share_is_lost(one_seed: Reported) -> None:
    verdict = judged(one_seed, vanilla=(0, 0), bahdanau=(40, 30))
    assert verdict.verdict == NOT_DECIDED
    assert verdict.open_because.startswith("an arm scores 0 on the rows that other is compared with")
    assert "nan" not in " ".join(verdict.notes)


def test_each_set_has_its_own_row(one_seed: Reported) -> None:
    sets = {"one": own_set([1.0] * 9), "two": own_set([2.0] * 9)}
    found = generalises_better(
        case(one_seed, {"vanilla": [4.0] * 60, "bahdanau": [4.0] * 60}, {"vanilla": sets, "bahdanau": sets})
    )
    assert [verdict.quantity.split(":")[0] for verdict in found] == ["one", "two"]
