"""The test split decides nothing: training and choosing never see it, and evaluation opens it once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from project import ROOT
from tiny_arm import WORDS, tiny_config, train_tiny, write_toy_data

from softalign.config import Config
from softalign.data.prepared import prepare
from softalign.errors import UserError
from softalign.paths import Layout
from softalign.stages import evaluate
from softalign.training.checkpointing import read_checkpoint
from softalign.training.fit import TrainingResult, fit
from softalign.training.identity import identify

TEST_FILE = "test.arrow"


@pytest.fixture(scope="module")
def config() -> Config:
    config = tiny_config("bahdanau")
    return replace(
        config,
        model=replace(config.model, dropout=0.2),
        optimization=replace(config.optimization, max_epochs=3, patience=3),
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    return write_toy_data(Layout(tmp_path_factory.mktemp("project")), config)


@pytest.fixture(scope="module")
def trained(prepared: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return fit(prepared, config, tmp_path_factory.mktemp("trained"))


def assert_the_same_training(one: TrainingResult, other: TrainingResult) -> None:
    """Same weights bit for bit, of the best and of the last epoch, and the same losses on the way."""
    for name in ("best.ckpt", "last.ckpt"):
        weights, again = (read_checkpoint(result.folder / name)["state_dict"] for result in (one, other))
        assert weights.keys() == again.keys()
        assert all(torch.equal(weights[key], again[key]) for key in weights)
    losses = [[(row["train_loss"], row["validation_loss"]) for row in result.history] for result in (one, other)]
    assert losses[0] == losses[1]
    assert one.cost.best_epoch == other.cost.best_epoch


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"no Arrow at all")])
def test_training_does_not_need_the_test_split(
    trained: TrainingResult, prepared: Path, config: Config, tmp_path: Path, damage: Any
) -> None:
    copy = shutil.copytree(prepared, tmp_path / "prepared")
    damage(copy / TEST_FILE)
    assert_the_same_training(trained, fit(copy, config, tmp_path / "out"))


def write_test_rows(raw: Path, targets: list[str]) -> None:
    """Test rows of eight words and more, which no other split has."""
    words = list(WORDS)
    sources = [" ".join(words[(row + place) % len(words)] for place in range(8 + row % 3)) for row in range(8)]
    table = {"source": sources, "target": targets, "references": [[target] for target in targets]}
    pq.write_table(pa.table(table | {"alignment": [""] * len(sources)}), raw / "test.parquet")


def test_other_test_rows_leave_the_weights_as_they_are(prepared: Path, config: Config, tmp_path: Path) -> None:
    results, folders = [], []
    for name, targets in (("right", ["one two three"] * 8), ("nonsense", [f"zzz {row} qqq" for row in range(8)])):
        raw = shutil.copytree(prepared.parents[1] / "raw" / "translation", tmp_path / name / "raw")
        write_test_rows(raw, targets)
        folders.append(tmp_path / name / "prepared")
        report = prepare(raw, folders[-1], config.data, "none")
        assert report["splits"]["test"]["kept"] == 8
        results.append(fit(folders[-1], config, tmp_path / name / "out"))
    assert_the_same_training(*results)
    for file in ("train.arrow", "validation.arrow", "source_tokenizer.json", "target_tokenizer.json"):
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()
    assert (folders[0] / TEST_FILE).read_bytes() != (folders[1] / TEST_FILE).read_bytes()


def test_how_the_test_set_is_scored_is_no_part_of_a_training(prepared: Path, config: Config) -> None:
    other = replace(
        config,
        decoding=replace(config.decoding, beam_size=9),
        evaluation=replace(config.evaluation, length_buckets=7, confidence=0.8),
        task=replace(config.task, headline_metric="chrf", lead_words=9),
    )
    assert identify(other, prepared).fingerprint == identify(config, prepared).fingerprint
    (tracked,) = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train"]["params"]
    (keys,) = tracked.values()
    assert not [key for key in keys if key.startswith(("decoding", "evaluation", "task"))]


def test_evaluation_opens_the_test_split_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout, config = Layout(tmp_path / "a project"), tiny_config("multiply")
    test_file = write_toy_data(layout, config) / TEST_FILE
    run = train_tiny(layout, config, steps=2)
    stage = evaluate.main.__wrapped__  # type: ignore[attr-defined]  # the library call below Hydra's command line
    stage(config, layout)
    expected = json.loads((run / "test" / "scores.json").read_text())
    really_open, opened = pa.memory_map, []

    def open_once(path: str) -> pa.NativeFile:
        """The file; from here on there is none at the path of the test split."""
        file = really_open(path)
        if Path(path) == test_file:
            opened.append(path)
            test_file.unlink()
        return file

    monkeypatch.setattr(pa, "memory_map", open_once)
    stage(config, layout)
    assert len(opened) == 1 and not test_file.exists()
    again = json.loads((run / "test" / "scores.json").read_text())
    del again["cost"], expected["cost"]  # times vary
    assert again == expected
    with pytest.raises(UserError, match="no prepared data"):  # it does need the file
        stage(config, layout)
