"""Ctrl-C in the middle of a pipeline, with DVC itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import project

from softalign.experiments.interruption import INTERRUPTED

STAGES = """
stages:
  first:
    cmd: python first.py
  second:
    cmd: python -c "from softalign.experiments.interruption import end_if_interrupted as e; e(); open('second', 'w')"
"""
TRAINING = """
import time
from pathlib import Path
try:
    Path("started").touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    Path("checkpoint").touch()
    raise SystemExit(1)
"""


def test_it_ends_with_the_stage_that_was_interrupted(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "first.py").write_text(TRAINING)
    environment = project.environment(project.ROOT)
    subprocess.run(["dvc", "init", "--no-scm", "-q"], cwd=tmp_path, env=environment, check=True)
    program = (
        "import os, subprocess, sys\nfrom softalign.experiments.interruption import call_interruptibly\n"
        "repro = ['dvc', 'repro', '--keep-going']\n"
        "sys.exit(call_interruptibly(lambda environment: subprocess.call(repro, env=environment), os.environ))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)  # what a terminal does
    _, told = running.communicate(timeout=60)
    assert running.returncode == INTERRUPTED and b"Traceback" not in told
    assert (tmp_path / "checkpoint").exists() and not (tmp_path / "second").exists()
    subprocess.run(["dvc", "repro", "second"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert (tmp_path / "second").exists()
