"""Every configuration composes; an unknown name is refused with the known ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from project import ROOT, copy_project

from softalign.composition import base_of, compose, compose_arm, compose_by_hand, first_job
from softalign.errors import UserError
from softalign.params import read_params
from softalign.paths import Layout
from softalign.typed import to_dict

LAYOUT = Layout(ROOT)


def files_of(group: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


@pytest.mark.parametrize(
    "override",
    [
        f"{group}={name}"
        for group in ("data", "task", "model", "optimization", "decoding", "trainer")
        for name in files_of(group)
    ],
)
def test_every_file_of_conf_composes(override: str) -> None:
    group, name = override.split("=")
    config = compose(LAYOUT, [override, *(["data.source.path=here"] if override == "data=files" else [])])
    if group in ("data", "task", "model"):
        assert getattr(config, group).name == name  # the name in the tables is that of the file


@pytest.mark.parametrize("experiment", files_of("experiment"))
@pytest.mark.parametrize("model", files_of("model"))
def test_every_experiment_composes_with_every_arm(experiment: str, model: str) -> None:
    assert compose(LAYOUT, [f"experiment={experiment}", f"model={model}"]).model.name == model


def test_arms_differ_in_nothing_but_their_attention() -> None:
    """The comparison is fair only if every other option of the arms is the same."""
    arms = [to_dict(compose(LAYOUT, [f"model={name}"]))["model"] for name in files_of("model")]
    own = {"name", "fusion", "score", "attention_size"}
    assert len({yaml.safe_dump({key: value for key, value in arm.items() if key not in own}) for arm in arms}) == 1
    assert {arm["cell"] for arm in arms} == {"elman"}


def test_params_name_the_data_of_each_task() -> None:
    params = replace(read_params(LAYOUT.params), overrides=["optimization.lr=0.5"])
    assert compose_arm(LAYOUT, params, "summarization", "vanilla").data.name == params.data["summarization"]
    assert compose_arm(LAYOUT, params, "translation", "vanilla").optimization.lr == 0.5


def test_a_run_by_hand_composes_what_dvc_would() -> None:
    params = read_params(LAYOUT.params)
    by_hand = compose_by_hand(LAYOUT, ["task=summarization", "model=multiply", "seed=2"])
    assert by_hand == replace(compose_arm(LAYOUT, params, "summarization", "multiply"), seed=2)
    assert base_of(LAYOUT, ["task=summarization"])[1] == f"data={params.data['summarization']}"
    assert base_of(LAYOUT, [])[0] == "task=translation"


def test_the_first_job_of_a_sweep() -> None:
    line = ["model=vanilla,multiply", "seed=range(3,5)", "optimization.lr=0.1", "+optimization.patience=choice(1,2)"]
    assert first_job(line) == ["model=vanilla", "seed=3", "optimization.lr=0.1", "+optimization.patience=1"]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("model=vanila", ["unknown model 'vanila'", "did you mean 'vanilla'", "bahdanau", "multiply"]),
        ("model.hiden_size=3", ["unknown key 'hiden_size'", "did you mean 'hidden_size'", "embedding_size"]),
        ("+model.hiden_size=3", ["unknown key 'hiden_size'", "did you mean 'hidden_size'", "embedding_size"]),
        ("~model.hiden_size", ["unknown key 'hiden_size'", "embedding_size"]),
        ("data.source.revisoin=x", ["unknown key 'revisoin'", "did you mean 'revision'", "train_rows"]),
        ("+data.source.revisoin=x", ["unknown key 'revisoin'", "train_rows"]),
        ("optimizer.lr=1", ["unknown key 'optimizer'", "did you mean 'optimization'", "trainer"]),
        ("data.source.kind=ftp", ["'ftp'", "embedded, hub, files"]),
        ("model.hidden_size=wide", ["'wide'", "model.hidden_size", "Integer"]),
        ("model.hidden_size=???", ["no value for model.hidden_size"]),
        (
            "+data.shifted_tests.x={kind: rain, rate: 0.1}",
            ["unknown kind 'rain'", "data.shifted_tests.x.kind", "hub, files, noise"],
        ),
        ("+data.shifted_tests.x={kind: noise, rat: 0.1}", ["unknown key 'rat'", "data.shifted_tests.x", "rate, seed"]),
        ("+data.shifted_tests.x={kind: noise}", ["no value for data.shifted_tests.x.rate"]),
        ("+data.shifted_tests.x={kind: noise, rate: high}", ["'high'", "data.shifted_tests.x.rate"]),
        (
            "data.shifted_tests.absent.rate=0.1",
            ["no shifted test set data.shifted_tests.absent", "+data.shifted_tests"],
        ),
        ("optimization.lr", ["cannot parse the override", "key=value"]),
        ("optimization.lr=[1", ["cannot parse the override"]),
        ("model={a: 1}", ["model"]),
        ("experiment=null", ["Config group override", "params.yaml (experiment: null)"]),
    ],
)
def test_a_mistake_is_one_line_that_names_what_is_known(override: str, says: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        compose(LAYOUT, [override])
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in says), message


def test_an_experiment_that_does_not_fit_the_data_is_named() -> None:
    with pytest.raises(UserError, match="'train_rows'.* or it is the experiment smoke that does not fit the data"):
        compose(LAYOUT, ["data=multi30k", "experiment=smoke"])


def test_a_mistake_in_a_file_of_conf_is_found_too(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    arm = layout.conf / "model" / "vanilla.yaml"
    arm.write_text(arm.read_text().replace("hidden_size:", "hiden_size:"))
    with pytest.raises(UserError, match="unknown key 'hiden_size'.*did you mean 'hidden_size'"):
        compose(layout, ["model=vanilla"])
    arm.write_text("name: [vanilla\n")
    with pytest.raises(UserError, match="conf"):
        compose(layout, ["model=vanilla"])


def test_a_task_that_is_not_known() -> None:
    with pytest.raises(UserError, match="unknown task 'poetry'.*summarization, translation"):
        base_of(LAYOUT, ["task=poetry"])
