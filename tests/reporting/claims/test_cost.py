"""C9 to C13, from runs whose outcome is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from claim_cases import changed, of
from scipy import stats
from synthetic_runs import Reported, report_of

from softalign.reporting.claims import cost
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case
from softalign.reporting.comparisons import score_items
from softalign.reporting.estimates import Replicates, contrast, resample_counts
from softalign.reporting.runs import Run


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


@pytest.mark.parametrize(("speeds", "verdict"), [((27_000, 27_100), SUPPORTED), ((33_000, 33_100), REFUTED)])
def test_seeds_decide_on_a_ratio_that_one_could_not(two_seeds: Reported, speeds: tuple[int, int], verdict: str) -> None:
    def measured(by_seed: tuple[int, int]) -> Callable[[Run], None]:
        return lambda run: run.cost.update(train_tokens_per_second=by_seed[run.seed - 1])

    plain = changed(two_seeds.scored[0], "vanilla", measured((30_000, 30_100))).scored
    (found,) = cost.slower_per_token(changed(plain, "multiply", measured(speeds)))
    assert found.verdict == verdict
    assert found.effect is not None and 1 / 1.25 < found.effect < 1.25
    assert found.low is not None and found.high is not None and found.low < found.effect < found.high


def test_a_training_beside_other_programs_decides_nothing_about_time(one_seed: Reported) -> None:
    """So slow that it would be decided; but of every second it had 0.7 of a core. A GPU's host may idle."""
    for accelerator, cpu, verdict in ((None, 0.7, NOT_DECIDED), (None, 0.9, SUPPORTED), (500.0, 0.1, SUPPORTED)):

        def slow(run: Run, accelerator: float | None = accelerator, cpu: float = cpu) -> None:
            run.cost.update(
                train_tokens_per_second=10_000,
                wall_seconds=100.0,
                cpu_seconds=100 * cpu,
                peak_accelerator_memory_mb=accelerator,
            )

        (found,) = cost.slower_per_token(changed(one_seed.scored[0], "multiply", slow))
        assert found.verdict == verdict
        assert found.open_because == ("trained beside other programs" if verdict == NOT_DECIDED else "")


def test_unlike_numbers_of_cores_decide_nothing_about_time(one_seed: Reported) -> None:
    for cores, verdict in ((2, SUPPORTED), (1, NOT_DECIDED)):

        def slow(run: Run, cores: int = cores) -> None:
            run.cost.update(train_tokens_per_second=10_000, cores=cores)

        (found,) = cost.slower_per_token(changed(one_seed.scored[0], "multiply", slow))
        assert found.verdict == verdict
        assert found.open_because == ("trained on unlike numbers of cores" if verdict == NOT_DECIDED else "")
        assert ("trained on unlike numbers of cores: 1 against 2" in found.notes) == (verdict == NOT_DECIDED)


def test_trainings_that_share_a_gpu_decide_nothing_about_time(one_seed: Reported) -> None:
    """On a CPU each has cores of its own."""
    for jobs, memory, verdict in ((2, 500.0, NOT_DECIDED), (1, 500.0, SUPPORTED), (2, None, SUPPORTED)):

        def slow(run: Run, jobs: int = jobs, memory: float | None = memory) -> None:
            run.cost.update(train_tokens_per_second=10_000, jobs=jobs, peak_accelerator_memory_mb=memory)

        (found,) = cost.slower_per_token(changed(one_seed.scored[0], "multiply", slow))
        assert found.verdict == verdict
        assert ("trained on a shared GPU: 2 jobs at a time" in found.notes) == (verdict == NOT_DECIDED)


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
    by_epochs = expected == NOT_DECIDED and seconds[2] != 12
    assert verdict.open_because == ("the loss is looked at once an epoch" if by_epochs else "")
    assert by_epochs == verdict.notes[0].startswith("the loss is looked at once an epoch: ")


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


def test_a_curve_that_still_falls_says_nothing_on_overfitting(one_seed: Reported) -> None:
    case = changed(one_seed.scored[0], "bahdanau", lambda run: run.cost.update(flattened=False))
    for (row,) in (cost.overfits_more(case), cost.overfits_less(case)):
        assert (row.verdict, row.p_value) == (NOT_DECIDED, None)
        assert row.open_because == "the validation curve was not flat at its end"
        assert row.notes[0] == f"{row.open_because}: bahdanau (seed 1); train longer"


def test_a_perplexity_that_is_not_a_number_decides_nothing(one_seed: Reported) -> None:
    case = changed(one_seed.scored[0], "bahdanau", lambda run: run.scores["gap"].update(test_perplexity=None))
    assert cost.overfits_more(case)[0].verdict == NOT_DECIDED
    assert cost.overfits_less(case)[0].verdict == NOT_DECIDED


def test_an_item_without_a_likelihood_decides_nothing_about_overfitting(tmp_path: Path) -> None:
    reported = report_of(tmp_path, tasks=("translation",), models=("vanilla", "multiply"), rows=6)
    run = reported.tasks[0].of("multiply")[0]
    run.predictions[0]["negative_log_likelihood"] = None
    case = Case(score_items(reported.tasks[0], reported.evaluation), "vanilla", "multiply", reported.evaluation)
    (row,) = cost.overfits_more(case)
    assert (row.verdict, row.low, row.high) == (NOT_DECIDED, None, None)


def test_the_gap_is_resampled_over_items_and_over_seeds(two_seeds: Reported) -> None:
    """With the perplexity written out, exp(Σ loss / Σ words), and the same items drawn for both arms."""
    scored = two_seeds.scored[0]
    rows = len(scored.runs.of("vanilla")[0].predictions)

    def rate(run: Run, drawn: np.ndarray) -> np.ndarray:
        losses, words = np.array(
            [[row["negative_log_likelihood"], row["target_words"] + 1] for row in run.predictions]
        ).T
        return np.asarray((drawn @ losses) / (drawn @ words))

    def scored_so(run: Run) -> None:
        run.scores["gap"]["test_perplexity"] = math.exp(rate(run, np.ones((1, rows)))[0])

    plain = changed(scored, "vanilla", scored_so).scored
    case = changed(plain, "bahdanau", scored_so)
    counts = resample_counts(rows, case.evaluation.bootstrap_samples, case.evaluation.bootstrap_seed)

    def arm(name: str) -> Replicates:
        runs = case.scored.runs.of(name)
        trained = [math.log(run.scores["gap"]["train_perplexity"]) for run in runs]
        return Replicates(
            np.array([rate(run, np.ones((1, rows)))[0] - train for run, train in zip(runs, trained, strict=True)]),
            np.array([rate(run, counts) - train for run, train in zip(runs, trained, strict=True)]),
        )

    expected = contrast(arm("vanilla"), arm("bahdanau"), case.evaluation.confidence)
    (row,) = cost.overfits_more(case)
    assert (row.effect, row.low, row.high) == pytest.approx((expected.value, expected.low, expected.high))
