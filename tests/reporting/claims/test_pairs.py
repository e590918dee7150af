"""Which arms each claim compares."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from synthetic_runs import Arm, report_on, write_project

from softalign.config import ModelConfig
from softalign.models.size import matched_hidden_size, parameter_count
from softalign.params import read_params
from softalign.paths import Layout
from softalign.reporting.arms import options_of
from softalign.reporting.claims import pairs
from softalign.reporting.claims.pairs import Pair, control_of
from softalign.reporting.runs import TaskRuns, read_runs

ADDITIVE = {"fusion": "bahdanau", "score": "additive", "attention_size": 64}


def runs(root: Path, **made: Arm) -> TaskRuns:
    layout = Layout(write_project(root, tasks=("translation",), models=(), rows=6, arms=made))
    return read_runs(layout, read_params(layout.params))[0]


def test_the_control_is_the_nearest_in_size_within_two_per_cent(tmp_path: Path) -> None:
    task = runs(
        tmp_path,
        plain=Arm({}, n_parameters=900_000),
        near=Arm({"hidden_size": 208}, n_parameters=985_000),
        nearer=Arm({"hidden_size": 206, "embedding_size": 130}, n_parameters=992_000),
        far=Arm({"hidden_size": 300}, n_parameters=1_021_000),
        gru=Arm({"hidden_size": 150, "cell": "gru"}, n_parameters=1_000_000),
        adds=Arm(ADDITIVE, n_parameters=1_000_000),
        adds_nothing=Arm({"fusion": "multiply", "score": "dot"}, n_parameters=900_000),
    )
    assert control_of("adds", task) == "nearer"
    assert control_of("adds_nothing", task) is None  # the baseline is its control
    assert control_of("plain", task) is None
    attends_itself = runs(tmp_path / "alone", plain=Arm({}), attends_itself=Arm(ADDITIVE | {"self_attention": True}))
    assert pairs.fused_and_plain(attends_itself) == [Pair("attends_itself", None)]
    assert pairs.fused_and_plain_or_control(task) == [
        Pair("adds", "plain"),
        Pair("adds_nothing", "plain"),
        Pair("adds", "nearer"),
    ]


def test_a_control_that_was_not_run_is_missed_and_not_forgotten(tmp_path: Path) -> None:
    """Its size follows from the options; another vanilla, far from the arm in size, is nobody's control."""

    def full(options: dict[str, Any]) -> ModelConfig:
        return options_of({"fusion": "vanilla", "embedding_size": 128, "hidden_size": 192} | options)

    def arm(**options: Any) -> Arm:  # beside what its options say it has 500,000 for the vocabulary
        return Arm(options, n_parameters=500_000 + parameter_count(full(options)))

    size = matched_hidden_size(full({}), full(ADDITIVE))
    made = {"plain": arm(), "as_adds": arm(hidden_size=size), "far": arm(hidden_size=2 * size), "adds": arm(**ADDITIVE)}
    task = runs(tmp_path / "runs", **made)
    assert control_of("adds", task) == "as_adds"
    for name in ("as_adds", "far"):
        shutil.rmtree(tmp_path / "runs/runs/translation" / name)
    layout = Layout(tmp_path / "runs")
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.n_parameters("as_adds") == made["as_adds"].n_parameters
    assert control_of("adds", task) == "as_adds"
    reported = report_on(tmp_path / "runs")
    rows = [row for row in reported.verdicts if (row.claim, row.arm, row.against) == ("C1", "adds", "as_adds")]
    assert [row.missing for row in rows] == [["runs/translation/as_adds/1 (not run)"]]


def test_ablations_differ_in_one_thing(tmp_path: Path) -> None:
    task = runs(
        tmp_path,
        a=Arm(ADDITIVE),
        b=Arm({"fusion": "bahdanau", "score": "dot"}),
        c=Arm({"fusion": "bahdanau", "score": "dot", "layer_norm": True}),
        d=Arm({"fusion": "bahdanau", "score": "general"}),
        e=Arm({"fusion": "bahdanau", "score": "location", "attention_size": 64}),
        f=Arm(ADDITIVE | {"activation": "relu"}),
        g=Arm({"fusion": "multiply", "score": "dot"}),
        h=Arm({"fusion": "multiply_output", "score": "dot"}),
        i=Arm({"fusion": "multiply_output", "score": "dot", "hidden_size": 64}),
        j=Arm({"fusion": "luong_input_feeding", "score": "general"}),
        k=Arm({"fusion": "luong", "score": "general"}),
        l=Arm({"fusion": "concat", "score": "general"}),
    )
    assert pairs.inner_product_and_learned(task) == [Pair("b", "a"), Pair("b", "d")]
    assert pairs.relu_and_tanh(task) == [Pair("f", "a")]
    assert pairs.fed_back_and_not(task) == [Pair("g", "h"), Pair("j", "k"), Pair("l", "k")]


def test_who_weighs_all_positions_alike_is_not_asked_where_it_looks(tmp_path: Path) -> None:
    task = runs(tmp_path, looks=Arm(ADDITIVE), uniform=Arm({"fusion": "bahdanau", "score": "uniform"}), plain=Arm({}))
    assert pairs.each_fused(task) == [Pair("looks", "looks")]
