"""Reading run folders back."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import ROOT
from synthetic_runs import report_on, write_project

from softalign.config import DataConfig
from softalign.errors import UserError
from softalign.evaluation.scores import item_statistics
from softalign.evaluation.stored_items import read_items, write_items
from softalign.params import read_params
from softalign.paths import Layout
from softalign.reporting.runs import read_run, read_runs
from softalign.reporting.settings import OF_EVALUATION, OF_TRAINING
from softalign.training.failure import Failure
from softalign.training.history import EPOCH_COLUMNS

PROVENANCE, PREPARED = "raw/translation/provenance.json", "prepared/translation/report.json"


def project(root: Path, **options: object) -> Layout:
    return Layout(write_project(root, tasks=("translation",), rows=6, **options))


def test_the_arm_without_attention_comes_first_and_the_others_keep_their_order(tmp_path: Path) -> None:
    layout = project(tmp_path, models=("multiply", "vanilla", "bahdanau"), seeds=(3, 1))
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["vanilla", "multiply", "bahdanau"]
    assert task.candidates == ["multiply", "bahdanau"]
    assert [run.seed for run in task.of("bahdanau")] == [3, 1]
    assert task.headline_metric == "bleu"


@pytest.mark.parametrize("name", ["train/run.json", "train/history.csv", "test/scores.json", "test/predictions.jsonl"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    layout = project(tmp_path)
    folder = layout.run("translation", "multiply", 1)
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"missing.*{Path(name).name}.*run dvc repro"):
        read_run(folder)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    layout = project(tmp_path)
    path = layout.run("translation", "vanilla", 1) / "test/predictions.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + '{"row": 6, "sou', encoding="utf-8")
    with pytest.raises(UserError, match="line 7"):
        read_run(path.parents[1])


def test_a_line_separator_inside_the_text_does_not_end_a_row(tmp_path: Path) -> None:
    layout = project(tmp_path, models=("vanilla",))
    path = layout.run("translation", "vanilla", 1) / "test/predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[0]["prediction"] = "one\u2028two"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert read_run(path.parents[1]).predictions[0]["prediction"] == "one\u2028two"


def test_arms_that_were_scored_on_different_items_are_left_out(tmp_path: Path) -> None:
    layout = project(tmp_path)
    path = layout.run("translation", "vanilla", 1) / "test/predictions.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[1], lines[0], *lines[2:]]) + "\n", encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["multiply", "bahdanau"]
    assert [str(run) for run in task.incomplete] == [
        "runs/translation/vanilla/1 (scored on different test items than the other runs: run dvc repro)"
    ]


@pytest.mark.parametrize(
    ("gone", "state", "reason"),
    [
        (".", "not run", "not run"),
        ("train", "not run", "not run"),
        ("train/cost.json", "incomplete", "missing (train/cost.json): run dvc repro"),
        ("train/config.yaml", "incomplete", "missing (train/config.yaml): run dvc repro"),
        ("test/scores.json", "incomplete", "missing (test/scores.json): run dvc repro"),
        ("test", "incomplete", "missing (test/scores.json): run dvc repro"),
    ],
)
def test_what_is_not_there_is_listed_and_the_rest_read(tmp_path: Path, gone: str, state: str, reason: str) -> None:
    layout = project(tmp_path, seeds=(1, 2))
    path = layout.run("translation", "multiply", 2) / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert (found.name, found.state) == ("runs/translation/multiply/2", state)
    assert reason in found.reason and str(tmp_path) not in found.reason
    assert task.models == ["vanilla", "multiply", "bahdanau"]
    assert [task.seeds_of(model) for model in task.models] == [[1, 2], [1], [1, 2]]


ORIGIN = {
    "task": "translation",
    "model": "multiply",
    "cell": "elman",
    "seed": 1,
    "data": "x",
    "fingerprint": "cd" * 32,
}
ATTENTION = {"row": 0, "kind": "prediction", "source_tokens": ["a", "b"], "target_tokens": ["c"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train/cost.json", "{"),
        ("train/cost.json", "[]"),
        ("train/cost.json", "{}"),
        ("train/config.yaml", "task: [1"),
        ("train/history.csv", "epoch\nfirst\n"),
        ("train/history.csv", "epoch,train_loss,seconds\n1,2.5,3\n"),
        ("train/config.yaml", "task:\ndata:\nmodel:\noptimization:\n"),
        ("train/failure.json", "3"),
        ("train/failure.json", '{"step": 3, "gradient_norm": "abc"}'),
        ("train/run.json", json.dumps(ORIGIN | {"seed": 7})),
        ("train/run.json", json.dumps(ORIGIN | {"model": "bahdanau"})),
        ("train/config.yaml", "2024-01-01: x\n"),
        ("train/config.yaml", "x: &a [*a]\n"),
        ("train/history.csv", f"{','.join(EPOCH_COLUMNS)}\n{','.join(['nan'] * len(EPOCH_COLUMNS))}\n"),
        ("train/history.csv", "1" * 200_000),
        ("test/attention.json", json.dumps([ATTENTION | {"weights": [[0.5]]}])),
        ("test/attention.json", json.dumps([ATTENTION | {"weights": []}])),
        ("test/scores.json", '{"test": {}}'),
        ("test/predictions.jsonl", ""),
        ("test/predictions.jsonl", "3\n"),
        ("test/attention.json", '[{"row": 0}]'),
    ],
)
def test_a_damaged_run_is_listed(tmp_path: Path, name: str, content: str) -> None:
    layout = project(tmp_path)
    (layout.run("translation", "multiply", 1) / name).write_text(content, encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert (found.model, found.state) == ("multiply", "incomplete")
    assert name in found.reason and "\n" not in found.reason
    assert task.models == ["vanilla", "bahdanau"]
    assert set(task.arms) == {"vanilla", "multiply", "bahdanau"}  # what it was to be stands in resolved/


PARTS = {  # of each file the parts that the report is made of
    "train/run.json": ["model", "seed", "fingerprint"],
    "train/cost.json": ["n_parameters", "train_tokens_per_second", "flattened", "peak_memory_mb"],
    "test/scores.json": [
        *(
            "training",
            "training.fingerprint",
            "test.bleu",
            "intervals.bleu",
            "gap",
            "gap.train_perplexity",
            "by_length.0.low",
            "alignment.baseline",
        ),
        *("probes.recall_by_lag", "probes.gradient_norm.0.relative", "probes.gradient_norm.0.tokens"),
        "probes.attention_entropy.uniform",
        *("probes.state_norm.encoder", "probes.state_norm.encoder_by_lag", "probes.state_norm.decoder.1.states"),
        *("cost.decode_seconds", "cost.scoring_by_length.0.tokens", "cost.decoding_by_length.0.seconds"),
        "cost.activations_by_length.0.bytes",
    ],
    "test/predictions.jsonl": [
        *("row", "source", "target", "references", "prediction", "negative_log_likelihood", "target_words"),
        "links.attention",
    ],
    "test/attention.json": ["0.kind", "0.weights", "0.source_tokens"],
}


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, parts in PARTS.items() for part in parts])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_run_that_lacks_a_part_of_a_file_is_listed(tmp_path: Path, name: str, part: str, is_there: bool) -> None:
    """What a run of another version may lack, or hold in another form."""
    layout = project(tmp_path)
    path = layout.run("translation", "bahdanau", 1) / name
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if "jsonl" in name else []
    content = parent = rows[1] if rows else json.loads(path.read_text(encoding="utf-8"))
    *steps, last = [int(step) if step.isdecimal() else step for step in part.split(".")]
    for step in steps:
        parent = parent[step]
    if is_there:
        parent[last] = "something else" if not isinstance(parent[last], str) else 3
    else:
        del parent[last]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows or [content]), encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert found.model == "bahdanau" and name in found.reason and "\n" not in found.reason
    assert part.split(".")[-1] in found.reason


def rescored(layout: Layout, model: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Let `change` have the content of a run's scores.json."""
    path = layout.run("translation", model, 1) / "test/scores.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    change(scores)
    path.write_text(json.dumps(scores), encoding="utf-8")


