"""The stage evaluate on a toy data set and a model of a few training steps."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from project import copy_project, run
from tiny_arm import tiny_config, train_tiny, write_toy_data

from softalign.config import NoiseTest
from softalign.data.shifted import prepare_shifted
from softalign.errors import UserError
from softalign.paths import Layout
from softalign.reporting.settings import OF_EVALUATION, check_settings
from softalign.stages import evaluate
from softalign.typed import to_dict

FILES = ["attention.json", "items.npz", "predictions.jsonl", "scores.json"]
stage = evaluate.main.__wrapped__  # the library call below Hydra's command line


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "a project")
    write_toy_data(layout, tiny_config("multiply"))
    return layout


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir()) if path.is_file()
    }


def test_writes_the_test_folder_and_a_second_run_the_same(layout, capsys):
    config = tiny_config("multiply")
    folder = train_tiny(layout, config, steps=2) / "test"
    stage(config, layout)
    assert capsys.readouterr().out.startswith("translation/multiply seed 1: bleu ")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    first, scores = digests(folder), json.loads((folder / "scores.json").read_text())
    stage(config, layout)
    second, again = digests(folder), json.loads((folder / "scores.json").read_text())
    assert first["predictions.jsonl"] == second["predictions.jsonl"]
    assert first["attention.json"] == second["attention.json"]
    assert first["items.npz"] == second["items.npz"]
    del scores["cost"], again["cost"]  # times vary
    assert scores == again


def test_decoding_options_are_heeded_and_recorded(layout):
    config = tiny_config("multiply")
    run_folder = train_tiny(layout, config, steps=2)
    short = replace(config, decoding=replace(config.decoding, beam_size=1, max_length_ratio=0.0, max_length_offset=1))
    stage(short, layout)
    lines = (run_folder / "test" / "predictions.jsonl").read_text().splitlines()
    assert all(len(json.loads(line)["prediction"].split()) <= 1 for line in lines)
    settings = json.loads((run_folder / "test" / "scores.json").read_text())["settings"]
    assert settings["decoding"]["beam_size"] == 1


def test_shifted_test_sets_are_decoded_unless_they_are_not_wanted(layout):
    config = tiny_config("multiply")
    config = replace(config, data=replace(config.data, shifted_tests={"test_noise": NoiseTest(rate=0.2)}))
    name = config.task.name
    prepare_shifted(layout.raw(name), layout.prepared(name), layout.shifted(name), config.data)
    test = train_tiny(layout, config, steps=2) / "test"
    stage(config, layout)
    scores = json.loads((test / "scores.json").read_text())
    assert list(scores["shifted"]) == ["test_noise"]
    check_settings("scored", scores["settings"], to_dict(config), OF_EVALUATION)
    assert scores["settings"]["data"]["shifted_tests"]["test_noise"]["rate"] == 0.2
    stage(replace(config, evaluation=replace(config.evaluation, shifted_tests=False)), layout)
    assert json.loads((test / "scores.json").read_text())["shifted"] == {}


def test_the_scores_name_the_training_that_they_are_of(layout):
    config = tiny_config("multiply")
    run_folder = train_tiny(layout, config, steps=2)
    (run_folder / "train" / ".code").write_text("0123")
    stage(config, layout)
    fingerprint = json.loads((run_folder / "train" / "run.json").read_text())["fingerprint"]
    scores = json.loads((run_folder / "test" / "scores.json").read_text())
    assert scores["training"] == {"fingerprint": fingerprint, "code": "0123"}


def test_a_failure_leaves_the_earlier_results(layout):
    config = tiny_config("multiply")
    run_folder = train_tiny(layout, config, steps=2)
    stage(config, layout)
    before = digests(run_folder / "test")
    (run_folder / "train" / "best.ckpt").write_bytes(b"damaged")
    with pytest.raises(UserError, match="not a readable checkpoint"):
        stage(config, layout)
    assert digests(run_folder / "test") == before
    assert sorted(path.name for path in run_folder.iterdir()) == ["test", "train"]


def test_data_prepared_for_another_configuration_is_refused(layout):
    config = tiny_config("multiply")
    train_tiny(layout, config, steps=2)
    other = replace(config, data=replace(config.data, cleaning=replace(config.data.cleaning, lowercase=True)))
    with pytest.raises(UserError, match="lowercase"):
        stage(other, layout)


def test_by_hand_before_anything_is_there_says_so_in_one_line(tmp_path):
    project = copy_project(tmp_path / "a project")
    done = run(project, "python", "-m", "softalign.stages.evaluate", "model=multiply", check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("error: ")
    assert "prepare" in done.stderr
