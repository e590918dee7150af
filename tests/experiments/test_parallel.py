"""Several trainings at a time, with DVC itself: a pipeline of the same names, whose stages take no time."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from project import ROOT, environment, run

from softalign.experiments.parallel import run_in_parallel
from softalign.hardware.cores import usable_cores
from softalign.paths import Layout

STAGES = """
stages:
  prepare:
    cmd: python -c "open('prepared', 'w')"
    outs: [prepared]
  code_of_train:
    cmd: python -c "open('code_of_train', 'w')"
    outs: [code_of_train]
  code_of_evaluate:
    cmd: python -c "open('code_of_evaluate', 'w')"
    outs: [code_of_evaluate]
  train:
    matrix: {task: "${tasks}", model: "${models}", seed: "${seeds}"}
    cmd: python train.py ${item.model} ${item.seed}
    deps: [prepared, code_of_train]
    outs: ["runs/${item.model}/${item.seed}/train"]
  evaluate:
    matrix: {task: "${tasks}", model: "${models}", seed: "${seeds}"}
    cmd: python -c "open('runs/${item.model}/${item.seed}/test', 'w')"
    deps: [prepared, code_of_evaluate, "runs/${item.model}/${item.seed}/train"]
    outs: ["runs/${item.model}/${item.seed}/test"]
  compare:
    cmd: python -c "open('report', 'w')"
    deps: [runs]
    outs: [report]
"""
PARAMS = "{tasks: [recall], models: [vanilla], seeds: [9], data: {recall: recall}, experiment: null, overrides: []}"
TRAINING = """
import json, os, sys, time
from pathlib import Path
model, seed = sys.argv[1:]
mark = Path("training", f"{model}-{seed}")
mark.parent.mkdir(exist_ok=True)
mark.touch()
if model == "diverging":
    sys.exit(1)
deadline = time.monotonic() + 60
while len(list(mark.parent.iterdir())) < 2 and time.monotonic() < deadline:
    time.sleep(0.02)  # until another one trains
Path("runs", model, seed).mkdir(parents=True, exist_ok=True)
cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
beside = [len(list(mark.parent.iterdir())), int(os.environ["SOFTALIGN_JOBS"])]
Path("runs", model, seed, "train").write_text(json.dumps([beside, cores]))
"""
COMMAND = ["dvc", "exp", "run", "--keep-going"]

pytestmark = pytest.mark.skipif(len(usable_cores()) < 2, reason="a machine of one core")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, content in (("dvc.yaml", STAGES), ("params.yaml", PARAMS), ("train.py", TRAINING)):
        (tmp_path / name).write_text(content)
    (tmp_path / ".gitignore").write_text("/training\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    run(tmp_path, "dvc", "init", "--quiet")
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, "commit", "--quiet", "--message", "start"], cwd=tmp_path, check=True)
    return tmp_path


def in_parallel(project: Path, *settings: str) -> int:
    """With the settings of `dvc exp run -S`."""
    command = [*COMMAND, *(word for setting in settings for word in ("-S", setting))]
    return run_in_parallel(command, Layout(project), environment(ROOT), jobs=2)


def test_two_trainings_run_at_a_time_on_cores_of_their_own(project: Path) -> None:
    assert in_parallel(project, "seeds=[1,2]") == 0
    (beside, first), (also, second) = (
        json.loads((project / "runs" / "vanilla" / seed / "train").read_text()) for seed in "12"
    )
    assert beside == also == [2, 2]  # each waited until the other had begun
    if hasattr(os, "sched_getaffinity"):
        assert first and second and not set(first) & set(second)
    assert (project / "report").exists()
    assert "up to date" in run(project, "dvc", "status").stdout
    experiments = run(project, "dvc", "exp", "list", "--name-only").stdout.split()
    assert len(experiments) == 1 and "softalign" not in experiments[0]


def test_one_that_fails_leaves_the_others_and_no_report(project: Path) -> None:
    assert in_parallel(project, "models=[diverging,vanilla]", "seeds=[1,2]") != 0
    assert all((project / "runs" / "vanilla" / seed / "test").exists() for seed in "12")
    assert not (project / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--jobs", "0"], "0 jobs (--jobs): a training takes a core: from 1 to "),
        (["--jobs", "4096"], "4096 jobs (--jobs): a training takes a core: from 1 to "),
        (["--jobs", "2", "--queue"], "not understood: unrecognized arguments: --queue (--jobs): with it, give DVC"),
        (["-S", "seeds=[1]", "--jobs", "2", "compose"], "not understood: unrecognized arguments: compose (--jobs)"),
        (["-j", "2"], "-j is for DVC's queue alone (run): write --jobs N"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: list[str], says: str) -> None:
    failed = run(ROOT, "python", "-m", "softalign", "run", "claims", *arguments, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(f"error: {says}") and len(failed.stderr.splitlines()) == 1