SCORED = {"bleu": 20.0, "exact_match": None, "perplexity": 3.0, "n_rows": 6}
SHIFTED = SCORED | {"intervals": {"bleu": {"low": 19.0, "high": 21.0}}, "base": SCORED}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "shifted.test_noise.n_rows"),
        (SHIFTED | {"base": {}}, "shifted.test_noise.base.n_rows"),
        (SHIFTED | {"base": {"n_rows": 6}}, "no bleu of test_noise"),
        (SHIFTED | {"bleu": None}, "no bleu of test_noise"),
        (SHIFTED | {"bleu": "much"}, "shifted.test_noise.bleu"),
        (SHIFTED | {"intervals": {}}, "no bleu of test_noise"),
        (SHIFTED, "shifted/test_noise/predictions.jsonl"),  # all is there but what the arm wrote
    ],
)
def test_scores_of_a_shifted_set_that_lack_a_part_are_listed(tmp_path: Path, entry: dict[str, Any], says: str) -> None:
    layout = project(tmp_path)
    rescored(layout, "multiply", lambda scores: scores.update(shifted={"test_noise": entry}))
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert found.model == "multiply" and says in found.reason and "\n" not in found.reason


@pytest.mark.parametrize("part", ["scoring_by_length", "decoding_by_length", "activations_by_length"])
@pytest.mark.parametrize("amount", [0, -1])
def test_costs_that_cannot_be_divided_by_are_listed(tmp_path: Path, part: str, amount: float) -> None:
    layout = project(tmp_path)
    key = "bytes" if part.startswith("activations") else "seconds"
    changes: list[Callable[[dict[str, Any]], None]] = [
        lambda scores: scores["cost"][part][0].update(tokens=int(amount)),
        lambda scores: scores["cost"][part][0].update({key: int(amount) if key == "bytes" else amount}),
        lambda scores: scores["cost"].update({part: []}),
    ]
    for model, change in zip(("vanilla", "multiply", "bahdanau"), changes, strict=True):
        rescored(layout, model, change)
    (task,) = read_runs(layout, read_params(layout.params))
    assert [run.model for run in task.incomplete] == ["vanilla", "multiply", "bahdanau"]
    assert all(f"cost.{part}" in run.reason for run in task.incomplete)


