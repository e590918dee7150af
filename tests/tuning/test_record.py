from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from project import ROOT

from softalign.errors import UserError
from softalign.paths import Layout
from softalign.tuning.record import Trial, best_of, read_trials, unequal_budget, write_search, write_trials

TRIALS = [
    Trial("vanilla", 1, 0.1 + 0.2, 2.5, 2, 10.0, 1),
    Trial("vanilla", 2, 0.007, 2.25, 2, 11.5, 1),
    Trial("vanilla", 3, 0.03, math.inf, 1, 3.0, 1),
]


def test_the_lowest_validation_loss_is_chosen_and_the_first_of_equals() -> None:
    assert best_of(TRIALS) == best_of([*TRIALS, replace(TRIALS[1], trial=4, lr=0.008)]) == TRIALS[1]


def test_where_all_have_diverged_nothing_is_chosen() -> None:
    assert best_of([replace(trial, validation_loss=math.inf) for trial in TRIALS]) is None


def test_trials_come_back(tmp_path: Path) -> None:
    write_trials(tmp_path / "toy.csv", TRIALS)
    assert read_trials(tmp_path / "toy.csv") == TRIALS


def test_a_search_replaces_that_of_the_same_arm_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    other = [replace(trial, arm="bahdanau") for trial in TRIALS]
    write_search(layout, "toy", TRIALS, "the first")
    write_search(layout, "toy", other, "of another arm")
    path = write_search(layout, "toy", TRIALS[:1], "the second")
    assert read_trials(layout.tuning("toy")) == [*other, TRIALS[0]]
    header, command, *_ = path.read_text().splitlines()
    assert (header, command) == ("# @package _global_", "# the second")
    assert yaml.safe_load(path.read_text()) == {"optimization": {"lr": TRIALS[0].lr}}
    assert yaml.safe_load(layout.tuned("toy", "bahdanau").read_text()) == {"optimization": {"lr": 0.007}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda own: own, []),
        (lambda own: [*own[1:], replace(own[0], epochs=1)], []),  # one stopped early
        (lambda own: [*own, replace(own[0], lr=0.06)], ["with 4 rates instead of 3 at most"]),
        (lambda own: own[:1], ["without the rates 0.007, 0.03"]),
        (lambda own: [replace(trial, epochs=4) for trial in own], ["with epochs 4 instead of 2"]),
        (lambda own: [replace(trial, seed=2) for trial in own], ["with seed 2 instead of 1"]),
    ],
)
def test_a_search_beside_those_of_other_arms(change: Callable[[list[Trial]], list[Trial]], said: list[str]) -> None:
    others = [replace(trial, arm=arm) for arm in ("bahdanau", "luong") for trial in TRIALS]
    assert unequal_budget([*others, *change(TRIALS)], "vanilla") == said
    assert unequal_budget(change(TRIALS), "vanilla") == []
    odd = [replace(trial, arm="cgru", seed=7, epochs=9, validation_loss=math.inf) for trial in TRIALS]
    assert unequal_budget([*others, *odd, *change(TRIALS)], "vanilla") == said  # one that is not like the rest
    assert unequal_budget([*others, replace(others[0], arm="bahdanau", lr=9.0), *TRIALS], "vanilla") == []


def test_what_is_no_table_of_trials_is_refused(tmp_path: Path) -> None:
    table = Layout(tmp_path).tuning("toy")
    table.parent.mkdir(parents=True)
    table.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="not a table of trials.*toy.csv"):
        write_search(Layout(tmp_path), "toy", TRIALS, "a command")
    assert not Layout(tmp_path).tuned("toy", "vanilla").exists()


def test_every_rate_of_this_project_is_the_best_of_its_search() -> None:
    """Both ways: no rate without a search that is kept, no search that is not used."""
    layout = Layout(ROOT)
    rates = {
        (path.parent.name, path.stem): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in layout.conf.glob("tuned/*/*.yaml")
    }
    found = {}
    for table in layout.tuning("x").parent.glob("*.csv"):
        trials = read_trials(table)
        for arm in {trial.arm for trial in trials}:
            best = best_of([trial for trial in trials if trial.arm == arm])
            assert best is not None
            found[table.stem, arm] = {"optimization": {"lr": best.lr}}
    assert rates == found


def test_the_arms_of_one_data_set_were_searched_under_one_rule() -> None:
    """The same rates for all; or these and one further on, for every arm whose best lies at an end of them."""
    for table in Layout(ROOT).tuning("x").parent.glob("*.csv"):
        trials = read_trials(table)
        assert len({trial.epochs for trial in trials if math.isfinite(trial.validation_loss)}) == 1
        assert len({trial.seed for trial in trials}) == 1
        losses = {
            arm: {trial.lr: trial.validation_loss for trial in trials if trial.arm == arm}
            for arm in {trial.arm for trial in trials}
        }
        shared = sorted(set.intersection(*(set(tried) for tried in losses.values())))
        assert len(shared) >= 3, table
        went_on = any(set(tried) != set(shared) for tried in losses.values())
        for arm, tried in losses.items():
            best = min(shared, key=tried.__getitem__)
            further = [
                rate
                for rate in tried
                if (rate < shared[0] and best == shared[0]) or (rate > shared[-1] and best == shared[-1])
            ]
            assert set(tried) == {*shared, *further}, (table, arm)
            assert len(further) == (went_on and best in (shared[0], shared[-1])), (table, arm)
