"""With DVC itself, at work in a pipeline of one stage that lasts until it is told to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from project import ROOT, copy_project, environment, run

from softalign.errors import UserError
from softalign.experiments.busy import check_idle
from softalign.paths import Layout

PIPELINE = """
stages:
  waiting:
    cmd: python wait.py
    outs: [waited]
"""
WAIT = """
import time
from pathlib import Path
Path("started").touch()
deadline = time.monotonic() + 60
while not Path("end").exists() and time.monotonic() < deadline:
    time.sleep(0.02)
Path("waited").touch()
"""


def test_an_experiment_does_not_start_beside_another_command(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "wait.py").write_text(WAIT)
    run(folder, "dvc", "init", "--no-scm", "--force", "--quiet")
    before = (folder / "params.yaml").read_text()
    check_idle(Layout(folder))
    running = subprocess.Popen([sys.executable, "-m", "dvc", "repro"], cwd=folder, env=environment(ROOT))
    try:
        deadline = time.monotonic() + 60
        while not (folder / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        refused = run(folder, "python", "-m", "softalign", "run", "smoke", check=False)
    finally:
        (folder / "end").touch()
        assert running.wait() == 0
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith(f"error: a stage of another command is running (process {running.pid}: ")
    assert (folder / "params.yaml").read_text() == before
    assert yaml.safe_load(before)["experiment"] is None
    check_idle(Layout(folder))


def test_a_process_that_was_killed_is_not_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(parents=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    owner = {"pid": ended.pid, "cmd": "dvc repro"}
    lock.write_text(json.dumps({"write": {"/a": owner}, "read": {"/b": [owner]}}))
    check_idle(Layout(tmp_path))
    owner["pid"] = os.getpid()
    for locks in ({"write": {"/a": owner}}, {"read": {"/b": [owner]}}):
        lock.write_text(json.dumps(locks))
        with pytest.raises(UserError, match="a stage of another command is running.*dvc repro.*wait for its end"):
            check_idle(Layout(tmp_path))
