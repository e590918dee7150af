"""What the probes found, in claim C3, figures and tables, from runs whose outcome is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_runs import LAGS, Arm, Reported, report_of

from softalign.data.probes.recall import lag_of
from softalign.evaluation.scores import item_statistics
from softalign.reporting import figures, probe_records
from softalign.reporting.arm_scores import score_lags
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Verdict
from softalign.reporting.probe_tables import probe_table
from softalign.reporting.results import runs_of
from softalign.reporting.tables import headline_comparison

FORGETS, REMEMBERS, NOT_LEARNED = (1.0, -0.3), (0.97, 0.9), (0.2, 0.05)  # shares below 0: never right


@pytest.fixture(scope="module")
def recalled(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    arms = {
        "vanilla": Arm({"fusion": "vanilla"}, FORGETS),
        "vanilla_lstm": Arm({"fusion": "vanilla", "cell": "lstm"}, REMEMBERS),
        "vanilla_gru": Arm({"fusion": "vanilla", "cell": "gru"}, NOT_LEARNED),
        "bahdanau": Arm({"fusion": "bahdanau"}, (1.0, 1.0)),
    }
    return report_of(tmp_path_factory.mktemp("recall"), tasks=("recall",), models=(), arms=arms, rows=600, seeds=(1, 2))


def c3(reported: Reported) -> dict[str, Verdict]:
    return {verdict.arm: verdict for verdict in reported.verdicts if verdict.claim == "C3"}


def test_an_arm_that_loses_the_value_with_the_lag_refutes_c3(recalled: Reported) -> None:
    found = c3(recalled)
    assert {arm: verdict.verdict for arm, verdict in found.items()} == {
        "vanilla": REFUTED,
        "vanilla_lstm": SUPPORTED,
        "vanilla_gru": NOT_DECIDED,
    }
    assert found["vanilla_gru"].open_because == "the task is not learned even at the shortest lags"
    assert found["vanilla_gru"].open_because in found["vanilla_gru"].notes
    (record,) = [record for record in recalled.claims["claims"] if record["id"] == "C3"]
    assert record["verdict"] == NOT_DECIDED  # one refutes, one supports


def test_c3_measures_the_exact_match_of_the_longest_fifth(recalled: Reported) -> None:
    task, verdict = recalled.tasks[0], c3(recalled)["vanilla"]
    longest = 4 * LAGS // 5  # every lag occurs as often as the others
    hits = [
        row["prediction"] == row["target"]
        for run in task.of("vanilla")
        for row in run.predictions
        if lag_of(row["source"]) >= longest
    ]
    assert verdict.effect == pytest.approx(100 * np.mean(hits))
    assert verdict.low is not None and verdict.high is not None and verdict.effect is not None
    assert verdict.low < verdict.effect < verdict.high < verdict.neutral == pytest.approx((100 / 20 + 100) / 2)
    assert verdict.p_value is not None and verdict.p_value < 0.05  # of its being halfway
    assert verdict.against == "halfway"


def test_c3_names_the_contrast_and_the_gradients(recalled: Reported) -> None:
    notes = c3(recalled)["vanilla"].notes
    assert "with attention, bahdanau 100.0" in notes
    expected = np.exp(-(LAGS - 3) / 5)  # that of the last bucket; the first has 1
    assert f"gradient norm at the longest lags {expected:.2g} of that at the shortest" in notes


def test_arms_of_a_task_with_one_right_answer_are_compared_by_it(recalled: Reported) -> None:
    assert {row["metric"] for row in recalled.comparisons} == {"exact_match", "token_accuracy"}
    found = headline_comparison(recalled.results, "recall", "bahdanau")
    assert found is not None and found["metric"] == "exact_match" and found["low"] > 0


def test_recall_by_lag_draws_every_arm_and_what_guessing_reaches(recalled: Reported) -> None:
    buckets = recalled.results["by_lag"]
    (ax,) = figures.recall_by_lag(buckets, 5.0, 0.95).axes
    assert len(ax.containers) == 4
    assert any(set(line.get_ydata()) == {5.0} for line in ax.lines)
    assert ax.get_xticklabels()[0].get_text() == "0–2\nn=60"
    drawn = [line.get_ydata() for line in ax.lines if line.get_label() == "_nolegend_" or len(line.get_xdata()) == 10]
    own = [row["score"] for row in buckets if row["model"] == "vanilla"]
    assert any(np.allclose(line, own) for line in drawn if len(line) == 10)


def test_the_interval_of_a_lag_covers_what_seeds_do(recalled: Reported) -> None:
    """One seed is right on every row, the other on none: items vary nothing, and t has one degree of freedom."""
    scored = recalled.scored[0]
    rows = len(scored.runs.items)
    seeds = {
        seed: item_statistics(["A"] * rows, [[right]] * rows, ["exact_match"]) for seed, right in ((1, "A"), (2, "B"))
    }
    changed = replace(scored, items=scored.items | {("vanilla", seed): own for seed, own in seeds.items()})
    own = [row for row in score_lags(changed, recalled.evaluation) if row["model"] == "vanilla"]
    assert sum(row["rows"] for row in own) == rows and (own[0]["low"], own[-1]["high"]) == (0, LAGS - 1)
    half = 12.706 * np.std([100, 0], ddof=1) / np.sqrt(2)
    for row in own:
        assert (row["score"], row["ci_high"] - row["score"]) == (50, pytest.approx(half, rel=1e-3))


def test_gradients_are_drawn_on_a_logarithmic_scale(recalled: Reported) -> None:
    (ax,) = figures.gradient_norm_by_lag(probe_records.gradient_norm_by_lag(recalled.tasks[0])).axes
    assert ax.get_yscale() == "log"
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in ax.lines}
    np.testing.assert_allclose(lines["vanilla"], np.exp(-np.arange(0, LAGS, 3) / 5))
    np.testing.assert_array_equal(lines["bahdanau"], 1)


def test_norms_of_states_that_few_rows_have_are_left_out(recalled: Reported) -> None:
    axes = figures.state_norm(probe_records.state_norms(recalled.tasks[0])).axes
    assert [len(ax.lines[0].get_xdata()) for ax in axes] == [45, 20, 12]
    few = [{"model": "a", "seed": 1, "side": "encoder", "place": n, "states": 12 - n, "norm": 1.0} for n in range(12)]
    assert [len(ax.lines[0].get_xdata()) for ax in figures.state_norm(few).axes] == [3, 0, 0]


def test_the_table_of_probes_has_both_ends(recalled: Reported, one_seed: Reported) -> None:
    table = probe_table(recalled.results, "recall")
    row = dict(zip(table.columns, table.rows[0], strict=False))
    assert [cells[0] for cells in table.rows] == ["vanilla", "vanilla_lstm", "vanilla_gru", "bahdanau"]
    assert all(len(cells) == len(table.columns) for cells in table.rows)
    assert row["ratio"] == "0.005" and row["attention entropy"] == "–"
    elsewhere = probe_table(one_seed.results, "translation")
    assert elsewhere.columns == ["arm", *table.columns[3:], "alignment error rate, %", "of the better baseline"]
    assert elsewhere.rows[0][-4:] == ["–", "–", "–", "–"]  # vanilla attends to nothing
    aligned = runs_of(one_seed.results, "translation", "bahdanau")[0]["alignment"]
    rates = [f"{100 * aligned[key]:.1f}" for key in ("error_rate", "diagonal_error_rate")]
    assert elsewhere.rows[-1][-4:] == ["0.400", "2.60", *rates]


def test_the_report_shows_the_probes(recalled: Reported) -> None:
    folder: Path = recalled.write()
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    for name in ("recall-recall-by-lag", "recall-gradient-norm-by-lag", "recall-state-norm"):
        assert f"figures/{name}.svg" in markdown and (folder / "figures" / f"{name}.svg").is_file()
    assert "the task is not learned even at the shortest lags" in markdown
    assert 'aria-label="recall: recall by lag"' in (folder / "index.html").read_text(encoding="utf-8")


def test_a_state_that_is_not_finite_leaves_a_gap() -> None:
    """What JSON has no number for is null in scores.json: a ReLU state may overflow on a test row."""
    rows = [
        {"model": "a", "seed": 1, "side": side, "place": place, "states": 9, "norm": None if place == 1 else 2.0}
        for side in figures.SIDES
        for place in range(3)
    ]
    for ax in figures.state_norm(rows).axes:
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2, np.nan, 2])
