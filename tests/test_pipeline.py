"""A whole miniature `dvc repro` in a throw-away project: an edit, a second run, experiments, a queue.

The tests share one project and build on one another's state, in the order in which they stand here.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest
import yaml
from project import copy_project, environment, run

TASK = "translation"
ARMS = ("vanilla", "bahdanau")


def git(project: Path, *command: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *command], cwd=project, check=True, capture_output=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("a miniature project"))
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params |= {"tasks": [TASK], "models": list(ARMS), "experiment": "smoke"}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "start")
    run(folder, "dvc", "repro")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first results")
    return folder


def would_run(project: Path) -> set[str]:
    """The stages that an edit reaches: compose runs for real, of the rest DVC says what has changed."""
    run(project, "dvc", "repro", "compose")
    return set(json.loads(run(project, "dvc", "status", "--json").stdout))


def edited(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def mlflow_runs(project: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(project / "mlflow.db") as store:
        return sorted(store.execute("select name, status from runs"))


def test_the_outputs_are_there(project: Path) -> None:
    results = json.loads((project / "reports" / "results.json").read_text())
    assert {(record["task"], record["model"], record["seed"]) for record in results["runs"]} == {
        (TASK, arm, 1) for arm in ARMS
    }
    for record in results["runs"]:
        assert {"bleu", "chrf", "rouge1", "rouge2", "rougeL", "perplexity"} <= set(record["test"])
        assert {"n_parameters", "train_seconds", "train_tokens_per_second", "peak_memory_mb"} <= set(record["cost"])
        assert record["cost"]["decode_sentences_per_second"] > 0
        assert record["shifted"]["test_noise"]["n_rows"] == record["test"]["n_rows"]  # of smoke's few rows all
    claims = json.loads((project / "reports" / "claims.json").read_text())["claims"]
    assert [row["quantity"].split(":")[0] for row in claims[-1]["rows"]] == ["test_noise", "test_joined"]
    comparison = results["comparisons"][0]
    assert {"task", "metric", "baseline", "candidate", "difference", "low", "high", "p_value"} <= set(comparison)
    for name in (
        "report.md",
        "index.html",
        "metrics.json",
        "notebooks/00_start_here.html",
        "notebooks/05_claims.ipynb",
    ):
        assert (project / "reports" / name).stat().st_size > 0
    assert mlflow_runs(project) and {status for _, status in mlflow_runs(project)} == {"FINISHED"}
    assert len(mlflow_runs(project)) == len(ARMS)


def test_what_was_trained_translates_a_line(project: Path) -> None:
    command = ("python", "-m", "softalign", "generate", "model=bahdanau", "decoding=greedy")
    written = run(project, *command, stdin="Der alte Mann schläft.\n\n".encode())
    assert len(written.stdout.splitlines()) == 2


def test_a_second_run_does_nothing(project: Path) -> None:
    before = (project / "dvc.lock").read_text()
    assert "Running stage" not in run(project, "dvc", "repro").stdout
    assert (project / "dvc.lock").read_text() == before
    assert not run(project, "git", "status", "--porcelain").stdout


def test_decoding_re_evaluates_without_retraining(project: Path) -> None:
    edited(project / "conf" / "decoding" / "beam.yaml", "beam_size: 5", "beam_size: 2")
    changed = would_run(project)
    assert {stage for stage in changed if stage.startswith("evaluate")} == {f"evaluate@{TASK}-{arm}-1" for arm in ARMS}
    assert not any(stage.startswith(("download", "prepare", "train")) for stage in changed)


def test_a_models_option_retrains_that_model_alone(project: Path) -> None:
    git(project, "checkout", "--quiet", "conf")
    edited(project / "conf" / "model" / "vanilla.yaml", "dropout: 0.0", "dropout: 0.05")
    changed = would_run(project)
    assert {stage for stage in changed if stage.startswith("train")} == {f"train@{TASK}-vanilla-1"}
    assert not any(stage.startswith(("download", "prepare")) for stage in changed)


def test_the_data_changes_everything(project: Path) -> None:
    git(project, "checkout", "--quiet", "conf")
    edited(project / "conf" / "data" / "phrasebook.yaml", "seed: ", "seed: 9")
    assert f"download@{TASK}" in would_run(project)


def test_a_mistake_in_params_stops_the_pipeline_and_loses_nothing(project: Path) -> None:
    git(project, "checkout", "--quiet", "conf")
    report = (project / "reports" / "report.md").read_text(encoding="utf-8")
    edited(project / "params.yaml", "- vanilla", "- vanila")
    failed = run(project, "dvc", "repro", check=False)
    assert failed.returncode != 0
    assert "error: unknown model 'vanila'" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert (project / "reports" / "report.md").read_text(encoding="utf-8") == report
    git(project, "checkout", "--quiet", "params.yaml")
    run(project, "dvc", "repro")


def test_the_commands_of_dvc_print_something_readable(project: Path) -> None:
    shown = json.loads(run(project, "dvc", "metrics", "show", "--json").stdout)
    metrics = shown[""]["data"]["reports/metrics.json"]["data"]
    assert {arm: list(scores) for arm, scores in metrics.items()} == {arm: ["bleu"] for arm in ARMS}
    plots = run(project, "dvc", "plots", "show", "--json").stdout
    assert "loss" in plots and "length" in plots
    edited(project / "conf" / "model" / "vanilla.yaml", "dropout: 0.0", "dropout: 0.05")
    run(project, "dvc", "repro", "compose")
    difference = run(project, "dvc", "params", "diff").stdout
    assert "model.dropout" in difference and len(difference.splitlines()) < 6
    git(project, "checkout", "--quiet", "conf")
    run(project, "dvc", "repro", "compose")


def test_experiments_with_a_value_an_override_and_a_queue_share_one_store(project: Path) -> None:
    run(project, "dvc", "exp", "run", "--queue", "-S", "conf/model/bahdanau.yaml:dropout=0.3")
    command = ("dvc", "exp", "run", "--run-all")
    with (project.parent / "queue.log").open("w") as log:  # no pipe: a worker of the queue may outlive the command
        subprocess.run(command, cwd=project, env=environment(project), stdout=log, stderr=log, check=True)
    run(
        project,
        "dvc",
        "exp",
        "run",
        "--temp",
        "-S",
        "overrides=['optimization.lr=0.004']",
        "-S",
        "models=[vanilla-gru]",
    )
    shown = run(project, "dvc", "exp", "show", "--csv").stdout
    assert len(shown.splitlines()) >= 5  # the header, the workspace, the branch and the two experiments
    runs = mlflow_runs(project)
    assert len(runs) == len(ARMS) + 2  # one arm retrained by each experiment, in the project's own store
    assert not list((project / ".dvc" / "tmp" / "exps").rglob("mlflow.db"))
    assert "dropout: 0.3" not in (project / "conf" / "model" / "bahdanau.yaml").read_text()


def test_an_arm_that_diverges_stops_alone_and_leaves_the_report_as_it_was(project: Path) -> None:
    git(project, "checkout", "--quiet", "conf", "params.yaml")
    edited(project / "params.yaml", "- vanilla", "- multiply\n- vanilla")
    edited(project / "conf" / "model" / "vanilla.yaml", "dropout: 0.0", "dropout: 0.01")
    rate = project / "conf" / "tuned" / "phrasebook" / "multiply.yaml"
    rate.parent.mkdir(parents=True, exist_ok=True)
    rate.write_text("# @package _global_\noptimization:\n  lr: 1.0e+38\n")
    report = (project / "reports" / "report.md").read_text(encoding="utf-8")
    failed = run(project, "dvc", "repro", "--keep-going", check=False)
    assert failed.returncode != 0
    (line,) = [line for line in failed.stderr.splitlines() if line.startswith("error: ")]
    assert f"{TASK}/multiply seed 1 has diverged" in line and "at step 2, in epoch 1" in line
    assert [path.name for path in (project / "runs" / TASK / "multiply" / "1" / "train").iterdir()] == ["failure.json"]
    assert [status for name, status in mlflow_runs(project) if name.startswith("multiply")] == ["FAILED"]
    assert (project / "reports" / "report.md").read_text(encoding="utf-8") == report
    waiting = set(json.loads(run(project, "dvc", "status", "--json").stdout))
    assert {stage for stage in waiting if stage.startswith(("train", "evaluate"))} == {
        f"{stage}@{TASK}-multiply-1" for stage in ("train", "evaluate")
    }

    settings = ("-S", f"tasks=[{TASK}]", "-S", f"models=[multiply,{','.join(ARMS)}]")
    failed = run(project, "python", "-m", "softalign", "run", "smoke", *settings, check=False)
    assert failed.returncode != 0
    assert f"The report: {project / 'reports' / 'index.html'}" in failed.stdout.splitlines()
    claims = json.loads((project / "reports" / "claims.json").read_text(encoding="utf-8"))["claims"]
    assert claims[0]["verdict"] == "not decided" and not claims[0]["missing"]  # divergence is an outcome
    (row,) = [row for row in claims[0]["rows"] if row["arm"] == "multiply"]
    assert (row["quantity"], row["effect"]) == ("share of diverged trainings", 1.0)
    assert "diverged at step 2" in (project / "reports" / "report.md").read_text(encoding="utf-8")

    rate.write_text("# @package _global_\noptimization:\n  lr: 0.01\n")
    run(project, "dvc", "repro", f"train@{TASK}-multiply-1")
    assert not (project / "runs" / TASK / "multiply" / "1" / "train" / "failure.json").exists()