@pytest.mark.parametrize("name", ["run.json", ".code"])
def test_scores_of_an_earlier_training_are_not_taken_for_those_of_the_one_that_is_there(
    tmp_path: Path, name: str
) -> None:
    """Other settings change the fingerprint in run.json; other code, which is in no setting, the digest beside it."""
    layout = project(tmp_path)
    path = layout.run("translation", "multiply", 1) / "train" / name
    trained = json.dumps(json.loads(path.read_text()) | {"fingerprint": "ef" * 32}) if path.exists() else "ef" * 16
    path.write_text(trained, encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["vanilla", "bahdanau"]
    assert [str(run) for run in task.incomplete] == [
        "runs/translation/multiply/1 (scored before it was trained anew (test/scores.json): run dvc repro)"
    ]


def resolve(layout: Layout, model: str, *changes: tuple[str, object]) -> None:
    """Give dotted settings of an arm other values in resolved/, as the stage compose does after an edit."""
    path = layout.resolved("translation", model)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in changes:
        *steps, last = key.split(".")
        part = content
        for step in steps:
            part = part[step]
        part[last] = value
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("optimization.max_epochs", 5, "trained with other settings (optimization.max_epochs 8 instead of 5)"),
        ("optimization.patience", 3, "trained with other settings (optimization.patience unset instead of 3)"),
        ("data.source.train_rows", 9, "trained with other settings (data.source.train_rows unset instead of 9)"),
        ("model.hidden_size", 7, "trained with other settings (model.hidden_size 192 instead of 7)"),
        ("trainer.precision", "bf16", "trained with other settings (trainer.precision fp32 instead of bf16)"),
        ("decoding.beam_size", 1, "scored with other settings (decoding.beam_size 5 instead of 1)"),
        ("evaluation.length_buckets", None, "scored with other settings (evaluation.length_buckets 5 instead of null)"),
        ("task.headline_metric", "chrf", "scored with other settings (task.headline_metric bleu instead of chrf)"),
        (
            "data.shifted_tests",
            {"test_noise": {"kind": "noise", "rate": 0.1}},
            "scored with other settings (data.shifted_tests.test_noise.kind unset instead of noise)",
        ),
    ],
)
def test_a_run_of_other_settings_than_those_resolved_is_listed(
    tmp_path: Path, key: str, value: object, reason: str
) -> None:
    layout = project(tmp_path)
    resolve(layout, "multiply", (key, value))
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["vanilla", "bahdanau"]
    assert [str(run) for run in task.incomplete] == [f"runs/translation/multiply/1 ({reason}: run dvc repro)"]


def test_the_first_setting_that_differs_is_named_and_those_that_change_no_run_count_for_nothing(tmp_path: Path) -> None:
    layout = project(tmp_path)
    resolve(layout, "multiply", ("trainer.progress", "none"), ("evaluation", {"length_buckets": 5.0}))
    resolve(layout, "bahdanau", ("model.hidden_size", 7), ("optimization.lr", 0.1), ("decoding.beam_size", 1))
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["vanilla", "multiply"]
    assert [run.reason for run in task.incomplete] == [
        "trained with other settings (model.hidden_size 192 instead of 7): run dvc repro"
    ]


