"""What the tables say of the tests."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from statistics import mean

import pytest
from contradictions import Text, contradictions
from synthetic_runs import Reported, diverge, report_on, write_project

from softalign.reporting import tables
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED
from softalign.reporting.sentences import answer, caveats, detected


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "expected"),
    [
        (0.1, 2.0, 0.01, SUPPORTED),
        (-2.0, -0.1, 0.01, REFUTED),
        (0.1, 2.0, 0.06, NOT_DECIDED),  # significant alone, and not among so many
        (-0.1, 2.0, 0.04, NOT_DECIDED),
        (0.1, 2.0, 0.05, NOT_DECIDED),
    ],
)
def test_better_needs_the_interval_and_the_corrected_p_value(
    low: float, high: float, p_holm: float, expected: str
) -> None:
    record = {"difference": (low + high) / 2, "low": low, "high": high, "p_holm": p_holm}
    assert tables.outcome(record, 0.95) == expected


def test_the_headline_says_what_could_have_been_detected(one_seed: Reported) -> None:
    table = tables.headline_table(one_seed.results, "translation")
    record = tables.headline_comparison(one_seed.results, "translation", "multiply")
    assert record is not None
    row = dict(zip(table.columns, table.rows[1], strict=True))
    assert row["better?"] == NOT_DECIDED
    assert row["detects"] == f"≥ {record['detectable']:.1f}"
    (claimed,) = [v for v in one_seed.verdicts if (v.claim, v.arm) == ("C1", "multiply")]
    assert claimed.p_holm is not None and row["p (Holm)"] == f"{claimed.p_holm:.3f}"  # of the claim's family
    assert "corrected for 2 comparisons" in answer(one_seed.results, "translation", "multiply")
    (sentence,) = detected(one_seed.results, "translation")
    ends = sorted(
        found["detectable"]
        for arm in ("multiply", "bahdanau")
        if (found := tables.headline_comparison(one_seed.results, "translation", arm))
    )
    assert "With 1 seed an arm and 60 test items" in sentence
    assert f"a true difference of {ends[0]:.1f} to {ends[1]:.1f} BLEU" in sentence


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "relation"),
    [
        (3.0, 9.0, 0.2, "not told apart by the corrected p-value from"),
        (-9.0, -3.0, 0.2, "not told apart by the corrected p-value from"),
        (-1.0, 9.0, 0.2, "not told apart from"),
        (3.0, 9.0, None, "not judged against"),  # runs of other seeds are missing
        (-1.0, 9.0, None, "not judged against"),
    ],
)
def test_what_is_said_of_an_open_comparison_does_not_deny_its_interval(
    one_seed: Reported, low: float, high: float, p_holm: float | None, relation: str
) -> None:
    results, claims = copy.deepcopy((one_seed.results, one_seed.claims))
    found = tables.headline_comparison(results, "translation", "multiply")
    assert found is not None
    found |= {"low": low, "high": high}
    decided = {"verdict": NOT_DECIDED, "p_holm": p_holm, "open_because": ""}
    results["tasks"]["translation"]["better"]["multiply"]["vanilla"] |= decided
    (row,) = [row for row in claims["claims"][0]["rows"] if row["arm"] == "multiply"]
    row |= decided
    said = answer(results, "translation", "multiply")
    assert said.startswith(f"multiply is {relation} vanilla on translation: ")
    assert relation.startswith("not judged") == ("no p, for runs are missing" in said)
    before = contradictions(Text(), results, claims)
    assert contradictions(Text([said]), results, claims) == before
    for other in {"not told apart by the corrected p-value from", "not told apart from"} - {relation}:
        assert contradictions(Text([said.replace(relation, other)]), results, claims) != before


def test_where_runs_are_missing_the_headline_names_the_seeds_of_each_difference(tmp_path: Path) -> None:
    root = write_project(tmp_path, tasks=("translation",), seeds=(1, 2, 3), rows=12)
    shutil.rmtree(root / "runs/translation/bahdanau/2")
    reported = report_on(root)
    table = tables.headline_table(reported.results, "translation")
    bleu = {(run["model"], run["seed"]): run["test"]["bleu"] for run in reported.results["runs"]}
    own = mean([bleu["bahdanau", 1], bleu["bahdanau", 3]])
    plain, shared = (mean([bleu["vanilla", seed] for seed in seeds]) for seeds in ((1, 2, 3), (1, 3)))
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert [rows[arm]["difference over seeds"] for arm in ("vanilla", "multiply", "bahdanau")] == [
        "–",
        "1, 2, 3",
        "1, 3",
    ]
    assert [rows[arm]["BLEU"] for arm in ("vanilla", "bahdanau")] == [f"{plain:.1f}", f"{own:.1f}"]
    assert rows["bahdanau"]["minus vanilla"] == f"+{own - shared:.1f}"
    assert table.caption.endswith(", mean over seeds 1, 2, 3, of each arm those that it has")
    said = answer(reported.results, "translation", "bahdanau")
    assert f"{own:.1f} against {shared:.1f} BLEU" in said and "mean over seeds 1, 3)" in said
    without = Text([], [(table.columns[:-1], [row[:-1] for row in table.rows])])
    found = contradictions(without, reported.results, reported.claims)
    assert ["over other seeds" in line for line in found] == [True]


def test_a_plain_arm_alone_is_held_against_nobody(tmp_path: Path) -> None:
    root = write_project(tmp_path, tasks=("translation",), models=("vanilla", "bahdanau"), seeds=(1,), rows=6)
    diverge(root, "bahdanau", 1)
    table = tables.headline_table(report_on(root).results, "translation")
    assert table.columns == ["arm", "BLEU"] and [row[0] for row in table.rows] == ["vanilla"]


def test_where_no_run_is_missing_the_headline_names_no_seeds(two_seeds: Reported) -> None:
    assert "difference over seeds" not in tables.headline_table(two_seeds.results, "translation").columns


def test_the_score_table_shows_spread_or_says_that_there_is_none(one_seed: Reported, two_seeds: Reported) -> None:
    one = tables.score_table(one_seed.results, "translation")
    assert "one seed shows no spread" in one.caption
    assert not any("±" in cell for row in one.rows for cell in row)
    several = tables.score_table(two_seeds.results, "translation")
    assert "standard deviation of seeds 1, 2" in several.caption
    record = next(r for r in two_seeds.results["scores"] if (r["model"], r["metric"]) == ("vanilla", "bleu"))
    found = several.rows[0][several.columns.index("BLEU")]
    assert found.startswith(f"{record['mean']:.1f} ± {record['deviation']:.1f}\n")
    assert found.endswith(f" … {tables.score(record['high'])}")
    assert [row[0] for row in several.rows] == ["vanilla", "multiply", "bahdanau", "copy"]


def test_an_interval_is_said_to_be_over_test_items_where_an_arm_has_one_seed_of_several(two_seeds: Reported) -> None:
    fewer = copy.deepcopy(two_seeds.results)
    fewer["runs"] = [run for run in fewer["runs"] if (run["model"], run["seed"]) != ("bahdanau", 2)]
    alone = "of an arm with one run over test items"
    for table in (tables.score_table, tables.quality_by_length_table):
        assert table(fewer, "translation").caption.endswith(f", {alone}")
        assert alone not in table(two_seeds.results, "translation").caption


def test_the_comparison_table_has_both_tests_and_with_seeds_both_levels(
    one_seed: Reported, two_seeds: Reported
) -> None:
    one = tables.comparison_table(one_seed.results, "translation")
    pooled = tables.comparison_table(two_seeds.results, "translation")
    assert {"p bootstr.", "p random.", "p (Holm, pairs)", "d", "detects"} <= set(one.columns)
    assert set(pooled.columns) - set(one.columns) == {"p seeds, items", "g"}
    assert "pooled over seeds 1, 2" in pooled.caption
    notes = [" ".join(tables.comparison_notes(reported.results, "translation")) for reported in (one_seed, two_seeds)]
    assert "p random., corrected for the number of pairs of arms in a metric (3)" in notes[0]
    assert "p seeds, items, corrected for the number of pairs of arms in a metric (3)" in notes[1]
    per_seed = tables.comparison_table(two_seeds.results, "translation", all_seeds=False)
    assert per_seed.columns == one.columns and len(per_seed.rows) == 2 * len(one.rows)
    for table in (one, pooled, per_seed):
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_quality_by_length_names_the_size_of_each_bucket(two_seeds: Reported) -> None:
    table = tables.quality_by_length_table(two_seeds.results, "translation")
    buckets = [r for r in two_seeds.results["by_length"] if r["model"] == "vanilla"]
    assert table.columns == ["arm", *[f"{b['low']}–{b['high']} (n = {b['rows']})" for b in buckets]]
    assert sum(bucket["rows"] for bucket in buckets) == 60
    assert table.rows[0][1].startswith(f"{buckets[0]['score']:.1f}\n{tables.score(buckets[0]['ci_low'])} … ")
    assert "over test items and seeds" in table.caption


def test_a_test_that_was_not_made_is_a_dash(one_seed: Reported) -> None:
    results = copy.deepcopy(one_seed.results)
    results["tasks"]["translation"]["better"] = {}
    for record in results["comparisons"]:
        record |= dict.fromkeys(("low", "high", "p_value", "p_holm", "detectable", "cohens_dz"))
    assert tables.headline_table(results, "translation").rows[1][3:] == [NOT_DECIDED, "–", "–", "–"]
    assert "–" in tables.comparison_table(results, "translation").rows[0]


def test_the_cost_table_names_the_rate_that_each_arm_was_trained_with(one_seed: Reported) -> None:
    results = copy.deepcopy(one_seed.results)
    for run in results["runs"]:
        run["learning_rate"] = {"vanilla": 0.0135, "multiply": 0.0027}.get(run["model"], 0.006)
    table = tables.cost_table(results, "translation")
    found = {row[0]: row[table.columns.index("learning rate")] for row in table.rows}
    assert found == {"vanilla": "0.0135", "multiply": "0.0027", "bahdanau": "0.006"}


def test_where_no_run_is_complete_no_caveat_speaks_of_intervals(tmp_path: Path, one_seed: Reported) -> None:
    root = write_project(tmp_path, tasks=("translation",), models=("vanilla", "bahdanau"), seeds=(1, 2), rows=6)
    for arm in ("vanilla", "bahdanau"):
        diverge(root, arm, 1, 2)
    reported = report_on(root)
    assert caveats(reported.results, reported.claims["claims"]) == [
        "Missing or incomplete: 4 of the 4 runs that params.yaml names, which the report lists."
    ]
    assert "interval" in " ".join(caveats(one_seed.results, one_seed.claims["claims"]))
