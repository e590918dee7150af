"""The command, on a small embedded corpus: what it leaves, and how it goes on after it was killed or interrupted."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import project
import pytest
import torch

from softalign.config import TrackingConfig
from softalign.training.checkpointing import read_checkpoint
from softalign.training.failure import FAILURE, Failure
from softalign.training.mlflow_store import connect, tracking_uri
from softalign.training.work import FILES

DATA = ["data.source.train_rows=300", "data.source.validation_rows=40", "data.source.test_rows=40"]
SHORT = ["data.cleaning.max_source_words=12", "~data.shifted_tests.test_joined", "data.tokenizer.vocabulary_size=800"]
SMALL = [*DATA, *SHORT, "model.hidden_size=32", "model.embedding_size=16"]
ARGUMENTS = [*SMALL, "task=translation", "model=bahdanau", "optimization.max_epochs=8", "trainer.threads=1"]
COMMAND = [sys.executable, "-m", "softalign.stages.train", *ARGUMENTS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with prepared data."""
    folder = project.copy_project(tmp_path_factory.mktemp("a project"))
    for stage in ("download", "prepare"):
        project.run(folder, sys.executable, "-m", f"softalign.stages.{stage}", "task=translation", *SMALL)
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> Path:
    """train/ of a training that ran from start to end."""
    done = project.run(folder, *COMMAND)
    first, *epochs = done.stdout.splitlines()
    assert "(trainer.precision=auto), torch on 1 of " in first
    assert [line.split("  ")[0] for line in epochs] == [
        f"translation/bahdanau seed 1: epoch {epoch}/8" for epoch in range(1, 9)
    ]
    return only(folder.glob("outputs/*/train"))


def only(paths: object) -> Path:
    (path,) = paths  # type: ignore[misc, attr-defined]
    assert isinstance(path, Path)
    return path


def stop_after_an_epoch(folder: Path, how: signal.Signals) -> subprocess.Popen[str]:
    """Start the command, and send a signal as soon as it has reported an epoch."""
    process = subprocess.Popen(
        COMMAND, cwd=folder, env=project.environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while "epoch" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(how)
    return process


def test_what_it_leaves(folder: Path, trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == set(FILES)
    cost = json.loads((trained / "cost.json").read_text())
    assert cost["epochs"] == 8 and cost["train_seconds"] > 0
    assert [path.name for path in (folder / ".softalign" / "work").iterdir() if path.is_dir()] == []
    client = connect(tracking_uri(TrackingConfig(), folder))
    experiment = client.get_experiment_by_name("translation")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["softalign.fingerprint"] == json.loads((trained / "run.json").read_text())["fingerprint"]


def test_killed_and_interrupted_it_ends_with_the_same_weights(folder: Path, trained: Path) -> None:
    expected = {name: read_checkpoint(trained / name)["state_dict"] for name in ("best.ckpt", "last.ckpt")}
    for path in FILES:
        (trained / path).unlink()
    killed = stop_after_an_epoch(folder, signal.SIGKILL)
    killed.communicate(timeout=120)
    assert list(trained.iterdir()) == []

    interrupted = stop_after_an_epoch(folder, signal.SIGINT)
    output, errors = interrupted.communicate(timeout=120)
    assert interrupted.returncode != 0
    assert "the same command goes on from there" in output
    assert "Traceback" not in errors
    assert list(trained.iterdir()) == []

    done = project.run(folder, *COMMAND)
    assert "epoch 1/8" not in done.stdout
    assert "epoch 8/8" in done.stdout
    for name, weights in expected.items():
        again = read_checkpoint(trained / name)["state_dict"]
        assert all(torch.equal(weights[key], again[key]) for key in weights)
    client = connect(tracking_uri(TrackingConfig(), folder))
    experiment = client.get_experiment_by_name("translation")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert len(client.get_metric_history(run.info.run_id, "validation_loss")) == 8


def test_a_training_that_diverges_fails_and_says_where(folder: Path) -> None:
    code = folder / "src" / "softalign" / "training" / "schedule.py"
    sound = code.read_text()
    before = set(folder.glob("outputs/*"))
    quick = [*COMMAND, "optimization.max_epochs=1", "model=vanilla"]
    code.write_text(
        sound.replace("def rate_factor(", "def rate_factor(*_: object) -> float:\n    return 1e38\n\n\ndef _(")
    )
    failed = project.run(folder, *quick, check=False)
    code.write_text(sound)
    assert failed.returncode == 1
    (line,) = [line for line in failed.stderr.splitlines() if line.strip()]
    assert line.startswith("error: translation/vanilla seed 1 has diverged: ") and "lower optimization.lr" in line
    output = only(set(folder.glob("outputs/*")) - before) / "train"
    assert [path.name for path in output.iterdir()] == [FAILURE]
    failure = Failure.read(output / FAILURE)
    assert f"step {failure.step}," in line and failure.step == 2 and failure.last_checkpoint is None
    status, tags = last_run(folder)
    assert status == "FAILED" and tags["failure.step"] == "2" and tags["failure.last_checkpoint"] == "none"

    project.run(folder, *quick)  # corrected, it is the same run
    assert {path.name for path in output.iterdir()} == set(FILES)
    status, tags = last_run(folder)
    assert status == "FINISHED" and not [key for key in tags if key.startswith("failure.")]


def last_run(folder: Path) -> tuple[str, dict[str, str]]:
    """The status and the tags of the run in MLflow that was created last."""
    client = connect(tracking_uri(TrackingConfig(), folder))
    experiment = client.get_experiment_by_name("translation")
    assert experiment is not None
    run = client.search_runs([experiment.experiment_id])[0]  # the youngest first
    return run.info.status, run.data.tags


def test_a_mistake_leaves_no_run_in_mlflow(tmp_path: Path, folder: Path) -> None:
    other = project.copy_project(tmp_path)
    shutil.copytree(folder / "data" / "prepared", other / "data" / "prepared")
    done = project.run(other, *COMMAND, "data.tokenizer.vocabulary_size=900", check=False)
    assert done.returncode == 1 and "prepared data is for another configuration" in done.stderr
    assert not (other / "mlflow.db").exists()


def test_without_prepared_data_it_says_what_to_do(tmp_path: Path) -> None:
    folder = project.copy_project(tmp_path)
    done = project.run(folder, *COMMAND, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no prepared data") and "prepare" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "outputs").exists()
