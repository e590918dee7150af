"""The command, on a small corpus; and what it makes of its arguments."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path

import pytest
import yaml
from project import ROOT, copy_project, run
from tiny_arm import tiny_config, write_toy_data

from softalign.composition import compose_by_hand
from softalign.errors import UserError
from softalign.paths import Layout
from softalign.training.history import read_table
from softalign.tuning.record import read_trials
from softalign.tuning.search import Search, arms_of, command, tune

LAYOUT = Layout(ROOT)
DATA = ["data.source.train_rows=200", "data.source.validation_rows=30", "data.source.test_rows=30"]
SHORT = ["data.cleaning.max_source_words=12", "~data.shifted_tests.test_joined", "data.tokenizer.vocabulary_size=600"]
SIZES = ["model.hidden_size=16", "model.embedding_size=16", "optimization.max_epochs=1"]
SMALL = ["task=translation", *DATA, *SHORT, *SIZES]
RATES = "optimization.lr=choice(0.003,0.03)"
TUNE = ["python", "-m", "softalign", "tune", *SMALL]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("a project"))
    for stage in ("download", "prepare"):
        run(folder, "python", "-m", f"softalign.stages.{stage}", *SMALL)
    return folder


def test_a_search_is_kept_and_used(project: Path) -> None:
    layout = Layout(project)
    done = run(project, *TUNE, "model=vanilla,bahdanau", RATES)
    trials = read_trials(layout.tuning("phrasebook"))
    assert [(trial.arm, trial.trial) for trial in trials] == [
        (arm, number) for arm in ("bahdanau", "vanilla") for number in (1, 2)
    ]
    assert all(trial.epochs == trial.seed == 1 for trial in trials)
    assert {(trial.arm, trial.lr) for trial in trials} == set(itertools.product(("vanilla", "bahdanau"), (0.003, 0.03)))
    for arm in ("vanilla", "bahdanau"):
        best = min((trial for trial in trials if trial.arm == arm), key=lambda trial: trial.validation_loss)
        kept = layout.tuned("phrasebook", arm)
        assert yaml.safe_load(kept.read_text()) == {"optimization": {"lr": best.lr}}
        assert f"{arm}: optimization.lr={best.lr:.3g}" in done.stdout
        assert compose_by_hand(layout, [f"model={arm}"]).optimization.lr == best.lr
        again = shlex.split(kept.read_text().splitlines()[1].removeprefix("# "))
        assert again[:4] == TUNE[:4] and {*SMALL, RATES, f"model={arm}"} <= set(again)
    (said,) = (line for line in done.stderr.splitlines() if "with these overrides or without them" in line)
    assert "model.hidden_size=16" in said and "data.source.train_rows=200" in said and "max_epochs" not in said
    left = {path.name for path in project.iterdir()}
    assert not left & {"outputs", "multirun", "mlflow.db", "mlruns", "runs"}
    assert not [path for path in (project / ".softalign" / "work").iterdir() if path.is_dir()]

    run(project, "python", "-m", "softalign.stages.train", *SMALL, "model=vanilla", "tracking.enabled=false")
    (history,) = project.glob("outputs/*/train/history.csv")  # trained with the rate that was found, it does as well
    assert read_table(history)[0]["validation_loss"] == min(t.validation_loss for t in trials if t.arm == "vanilla")


def test_where_every_trial_diverges_nothing_is_changed_and_every_arm_is_tried(project: Path) -> None:
    before = sorted((project / "conf").rglob("*"))
    arms = "model=multiply,multiply_output"
    rates = ("optimization.lr=tag(log,interval(1e37,1e38))", "hydra.sweeper.n_trials=2")
    failed = run(project, *TUNE, arms, *rates, check=False)
    assert failed.returncode == 1 and failed.stdout.count("validation loss inf") == 4
    line = failed.stderr.splitlines()[-1]
    assert line.startswith("error: every trial of multiply and of multiply_output has diverged (optimization.lr from ")
    assert line.endswith("search lower, e.g. 'optimization.lr=choice(1e-5,1e-4)'")
    assert sorted((project / "conf").rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["model=vanila"], "unknown model 'vanila'"),
        (["optimization.lr=0.01"], "the learning rate is what is searched"),
        (["optimization.lr=choice(0.1,x)"], "not all of these are learning rates (optimization.lr=choice(0.1,x))"),
        (["optimization.lr=interval(0,1)"], "not all of these are learning rates"),
        (["seed=1,2"], "one value for everything but the arm (seed=1,2)"),
        (["model.hiden_size=3"], "unknown key 'hiden_size'"),
    ],
)
def test_a_mistake_is_one_line(project: Path, arguments: list[str], says: str) -> None:
    failed = run(project, "python", "-m", "softalign", "tune", *arguments, check=False)
    (line,) = failed.stderr.splitlines()
    assert failed.returncode == 1 and line.startswith("error: ") and says in line


def test_a_task_with_a_schedule_of_its_own_gives_no_rate_to_the_others(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    with pytest.raises(UserError, match=r"task alone.*\(task=translation_low_.*with task=translation data=phrasebook$"):
        tune(layout, ["task=translation_low_resource", "model=vanilla"])


def test_an_experiment_of_params_is_not_searched_under_by_accident(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(copy_project(tmp_path))
    params = yaml.safe_load(layout.params.read_text())
    layout.params.write_text(yaml.safe_dump(params | {"experiment": "smoke"}))
    with pytest.raises(UserError, match=r"the settings of the experiment smoke.*'~experiment'.*experiment=smoke"):
        tune(layout, ["task=translation", "model=vanilla"])
    for said in ("~experiment", "experiment=smoke"):
        with pytest.raises(SystemExit):
            tune(layout, ["task=translation", "model=vanilla", said])
        shown = capsys.readouterr().err
        assert "no prepared data" in shown  # as every trial finds, of which the first one is run
        assert ("searched with experiment=smoke: all commands" in shown) == (said == "experiment=smoke")


def test_a_finished_trial_of_an_interrupted_search_is_not_repeated(tmp_path: Path) -> None:
    config = tiny_config("vanilla")
    write_toy_data(Layout(tmp_path), config)
    first, again = Search(Layout(tmp_path)), Search(Layout(tmp_path))
    loss = first.trial(config, Layout(tmp_path))
    (checkpoint,) = tmp_path.glob(".softalign/work/*/best.ckpt")
    written = checkpoint.stat().st_mtime_ns
    assert again.trial(config, Layout(tmp_path)) == loss == first.trials[0].validation_loss
    assert again.trials == first.trials and again.trained == first.trained
    assert list(tmp_path.glob(".softalign/work/*/best.ckpt")) == [checkpoint]
    assert checkpoint.stat().st_mtime_ns == written


def test_nothing_is_discarded_before_the_last_arm_is_done(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(project)
    monkeypatch.setattr("softalign.tuning.search.report", interrupt)  # once vanilla has been searched
    with pytest.raises(KeyboardInterrupt):
        tune(Layout(project), [*SMALL, "model=vanilla,multiply", "optimization.lr=choice(0.001)"])
    left = list(project.glob(".softalign/work/*/best.ckpt"))
    assert len(left) == 1
    monkeypatch.setattr("softalign.tuning.search.report", lambda *_: None)
    tune(Layout(project), [*SMALL, "model=vanilla,multiply", "optimization.lr=choice(0.001)"])
    assert not list(project.glob(".softalign/work/*/best.ckpt"))


def test_arms_come_from_the_command_line_or_from_params() -> None:
    assert arms_of(LAYOUT, ["model=vanilla,multiply", "seed=2"]) == (["vanilla", "multiply"], ["seed=2"])
    assert arms_of(LAYOUT, ["model=vanilla"]) == (["vanilla"], [])
    wider = "optimization.lr=choice(1e-4,1e-1)"
    assert arms_of(LAYOUT, [wider]) == (["vanilla", "multiply", "bahdanau"], [wider])
    with pytest.raises(UserError, match="the learning rate is what is searched"):
        arms_of(LAYOUT, ["optimization.lr=0.1"])
    with pytest.raises(UserError, match="lower rate first"):
        arms_of(LAYOUT, ["optimization.lr=interval(0.1,0.01)"])


def test_the_command_says_what_params_say(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    params = yaml.safe_load(layout.params.read_text())
    overrides = ["model.cell=gru", "optimization.lr=0.002", "optimization.max_epochs=1"]
    layout.params.write_text(yaml.safe_dump(params | {"experiment": "smoke", "overrides": overrides}))
    said = shlex.split(command(layout, ["task=summarization", "optimization.max_epochs=3", "model=vanilla"]))
    assert said[4:] == [
        "task=summarization",
        "data=newsbriefs",
        "experiment=smoke",
        "model.cell=gru",
        "optimization.max_epochs=3",
        "model=vanilla",
    ]
    without = shlex.split(command(layout, ["task=summarization", "~experiment", "model=vanilla"]))
    assert not [text for text in without if text.startswith("experiment=")] and "~experiment" in without
