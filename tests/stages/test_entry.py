"""The command line of a stage: Hydra's grammar, params.yaml underneath, one line for a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from project import copy_project, run

from softalign.composition import compose_by_hand
from softalign.paths import Layout
from softalign.stages.entry import recorded

PROBE = """
import json
from softalign.typed import to_dict
from softalign.errors import UserError
from softalign.stages.entry import stage
from softalign.training.failure import DivergedError, Failure

@stage
def main(config, layout):
    if config.seed == 13:
        raise UserError("thirteen", "seed", "take another")
    if config.optimization.lr > 1:
        raise DivergedError("the arm", Failure("training loss", 2, 1, float("nan"), 3.0, None))
    print("shifted:", *config.data.shifted_tests)
    print(json.dumps([config.task.name, config.data.name, config.model.name, config.seed, layout.by_hand]))
    return 1.0 + config.optimization.lr

main()
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("a project"))
    (folder / "probe.py").write_text(PROBE)
    return folder


def jobs(output: str) -> list[list[object]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("[")]


def test_one_job(project: Path) -> None:
    (job,) = jobs(run(project, "python", "probe.py", "task=summarization", "model=multiply", "seed=2").stdout)
    assert job[:4] == ["summarization", "newsbriefs", "multiply", 2]
    assert str(job[4]).startswith("summarization-multiply-2-")


@pytest.mark.parametrize(
    "arguments", [["seed=3"], ["--multirun", "seed=3"], ["hydra.mode=MULTIRUN", "seed=3"], ["model=multiply-gru"]]
)
def test_what_params_yaml_takes_out_and_adds_is_taken_out_and_added_once(project: Path, arguments: list[str]) -> None:
    params = project / "params.yaml"
    before = params.read_text()
    changes = ["~data.shifted_tests.test_noise", "+data.shifted_tests.more={kind: noise, rate: 0.2}"]
    params.write_text(yaml.safe_dump(yaml.safe_load(before) | {"overrides": changes}))
    try:
        output = run(project, "python", "probe.py", *arguments).stdout
    finally:
        params.write_text(before)
    assert [line for line in output.splitlines() if line.startswith("shifted:")] == ["shifted: test_joined more"]


def test_a_sweep_over_tasks_gives_each_its_own_data(project: Path) -> None:
    found = jobs(run(project, "python", "probe.py", "--multirun", "task=translation,summarization", "seed=1,2").stdout)
    assert [job[:4] for job in found] == [
        ["translation", "phrasebook", "bahdanau", 1],
        ["translation", "phrasebook", "bahdanau", 2],
        ["summarization", "newsbriefs", "bahdanau", 1],
        ["summarization", "newsbriefs", "bahdanau", 2],
    ]
    assert len({job[4] for job in found}) == 4


@pytest.mark.parametrize("arm", [["model=multiply", "variant=[gru]"], ["model=multiply-gru"]])
def test_an_arm_with_variants_and_a_sweep_over_such_arms(project: Path, arm: list[str]) -> None:
    (job,) = jobs(run(project, "python", "probe.py", *arm).stdout)
    assert job[2] == "multiply-gru"
    found = jobs(run(project, "python", "probe.py", "--multirun", *arm, "optimization.lr=0.1,0.2").stdout)
    assert [each[2] for each in found] == ["multiply-gru"] * 2


def test_a_sweep_over_arms_and_their_controls(project: Path) -> None:
    arms = "model=vanilla,bahdanau-gru,vanilla-gru-as_bahdanau"
    found = jobs(run(project, "python", "probe.py", "--multirun", arms, "model.hidden_size=32").stdout)
    assert [job[2] for job in found] == ["vanilla", "bahdanau-gru", "vanilla-gru-as_bahdanau"]
    variants = jobs(
        run(project, "python", "probe.py", "--multirun", "model=vanilla", "variant=[],[as_bahdanau]").stdout
    )
    assert [job[2] for job in variants] == ["vanilla", "vanilla-as_bahdanau"]


def test_what_decoding_reads_does_not_move_a_run(project: Path) -> None:
    first = jobs(run(project, "python", "probe.py", "decoding=greedy").stdout)
    assert first == jobs(run(project, "python", "probe.py", "evaluation.bootstrap_samples=200").stdout)
    assert first != jobs(run(project, "python", "probe.py", "optimization.lr=0.5").stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["model=vanila"],
        ["--multirun", "model=vanila,multiply"],
        ["--multirun", "model=vanilla,multipy-gru"],
        ["--multirun", "task=translation,sumarization"],
        ["--multirun", "model=vanilla,multiply-gur"],
        ["model=vanilla,multiply"],
        ["seed=13"],
    ],
)
def test_a_mistake_is_one_line(project: Path, arguments: list[str]) -> None:
    failed = run(project, "python", "probe.py", *arguments, check=False)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert failed.stderr.startswith("error: ")


