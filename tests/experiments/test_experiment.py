"""conf/experiment: each file composes with the arms, tasks and data that it wants, and `run` hands them to DVC."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import ROOT, copy_project, run

from softalign.__main__ import has_diverged
from softalign.composition import compose_arm
from softalign.errors import UserError
from softalign.experiments.experiment import Experiment, dvc_command, experiments, read_experiment
from softalign.params import KEYS, Params, read_params
from softalign.paths import Layout
from softalign.reporting.arms import options_of
from softalign.reporting.claims.catalogue import CLAIMS
from softalign.reporting.runs import TaskRuns
from softalign.tasks import kind_of

LAYOUT = Layout(ROOT)
EXPERIMENTS = {experiment.name: experiment for experiment in experiments(LAYOUT)}
ARMS = [(name, model) for name, experiment in EXPERIMENTS.items() for model in experiment.params.get("models", [])]
TINY = """# @package _global_
# python -m softalign run tiny      small
params:
  tasks: [translation]
  models: [vanilla-gru, vanilla-as_bahdanau]
  seeds: [3]
  overrides: ['optimization.lr=0.002', "data.source.train_rows=300"]
model:
  hidden_size: 32
"""


def params_of(experiment: Experiment) -> Params:
    """params.yaml as `run` leaves it."""
    now = read_params(LAYOUT.params)
    wanted = experiment.params | {"data": now.data | experiment.params.get("data", {}), "experiment": experiment.name}
    return Params(**(asdict(now) | wanted))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_leaves_nothing_to_what_params_yaml_holds(name: str) -> None:
    """Otherwise its outcome would depend on what ran before it."""
    params = EXPERIMENTS[name].params
    assert {"experiment", *params} == set(KEYS), f"give conf/experiment/{name}.yaml its params"
    assert set(params["data"]) == set(params["tasks"])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_begins_with_its_command_and_what_it_is_for(name: str) -> None:
    command = (ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[1]
    assert command == f"# python -m softalign run {name}      {EXPERIMENTS[name].about}"


@pytest.mark.parametrize(("name", "model"), ARMS)
def test_every_arm_of_an_experiment_composes(name: str, model: str) -> None:
    params = params_of(EXPERIMENTS[name])
    for task in params.tasks:
        config = compose_arm(LAYOUT, params, task, model)
        assert config.model.name == model
        assert config.data.name == params.data[task]


def test_the_default_experiment_is_what_repro_runs() -> None:
    params = read_params(LAYOUT.params)
    default = EXPERIMENTS["default"].params
    assert default == {key: getattr(params, key) for key in default if key != "data"} | {"data": default["data"]}
    assert default["data"].items() <= params.data.items()
    for task in params.tasks:
        for model in params.models:
            with_it = compose_arm(LAYOUT, replace(params, experiment="default"), task, model)
            assert with_it == compose_arm(LAYOUT, params, task, model)


def test_claims_have_what_they_need() -> None:
    claims = EXPERIMENTS["claims"].params
    assert len(claims["seeds"]) >= 3
    assert "vanilla-as_bahdanau" in claims["models"]
    assert all({arm, f"{arm}-relu"} <= set(claims["models"]) for arm in ("vanilla", "multiply"))
    kinds = {kind_of(task) for task in claims["tasks"]}
    for claim in CLAIMS:
        assert set(claim.tasks) <= kinds, claim.id
        assert not claim.made_for or set(claim.made_for) & set(claims["tasks"]), claim.id


@pytest.mark.parametrize("left_out", [None, "bahdanau-dot", "multiply_output", "multiply-relu"])
def test_every_claim_finds_two_arms_of_claims_to_compare(left_out: str | None) -> None:
    params = params_of(EXPERIMENTS["claims"])
    open_claims = set()
    for task in params.tasks:
        configs = {model: compose_arm(LAYOUT, params, task, model) for model in params.models if model != left_out}
        arms = {name: options_of(asdict(config.model)) for name, config in configs.items()}
        runs = TaskRuns(task, params.seeds, list(arms), arms, {}, [])
        for claim in CLAIMS:
            if runs.kind in claim.tasks and not any(pair.against for pair in claim.pairs(runs)):
                open_claims.add(claim.id)
        if task in ("translation", "summarization"):  # C14
            assert configs["vanilla"].data.shifted_tests and configs["vanilla"].evaluation.shifted_tests
    lost = {None: set(), "bahdanau-dot": {"C6"}, "multiply_output": {"C7"}, "multiply-relu": set()}
    assert open_claims == lost[left_out]


def test_the_ablation_changes_one_factor_at_a_time() -> None:
    """Each arm differs from the centre, bahdanau, in one of the groups of options that it is about."""
    factors = (
        ("cell", "activation"),
        ("layer_norm",),
        ("score", "attention_size", "heads"),
        ("fusion",),
        ("self_attention",),
    )
    params = params_of(EXPERIMENTS["ablation"])
    centre = compose_arm(LAYOUT, params, "translation", "bahdanau").model
    found = set()
    for name in params.models:
        model = compose_arm(LAYOUT, params, "translation", name).model
        if model.fusion == "vanilla":  # no attention, hence no score
            continue
        changed = [keys for keys in factors if any(getattr(model, key) != getattr(centre, key) for key in keys)]
        assert len(changed) == (name != "bahdanau"), (name, changed)
        found.update(changed)
    assert found == set(factors)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("params: {model: [vanilla]}", "unknown key 'model'.*conf/experiment/mine.yaml: params.*did you mean 'models'"),
        ("params: {seeds: ['1']}", "seeds must be a list of int.*conf/experiment/mine.yaml"),
        ("params: {experiment: smoke}", "params names an experiment.*leave it out"),
        ("params: [1]", r"params must map keys of params.yaml to values, not \[1\]"),
        ("- params", "params must map"),
        ("params: [", "not valid YAML"),
    ],
)
def test_a_mistake_in_params_of_an_experiment(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(content)
    with pytest.raises(UserError, match=says):
        read_experiment(Layout(tmp_path), "mine")


def test_the_command_sets_what_the_experiment_wants_and_no_more() -> None:
    wishes: dict[str, Any] = {"seeds": [1, 2], "data": {"translation": "multi30k", "poetry": "sonnets"}}
    command = dvc_command(Experiment("mine", "", wishes), read_params(LAYOUT.params), ["--queue", "-S", "seeds=[3]"])
    assert command == [
        *("dvc", "exp", "run", "--keep-going", "-S", "experiment=mine", "-S", "seeds=[1,2]"),
        *("-S", "data.translation=multi30k", "-S", "+data.poetry=sonnets"),
        *("--queue", "-S", "seeds=[3]"),
    ]
    assert dvc_command(Experiment("mine", "", wishes), read_params(LAYOUT.params)) == command[:-3]


@pytest.mark.parametrize(
    "given",
    [["-S", "models=vanilla"], ["-Stasks=[]"], ["--set-param=seeds=[ ]"], ["-S", "params.yaml:models='[vanilla]'"]],
)
def test_a_list_that_is_none_is_refused_before_dvc_reads_it(given: list[str]) -> None:
    with pytest.raises(UserError, match="(models|tasks|seeds) wants a list"):
        dvc_command(Experiment("mine", "", {}), read_params(LAYOUT.params), given)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("overrides=[optimization.lr=0.1]", r"not understood: .*\(-S overrides=.*each override in quotes"),
        ("overrides='optimization.lr=0.1'", "overrides wants a list"),
        ("model=[vanilla]", "unknown key 'model'.*did you mean 'models'"),
        ("params.yaml:optimization.lr=0.1", "unknown key 'optimization'.*known: tasks, models"),
    ],
)
def test_a_setting_that_is_none_of_params_yaml_is_refused_before_dvc_reads_it(setting: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        dvc_command(Experiment("mine", "", {}), read_params(LAYOUT.params), ["-S", setting])


def test_settings_of_other_files_are_left_to_dvc() -> None:
    given = ["-S", "conf/model/bahdanau.yaml:hidden_size=192"]
    assert dvc_command(Experiment("mine", "", {}), read_params(LAYOUT.params), given)[-2:] == given


@pytest.mark.parametrize("given", [["-S", "seeds=[1],[2]"], ["-S", "seeds=choice([1],[2])"], ["-m", "seeds=3 are few"]])
def test_sweeps_of_dvc_and_its_other_words_are_left_to_it(given: list[str]) -> None:
    assert dvc_command(Experiment("mine", "", {}), read_params(LAYOUT.params), given)[-2:] == given


def test_run_without_a_name_lists_the_experiments() -> None:
    listed = run(ROOT, "python", "-m", "softalign", "run").stdout.splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [[name, each.about] for name, each in EXPERIMENTS.items()]


def test_an_unknown_experiment_is_one_line() -> None:
    failed = run(ROOT, "python", "-m", "softalign", "run", "clams", check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(
        "error: unknown experiment 'clams' (conf/experiment): did you mean 'claims'? known:"
    )
    assert len(failed.stderr.splitlines()) == 1


def test_a_divergence_of_an_earlier_run_is_none_of_this_one(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    failure = layout.run("translation", "multiply", 1) / "train" / "failure.json"
    assert not has_diverged(layout, since=0)
    failure.parent.mkdir(parents=True)
    failure.touch()
    written = failure.stat().st_mtime
    assert has_diverged(layout, since=written - 1) and not has_diverged(layout, since=written + 1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("a project"))
    (folder / "conf" / "experiment" / "tiny.yaml").write_text(TINY)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "start"]):
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    return folder


def test_dvc_runs_the_experiment(project: Path) -> None:
    """The stage compose alone, for which DVC takes a further argument; the last -S of a key holds."""
    command = ("python", "-m", "softalign", "run", "tiny", "-S", "seeds=[4]", "compose")
    before = yaml.safe_load((project / "params.yaml").read_text())
    report = project / "reports" / "index.html"
    report.parent.mkdir()
    report.touch()
    output = run(project, *command).stdout
    assert str(report) not in output  # it is not of this run
    tiny = read_experiment(Layout(project), "tiny")
    assert shlex.split(output.splitlines()[0])[:6] == ["dvc", "exp", "run", "--keep-going", "-S", "experiment=tiny"]
    after = yaml.safe_load((project / "params.yaml").read_text())
    assert after == before | tiny.params | {"experiment": "tiny", "seeds": [4]}
    arms = {path.stem for path in (project / "resolved" / "translation").glob("*.yaml")}
    assert arms == {*tiny.params["models"], "data"}
    sizes = {
        arm: yaml.safe_load((project / "resolved" / "translation" / f"{arm}.yaml").read_text())["model"]["hidden_size"]
        for arm in tiny.params["models"]
    }
    assert sizes["vanilla-gru"] == 32 < sizes["vanilla-as_bahdanau"]
    stages = run(project, "dvc", "stage", "list", "--name-only").stdout.split()
    assert {f"train@translation-{arm}-4" for arm in tiny.params["models"]} <= set(stages)


def test_dvcs_exit_status_is_that_of_the_command(project: Path) -> None:
    failed = run(project, "python", "-m", "softalign", "run", "tiny", "no_such_stage", check=False)
    direct = run(project, "dvc", "exp", "run", "no_such_stage", check=False)
    assert failed.returncode == direct.returncode != 0
    assert "no_such_stage" in failed.stderr
