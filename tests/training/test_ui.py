from __future__ import annotations

import shutil
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import project
from mlflow_server import Server

from softalign.config import Config, TrackingConfig
from softalign.training.identity import identify
from softalign.training.mlflow_store import connect, tracking_uri
from softalign.training.tracking import ensure_run


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
    finally:
        server.stop()
