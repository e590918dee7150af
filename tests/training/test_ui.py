from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import project
import pytest
from mlflow_server import Server

from softalign.config import Config, TrackingConfig
from softalign.training.identity import identify
from softalign.training.mlflow_store import connect, tracking_uri
from softalign.training.tracking import ensure_run


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        (
            "mysql://somebody:secret@127.0.0.1:1/runs",
            "No module named 'MySQLdb' (mysql://127.0.0.1:1/runs)",
        ),
        ("mysql://somebody:sec/ret@127.0.0.1:1/runs?passwd=secret", "(mysql://127.0.0.1:1/runs)"),
        ("gibberish://x", "unsupported URI 'gibberish://x'"),
        ("sqlite:///dvc.yaml", "file is not a database"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_line(tmp_path: Path, uri: str, says: str) -> None:
    project.copy_project(tmp_path)
    command = [sys.executable, "-m", "softalign.training.ui", "--port", "0"]
    environment = project.environment(tmp_path) | {"MLFLOW_TRACKING_URI": uri}
    failed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    (line,) = failed.stderr.splitlines()
    assert failed.returncode == 1 and line.startswith("error: cannot open the runs: ") and says in line
    assert "secret" not in failed.stdout + failed.stderr


@pytest.mark.parametrize("port", ["taken", "99999"])
def test_a_port_that_cannot_be_had_is_one_line(port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1]) if port == "taken" else port
        failed = project.run(project.ROOT, sys.executable, "-m", "softalign.training.ui", "--port", port, check=False)
    (line,) = failed.stderr.splitlines()
    assert failed.returncode == 1 and line.startswith("error: cannot listen: ") and "make ui PORT=" in line


def test_a_store_without_runs_and_one_on_a_server_have_a_line_too(tmp_path: Path) -> None:
    project.copy_project(tmp_path)
    server = Server(tmp_path, [sys.executable, "-m", "softalign.training.ui"], project.environment(tmp_path))
    elsewhere = project.environment(tmp_path) | {"MLFLOW_TRACKING_URI": "http://somebody:secret@127.0.0.1:9"}
    try:
        server.start()
        assert f"  no runs yet: {server.uri}/#/experiments?workflowType=machine_learning\n" in server.log()
        done = subprocess.run(  # no port is needed for it: this one is taken
            server.command, cwd=tmp_path, env=elsewhere, capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        server.stop()
    assert done.stdout == "the runs are on a server, which has its own pages: http://127.0.0.1:9\n"


def test_the_page_of_a_project_that_was_moved_shows_its_artifacts(
    empty_store: Path, tmp_path: Path, prepared: Path, configured: Callable[..., Config]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new place"
    shutil.copytree(empty_store, old)
    project.copy_project(old)
    uri, config = tracking_uri(TrackingConfig(), old), configured()
    run = ensure_run(connect(uri), uri, identify(config, prepared), config).info.run_id
    old.rename(new)
    server = Server(new, [sys.executable, "-m", "softalign.training.ui"], project.environment(new))
    try:
        server.start()
        with urllib.request.urlopen(
            f"{server.uri}/get-artifact?path=train/config.yaml&run_uuid={run}", timeout=30
        ) as page:
            assert b"fusion: bahdanau" in page.read()
        (found,) = connect(server.uri).search_runs(["1"])
        assert found.info.run_id == run
        assert f"translation  {server.uri}/#/experiments/1?workflowType=machine_learning\n" in server.log()

        server.interrupt()
        assert "Traceback" not in server.log()
    finally:
        server.stop()