def test_what_an_arm_is_resolved_to_decides_its_options(tmp_path: Path) -> None:
    """The run of the first seed is of another arm that had the name; that of the second was trained anew."""
    layout = project(tmp_path, seeds=(1, 2))
    path = layout.run("translation", "multiply", 1) / "train/config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["model"]["score"] = "general"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.seeds_of("multiply") == [2]
    assert task.arms["multiply"].score == "dot"


def test_without_what_is_resolved_no_run_can_be_vouched_for(tmp_path: Path) -> None:
    layout = project(tmp_path)
    layout.resolved("translation", "multiply").unlink()
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert str(found) == (
        "runs/translation/multiply/1 (its file is missing (resolved/translation/multiply.yaml): run dvc repro)"
    )


def test_the_claims_name_a_run_of_other_settings_and_leave_what_needs_it_open(tmp_path: Path) -> None:
    layout = project(tmp_path)
    resolve(layout, "bahdanau", ("optimization.max_epochs", 5))
    reported = report_on(tmp_path)
    of = "trained with other settings (optimization.max_epochs 8 instead of 5): run dvc repro"
    rows = [row for row in reported.verdicts if (row.claim, row.arm) == ("C1", "bahdanau")]
    assert [(row.verdict, row.missing) for row in rows] == [("not decided", [f"runs/translation/bahdanau/1 ({of})"])]
    assert of in reported.claims["claims"][0]["reason"]
    assert of in (reported.write() / "report.md").read_text(encoding="utf-8")


def test_the_settings_held_against_resolved_are_those_that_the_pipeline_runs_again_for() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    ((_, training),) = stages["train"]["params"][0].items()
    ((_, evaluation),) = stages["evaluate"]["params"][0].items()
    assert {key for key in OF_TRAINING if not key.startswith("data.")} == set(training)
    assert {key for key in OF_EVALUATION if not key.startswith("data.")} == set(evaluation)
    of_data = {key for key in (*OF_TRAINING, *OF_EVALUATION) if key.startswith("data.")}
    assert of_data == {f"data.{field.name}" for field in fields(DataConfig)}  # all of it `prepare` depends on


@pytest.mark.parametrize("work", ["scoring", "decoding"])
def test_runs_timed_in_other_length_buckets_are_left_out(tmp_path: Path, work: str) -> None:
    layout = project(tmp_path)
    path = layout.run("translation", "multiply", 1) / "test/scores.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    scores["cost"][f"{work}_by_length"][0]["low"] += 1
    path.write_text(json.dumps(scores), encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["vanilla", "bahdanau"]
    assert [run.reason for run in task.incomplete] == [
        "timed in other length buckets than the other runs: run dvc repro"
    ]


def test_a_run_whose_alignment_has_no_links_is_listed(tmp_path: Path) -> None:
    layout = project(tmp_path)
    path = layout.run("translation", "bahdanau", 1) / "test/predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    kept = [{key: value for key, value in row.items() if key != "links"} for row in rows]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in kept), encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert (found.model, found.reason) == ("bahdanau", "no links (test/predictions.jsonl): run dvc repro")


def test_lengths_that_cannot_be_told_apart_are_listed(tmp_path: Path) -> None:
    layout = project(tmp_path)
    rescored(layout, "multiply", lambda scores: scores.update(shifted={"longer": SHIFTED}))
    (task,) = read_runs(layout, read_params(layout.params))  # config.yaml has no cleaning
    assert ["data.cleaning" in run.reason for run in task.incomplete] == [True]


def test_a_shifted_set_that_the_configuration_does_not_make_is_listed(tmp_path: Path) -> None:
    layout = project(tmp_path)
    rescored(layout, "multiply", lambda scores: scores.update(shifted={"longer": SHIFTED}))
    path = layout.run("translation", "multiply", 1) / "train/config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["data"]["cleaning"] = {"train_max_source_words": 1000}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    (task,) = read_runs(layout, read_params(layout.params))
    assert [run.reason for run in task.incomplete] == [
        "by its data.cleaning no source of the test set is longer than those trained on (train/config.yaml):"
        " run dvc repro"
    ]


def test_a_prediction_of_no_test_row_is_of_none(tmp_path: Path) -> None:
    layout = project(tmp_path)
    folder = layout.run("translation", "multiply", 1) / "test"
    rows = [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    (folder / "shifted/other").mkdir(parents=True)
    (folder / "shifted/other/predictions.jsonl").write_text(
        "".join(f"{json.dumps(row | {'test_row': None})}\n" for row in rows), encoding="utf-8"
    )
    rescored(layout, "multiply", lambda scores: scores.update(shifted={"other": SHIFTED}))
    assert read_run(folder.parent).shifted["other"].base is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, content) for name in (PROVENANCE, PREPARED) for content in ("3", "{}", "{", None)),
        (PROVENANCE, '{"data": "x"}'),
        (PREPARED, '{"splits": {}, "vocabulary": {}, "lengths": {}}'),
        (PREPARED, '{"splits": {"train": {}}, "vocabulary": {}, "lengths": {}}'),
        (PREPARED, '{"splits": {"train": {"kept": 3}, "test": {"kept": "x"}}, "vocabulary": {}, "lengths": {}}'),
    ],
)
def test_a_damaged_report_of_the_data_is_one_line(tmp_path: Path, name: str, content: str | None) -> None:
    project(tmp_path)
    path = tmp_path / "data" / name
    path.write_text(content) if content else path.unlink()
    with pytest.raises(UserError, match=rf"{path.name}\): run dvc repro$"):
        report_on(tmp_path)


