from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softalign.config import Config, TrackingConfig
from softalign.training.identity import identify
from softalign.training.mlflow_store import connect, ensure_store, sqlite_file, tracking_uri
from softalign.training.tracking import ensure_run

if TYPE_CHECKING:
    from mlflow import MlflowClient


def uri_of(folder: Path) -> str:
    return tracking_uri(TrackingConfig(), folder)


def test_the_default_lies_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert sqlite_file(tracking_uri(TrackingConfig(), tmp_path)) == tmp_path / "mlflow.db"


def test_configuration_goes_before_environment_before_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://environment")
    assert tracking_uri(TrackingConfig(), tmp_path) == "http://environment"
    assert tracking_uri(TrackingConfig(uri="http://configured"), tmp_path) == "http://configured"


def test_a_server_is_left_alone() -> None:
    ensure_store("http://127.0.0.1:9")


def as_another_process(folder: Path) -> MlflowClient:
    """A client without the places that MLflow has remembered in this process."""
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()
    return connect(uri_of(folder))


PROCESS = """
import sys
from pathlib import Path
from softalign.training.mlflow_store import connect, experiment_of, store_lock, sqlite_file
uri, name = sys.argv[1:]
client = connect(uri)
with store_lock(sqlite_file(uri)):
    experiment = experiment_of(client, uri, "translation")
run = client.create_run(experiment, run_name=name)
for step in range(20):
    client.log_metric(run.info.run_id, "loss", step, step=step)
client.set_terminated(run.info.run_id)
"""


def test_three_processes_create_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "a project"
    folder.mkdir()
    commands = [[sys.executable, "-c", PROCESS, uri_of(folder), str(number)] for number in range(3)]
    started = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]
    outputs = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], "\n".join(outputs)
    client = connect(uri_of(folder))
    experiment = client.get_experiment_by_name("translation")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["0", "1", "2"]
    assert all(len(client.get_metric_history(run.info.run_id, "loss")) == 20 for run in runs)
    assert not (tmp_path / "mlruns").exists()  # nothing where the processes happened to run


def test_a_creation_that_was_killed_is_repeated(empty_store: Path, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db.new").write_bytes(b"half a database")
    client = connect(uri_of(tmp_path))
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]
    assert not (tmp_path / "mlflow.db.new").exists()


@pytest.mark.parametrize("name", ["moved", "mit Leerzeichen & Ümläuten #1 100%"])
def test_artifacts_are_found_after_a_move(
    empty_store: Path, tmp_path: Path, prepared: Path, configured: Callable[..., Config], name: str
) -> None:
    old, new = tmp_path / "old project", tmp_path / name
    shutil.copytree(empty_store, old)
    config = configured()
    identity = identify(config, prepared)
    run = ensure_run(connect(uri_of(old)), uri_of(old), identity, config).info.run_id
    connect(uri_of(old)).log_text(run, "a table", "table.txt")
    old.rename(new)
    client = as_another_process(new)
    assert Path(client.download_artifacts(run, "table.txt")).read_text() == "a table"
    assert "table.txt" in {artifact.path for artifact in client.list_artifacts(run)}
    client.log_text(run, "more", "more.txt")
    assert {path.name for path in (new / "mlruns").rglob("*.txt")} == {"table.txt", "more.txt"}
    assert ensure_run(client, uri_of(new), identity, config).info.run_id == run
    assert not old.exists()
    assert not any(str(old.as_uri()) in line for line in sqlite3.connect(new / "mlflow.db").iterdump())


def test_a_copy_has_artifacts_of_its_own(
    empty_store: Path, tmp_path: Path, prepared: Path, configured: Callable[..., Config]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(empty_store, old)
    config = configured()
    run = ensure_run(connect(uri_of(old)), uri_of(old), identify(config, prepared), config).info.run_id
    shutil.copytree(old, new)
    as_another_process(new).log_text(run, "new", "of_the_copy.txt")
    as_another_process(old).log_text(run, "old", "of_the_original.txt")
    assert {path.name for path in (new / "mlruns").rglob("of_*")} == {"of_the_copy.txt"}
    assert {path.name for path in (old / "mlruns").rglob("of_*")} == {"of_the_original.txt"}