def test_a_training_that_diverges_is_one_line(project: Path) -> None:
    failed = run(project, "python", "probe.py", "optimization.lr=5", check=False)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1 and failed.stderr.startswith("error: the arm has diverged")


def test_in_a_sweep_the_others_go_on_and_the_status_tells(project: Path) -> None:
    swept = run(project, "python", "probe.py", "--multirun", "optimization.lr=5,0.002", "seed=1,2", check=False)
    assert [job[3] for job in jobs(swept.stdout)] == [1, 2]
    assert len(swept.stderr.splitlines()) == 2 and swept.returncode == 1


def test_a_sweeper_minimises_what_a_stage_returns(project: Path) -> None:
    """Optuna's, in Hydra's own grammar: a training that diverged is the worst of its trials, not its end."""
    sweeper = ["hydra/sweeper=optuna", "hydra/sweeper/sampler=grid", "hydra.sweeper.n_jobs=1", "hydra.sweep.dir=swept"]
    searched = "optimization.lr=choice(5.0,0.004,0.002,0.003)"
    done = run(project, "python", "probe.py", "--multirun", *sweeper, searched)
    assert len(jobs(done.stdout)) == 3 and done.stderr.count("has diverged") == 1
    best = yaml.safe_load((project / "swept" / "optimization_results.yaml").read_text())
    assert best["best_params"] == {"optimization.lr": 0.002} and best["best_value"] == pytest.approx(1.002)


def test_cfg_shows_what_would_run(project: Path) -> None:
    shown = run(project, "python", "probe.py", "task=summarization", "--cfg", "job", "--package", "data.name").stdout
    assert "newsbriefs" in shown


def test_cfg_shows_the_size_of_a_control(project: Path) -> None:
    line = ("model=vanilla-as_bahdanau", "model.hidden_size=32", "--cfg", "job", "--package", "model")
    shown = yaml.safe_load(run(project, "python", "probe.py", *line).stdout)
    assert shown["name"] == "vanilla-as_bahdanau" and shown["hidden_size"] > 32


def test_cfg_shows_the_rate_that_was_searched_for_a_variant(project: Path) -> None:
    own = project / "conf" / "tuned" / "phrasebook" / "vanilla-lstm.yaml"
    own.write_text("# @package _global_\noptimization:\n  lr: 0.0123\n")
    try:
        line = ("data=phrasebook", "model=vanilla-lstm", "--cfg", "job", "--package", "optimization.lr")
        assert float(run(project, "python", "probe.py", *line).stdout) == 0.0123
    finally:
        own.unlink()


def test_under_dvc_a_stage_reads_what_compose_recorded(project: Path) -> None:
    run(project, "python", "-m", "softalign.stages.compose")
    arm = project / "conf" / "model" / "multiply.yaml"
    before = arm.read_text()
    arm.write_text("an edit while DVC is running")
    try:
        output = run(
            project, "python", "probe.py", "task=translation", "model=multiply", "seed=2", DVC_STAGE="x"
        ).stdout
    finally:
        arm.write_text(before)
    assert jobs(output) == [["translation", "phrasebook", "multiply", 2, None]]
    of_a_task = jobs(run(project, "python", "probe.py", "task=summarization", DVC_STAGE="x").stdout)
    assert of_a_task[0][:2] == ["summarization", "newsbriefs"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["task=translation", "optimization.lr=0.5"], "takes task=, model= and seed="),
        (["model=multiply"], "takes task=, model= and seed="),
        (["task=translation", "model=vanila"], "no configuration of this arm"),
        (["task=poetry"], "no configuration of this arm"),
    ],
)
def test_under_dvc_what_was_not_recorded_is_refused(project: Path, arguments: list[str], says: str) -> None:
    run(project, "python", "-m", "softalign.stages.compose")
    failed = run(project, "python", "probe.py", *arguments, check=False, DVC_STAGE="x")
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1 and says in failed.stderr


def test_by_hand_and_under_dvc_the_configuration_is_the_same(project: Path) -> None:
    params = project / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("multiply, bahdanau", "bahdanau-gru, vanilla-as_bahdanau"))
    run(project, "python", "-m", "softalign.stages.compose")
    params.write_text(before)
    layout = Layout(project)
    for model in ("vanilla", "bahdanau-gru", "vanilla-as_bahdanau"):
        arguments = ["task=summarization", f"model={model}", "seed=3"]
        assert recorded(layout, arguments) == compose_by_hand(layout, arguments)
