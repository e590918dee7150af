"""Reading run folders back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from synthetic_runs import write_project

from softalign.errors import UserError
from softalign.params import read_params
from softalign.paths import Layout
from softalign.reporting.runs import read_run, read_runs


def project(root: Path, **options: object) -> Layout:
    return Layout(write_project(root, tasks=("translation",), rows=6, **options))


def test_the_arm_without_attention_comes_first_and_the_others_keep_their_order(tmp_path: Path) -> None:
    layout = project(tmp_path, models=("multiply", "vanilla", "bahdanau"), seeds=(3, 1))
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.models == ["vanilla", "multiply", "bahdanau"]
    assert task.baseline == "vanilla"
    assert task.candidates == ["multiply", "bahdanau"]
    assert [run.seed for run in task.of("bahdanau")] == [3, 1]
    assert task.headline_metric == "bleu"


def test_without_a_vanilla_arm_there_is_no_baseline(tmp_path: Path) -> None:
    layout = project(tmp_path, models=("bahdanau", "multiply"))
    (task,) = read_runs(layout, read_params(layout.params))
    assert task.baseline is None
    assert task.candidates == ["bahdanau", "multiply"]


@pytest.mark.parametrize("name", ["train/run.json", "train/history.csv", "test/scores.json", "test/predictions.jsonl"])
def test_a_missing_file_is_named_with_the_stage_that_writes_it(tmp_path: Path, name: str) -> None:
    layout = project(tmp_path)
    folder = layout.run("translation", "multiply", 1)
    (folder / name).unlink()
    stage = "train" if name.startswith("train") else "evaluate"
    with pytest.raises(UserError, match=f"missing.*{Path(name).name}.*softalign.stages.{stage}"):
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


def test_arms_that_were_scored_on_different_items_are_refused(tmp_path: Path) -> None:
    layout = project(tmp_path)
    path = layout.run("translation", "bahdanau", 1) / "test/predictions.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[1], lines[0], *lines[2:]]) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="different test items"):
        read_runs(layout, read_params(layout.params))
