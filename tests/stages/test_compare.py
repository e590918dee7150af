"""The compare stage as a command."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path

import yaml
from project import copy_project, run
from synthetic_runs import write_project

from softalign.training.failure import Failure

STAGE = (sys.executable, "-m", "softalign.stages.compare", "tracking.enabled=false", "evaluation.bootstrap_samples=100")
SUMMARY = (sys.executable, "-m", "softalign.reporting.summary")


def test_from_run_folders_to_the_report(tmp_path: Path) -> None:
    folder = write_project(copy_project(tmp_path / "a project"), rows=20, params=False)
    done = run(folder, *STAGE)
    results = json.loads((folder / "reports/results.json").read_text(encoding="utf-8"))
    assert len(results["runs"]) == 6
    assert results["bootstrap"]["samples"] == 100
    assert (folder / "reports/index.html").is_file()
    assert "translation: BLEU on the test set" in done.stdout

    shown = run(folder, *SUMMARY).stdout
    assert shown.strip().endswith(str(folder / "reports" / "index.html"))
    assert "summarization: ROUGE-L on the test set" in shown and "training rows for" not in shown
    report = folder / "data/prepared/summarization/report.json"
    report.write_text(report.read_text().replace("15996", "16"))
    run(folder, *STAGE)
    assert "16 training rows for summarization, 20 test items for translation" in run(folder, *SUMMARY).stdout


def test_a_missing_run_is_named_and_fails_nothing(tmp_path: Path) -> None:
    folder = write_project(copy_project(tmp_path / "project"), rows=6, params=False)
    (folder / "runs/translation/multiply/1/test/scores.json").unlink()
    done = run(folder, *STAGE)
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("warning: left out: runs/translation/multiply/1 (") and "scores.json" in line
    claims = json.loads((folder / "reports/claims.json").read_text(encoding="utf-8"))["claims"]
    assert claims[0]["verdict"] == "not decided" and claims[0]["missing"] == [line.removeprefix("warning: left out: ")]
    assert "runs/translation/multiply/1" in (folder / "reports/index.html").read_text(encoding="utf-8")


def test_with_no_run_complete_the_report_says_what_became_of_them(tmp_path: Path) -> None:
    folder = write_project(copy_project(tmp_path / "project"), tasks=("translation",), rows=6, params=False)
    for train in (folder / "runs").glob("*/*/*/train"):
        Failure("gradient norm", 120, 2, 3.5, math.inf, None).write(train / "failure.json")
    done = run(folder, *STAGE)
    assert "warning: left out: runs/translation/vanilla/1 (diverged at step 120, gradient norm inf)\n" in done.stderr
    claims = json.loads((folder / "reports/claims.json").read_text(encoding="utf-8"))["claims"]
    assert {claim["verdict"] for claim in claims} == {"not decided"}
    assert "diverged at step 120" in (folder / "reports/index.html").read_text(encoding="utf-8")


def test_by_hand_it_takes_the_first_task_and_arm_of_params_yaml(tmp_path: Path) -> None:
    folder = write_project(copy_project(tmp_path / "project"), tasks=("summarization",), rows=6, params=False)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    only = {"tasks": ["summarization"], "data": {"summarization": "newsbriefs"}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params | only))
    assert "summarization: ROUGE-L on the test set" in run(folder, *STAGE).stdout
    shown = run(folder, *STAGE[:3], "--cfg", "job", "--package", "task", "evaluation.bootstrap_samples=100").stdout
    assert "name: summarization" in shown


def test_with_no_run_at_all_it_stops_with_one_line_and_keeps_the_report(tmp_path: Path) -> None:
    folder = write_project(copy_project(tmp_path / "project"), rows=6, params=False)
    (folder / "reports").mkdir()
    (folder / "reports/report.md").write_text("earlier", encoding="utf-8")
    shutil.rmtree(folder / "runs")
    done = run(folder, *STAGE, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: no run is there: runs/translation/vanilla/1 (not run) and 5 more")
    assert (folder / "reports/report.md").read_text(encoding="utf-8") == "earlier"