def test_items_without_a_metric_of_the_task_are_counted_again(tmp_path: Path) -> None:
    layout = project(tmp_path)
    before = report_on(tmp_path).results["scores"]
    folder = layout.run("translation", "multiply", 1) / "test"
    statistics = item_statistics(["a"] * 6, [["b"]] * 6, ["bleu"])
    write_items(folder, statistics)
    assert read_items(folder, 6) is not None
    assert report_on(tmp_path).results["scores"] == before
    (folder / "items.npz").write_bytes(b"PK" + bytes(60))
    assert read_items(folder, 6) is None


def test_a_folder_in_the_place_of_a_file_is_listed(tmp_path: Path) -> None:
    layout = project(tmp_path)
    path = layout.run("translation", "multiply", 1) / "test/scores.json"
    path.unlink()
    path.mkdir()
    (task,) = read_runs(layout, read_params(layout.params))
    assert ["cannot be read" in run.reason for run in task.incomplete] == [True]


def test_a_training_that_diverged_says_where(tmp_path: Path) -> None:
    layout = project(tmp_path)
    folder = layout.run("translation", "multiply", 1)
    shutil.rmtree(folder)
    (folder / "train").mkdir(parents=True)
    failure = Failure("gradient norm", 120, 2, 3.5, math.inf, "train/last.ckpt")
    failure.write(folder / "train/failure.json")
    (task,) = read_runs(layout, read_params(layout.params))
    (found,) = task.incomplete
    assert found.state == "diverged"
    assert found.reason == "diverged at step 120, gradient norm inf, last good checkpoint train/last.ckpt"


def test_a_training_that_diverged_with_other_settings_is_no_outcome(tmp_path: Path) -> None:
    layout = project(tmp_path)
    config = yaml.safe_load(layout.resolved("translation", "multiply").read_text(encoding="utf-8"))
    failure = Failure("gradient norm", 120, 2, 3.5, math.inf, None)
    for model, lr in (("multiply", 0.1), ("bahdanau", 0.004)):
        folder = layout.run("translation", model, 1) / "train"
        own = config | {"model": config["model"] | {"name": model, "fusion": model}, "optimization": {"lr": lr}}
        resolve(layout, model, ("model", own["model"]), ("optimization", {"lr": 0.004}))
        failure.write(folder / "failure.json", {"config": own})
    (task,) = read_runs(layout, read_params(layout.params))
    assert [(run.model, run.state) for run in task.incomplete] == [("multiply", "incomplete"), ("bahdanau", "diverged")]
    assert task.incomplete[0].reason == (
        "diverged with other settings (optimization.lr 0.1 instead of 0.004): run dvc repro"
    )


def test_with_nothing_run_one_line_says_so(tmp_path: Path) -> None:
    layout = project(tmp_path)
    shutil.rmtree(tmp_path / "runs")
    with pytest.raises(UserError, match=r"no run is there: runs/translation/vanilla/1 \(not run\) and 2 more: run dvc"):
        read_runs(layout, read_params(layout.params))
