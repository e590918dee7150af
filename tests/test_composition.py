"""Every configuration composes; an unknown name is refused with the known ones."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from project import ROOT, copy_project, run

from softalign.composition import (
    base_of,
    check_choices,
    compose,
    compose_arm,
    compose_by_hand,
    first_job,
    spelled_out,
    tuned_file,
)
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
    shared = ["data.tokenizer.shared=true"] if "model=pointer" in override else []
    config = compose(LAYOUT, [override, *(["data.source.path=here"] if override == "data=files" else []), *shared])
    if group in ("data", "task", "model"):
        assert getattr(config, group).name == name  # the name in the tables is that of the file


def test_arms_differ_in_nothing_but_their_attention() -> None:
    """The comparison is fair only if every other option of the arms is the same."""
    shared = "data.tokenizer.shared=true"  # copying needs it
    arms = [to_dict(compose(LAYOUT, [f"model={name}", shared]))["model"] for name in files_of("model")]
    own = {"name", "fusion", "score", "attention_size"}
    assert len({yaml.safe_dump({key: value for key, value in arm.items() if key not in own}) for arm in arms}) == 1
    assert {arm["cell"] for arm in arms} == {"elman"}


def test_params_name_the_data_of_each_task() -> None:
    params = replace(read_params(LAYOUT.params), overrides=["optimization.lr=0.5"])
    assert compose_arm(LAYOUT, params, "summarization", "vanilla").data.name == params.data["summarization"]
    assert compose_arm(LAYOUT, params, "translation", "vanilla").optimization.lr == 0.5


def test_a_task_may_come_with_data_and_a_schedule_of_its_own() -> None:
    short, long, low_resource, whole = (
        compose_by_hand(LAYOUT, [f"task={task}", "model=multiply"])
        for task in ("translation_short", "translation_long", "translation_low_resource", "translation")
    )
    assert short.data.cleaning.train_max_source_words + 1 == long.data.cleaning.train_min_source_words
    assert low_resource.data.source.train_rows < whole.data.source.train_rows
    assert low_resource.optimization.max_epochs > whole.optimization.max_epochs
    assert [each.evaluation.shifted_tests for each in (whole, low_resource)] == [True, False]
    assert {each.optimization.lr for each in (short, long, low_resource, whole)} == {
        whole.optimization.lr
    }  # the searched one
    assert {each.task.headline_metric for each in (short, long, low_resource)} == {whole.task.headline_metric}
    given = compose_by_hand(LAYOUT, ["task=translation_low_resource", "model=multiply", "optimization.max_epochs=1"])
    assert given.optimization.max_epochs == 1
    assert compose_by_hand(LAYOUT, ["task=translation_low_resource", "experiment=smoke"]).optimization.max_epochs != 30


def test_a_run_by_hand_composes_what_dvc_would() -> None:
    params = read_params(LAYOUT.params)
    by_hand = compose_by_hand(LAYOUT, ["task=summarization", "model=multiply", "seed=2"])
    assert by_hand == replace(compose_arm(LAYOUT, params, "summarization", "multiply"), seed=2)
    assert base_of(LAYOUT, ["task=summarization"])[1] == f"data={params.data['summarization']}"
    assert base_of(LAYOUT, [])[0] == "task=translation"


@pytest.mark.parametrize("overrides", [["model=multiply-gru-general"], ["model=multiply-gru", "variant=[general]"]])
def test_a_variant_changes_what_it_names_and_no_more(overrides: list[str]) -> None:
    by_hand = ["model=multiply", "variant=[gru,general]"]
    config = compose(LAYOUT, overrides)
    assert config == compose(LAYOUT, by_hand)
    assert config.model == replace(
        compose(LAYOUT, ["model=multiply"]).model, name="multiply-gru-general", cell="gru", score="general"
    )


def test_the_arm_of_config_yaml_takes_variants_too() -> None:
    assert compose(LAYOUT, ["variant=gru"]) == compose(LAYOUT, ["model=bahdanau-gru"])


@pytest.mark.parametrize("variant", files_of("variant"))
def test_every_variant_sets_what_its_file_says_and_no_more(variant: str) -> None:
    said = yaml.safe_load((ROOT / "conf" / "variant" / f"{variant}.yaml").read_text(encoding="utf-8"))
    plain = compose(LAYOUT, ["model=bahdanau", "model.hidden_size=64"]).model
    model = compose(LAYOUT, [f"model=bahdanau-{variant}", "model.hidden_size=64"]).model
    assert said and model == replace(plain, name=f"bahdanau-{variant}", **said)


def test_spelling_out_twice_is_spelling_out_once() -> None:
    """A stage by hand composes what it has put on its own command line."""
    for name in ("vanilla-gru-as_bahdanau", "bahdanau-gru", "bahdanau"):
        once = spelled_out(LAYOUT, [f"model={name}", "model.embedding_size=64"])
        assert compose(LAYOUT, once) == compose(LAYOUT, [f"model={name}", "model.embedding_size=64"])
        assert compose(LAYOUT, once).model.name == name


def test_a_control_is_vanilla_but_for_its_size() -> None:
    overrides = ["model.hidden_size=48", "optimization.lr=0.3"]
    control = compose(LAYOUT, ["model=vanilla-gru-as_bahdanau", *overrides])
    vanilla = compose(LAYOUT, ["model=vanilla-gru", *overrides])
    assert control.model.hidden_size > 48
    assert replace(control.model, name=vanilla.model.name, hidden_size=48) == vanilla.model
    assert replace(control, model=vanilla.model) == vanilla


def test_variants_before_as_hold_for_both_and_those_after_it_for_the_other() -> None:
    sizes = {
        name: compose(LAYOUT, [f"model={name}"]).model.hidden_size
        for name in ("vanilla-as_bahdanau", "vanilla-as_bahdanau-gru", "vanilla-gru-as_bahdanau")
    }
    assert len(set(sizes.values())) == 3
    assert sizes["vanilla-as_bahdanau-gru"] == max(sizes.values())  # Elman cells beside the three gates of GRU cells
    assert compose(LAYOUT, ["model=vanilla-as_bahdanau-gru"]).model.cell == "elman"


def test_torch_is_imported_for_a_control_alone() -> None:
    script = (
        "import sys; from pathlib import Path; from softalign.composition import compose; "
        "from softalign.paths import Layout; compose(Layout(Path.cwd()), sys.argv[1:]); print('torch' in sys.modules)"
    )
    assert run(ROOT, "python", "-c", script, "model=vanilla-gru").stdout == "False\n"
    assert run(ROOT, "python", "-c", script, "model=vanilla-as_bahdanau").stdout == "True\n"


def test_an_experiment_that_would_set_nothing_is_refused(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    path = layout.conf / "experiment" / "mine.yaml"
    path.write_text("# mine\nmodel: {hidden_size: 8}\n")
    with pytest.raises(UserError, match="model: set for nobody.*conf/experiment/mine.yaml.*first line"):
        compose(layout, ["experiment=mine"])
    path.write_text("# @package _global_\nmodel: {hidden_size: 8}\n")
    assert compose(layout, ["experiment=mine"]).model.hidden_size == 8


@pytest.mark.parametrize(("group", "name"), [("task", "translation"), ("data", "phrasebook"), ("model", "multiply")])
def test_the_name_in_a_file_of_tasks_data_or_arms_is_the_files(group: str, name: str, tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    shutil.copy(layout.conf / group / f"{name}.yaml", layout.conf / group / f"{name}_mine.yaml")
    with pytest.raises(
        UserError, match=f"{group}.name is {name}, .*conf/{group}/{name}_mine.yaml.*write name: {name}_mine"
    ):
        compose(layout, ["task=translation", "data=phrasebook", f"{group}={name}_mine"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("defaults:\n - task: x\n\t- data: y\n", "not valid YAML.*config.yaml"),
        ("seed: 1\n", "its defaults name no task .*config.yaml"),
        ("defaults:\n- _self_\n", "its defaults name no task .*config.yaml"),
    ],
)
def test_a_mistake_in_config_yaml_is_one_line(content: str, says: str, tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    (layout.conf / "config.yaml").write_text(content)
    with pytest.raises(UserError, match=says):
        compose_by_hand(layout, ["model=vanilla"])


def test_no_experiment_is_not_one_called_none() -> None:
    with pytest.raises(UserError) as caught:
        compose_by_hand(LAYOUT, ["~experiment", "optimization.lr=abc"])
    assert "None" not in str(caught.value)


@pytest.mark.parametrize("override", ["variant=[gru]", "model=vanilla", "seed=4", "task=recall"])
def test_overrides_for_all_arms_do_not_rename_them(override: str) -> None:
    params = replace(read_params(LAYOUT.params), overrides=[override])
    with pytest.raises(
        UserError, match="params.yaml: overrides.*name the (arms in models|seeds in seeds|tasks in tasks)"
    ):
        compose_arm(LAYOUT, params, "translation", "bahdanau")


def test_the_first_job_of_a_sweep() -> None:
    line = ["model=vanilla,multiply", "seed=range(3,5)", "optimization.lr=0.1", "+optimization.patience=choice(1,2)"]
    assert first_job(line) == ["model=vanilla", "seed=3", "optimization.lr=0.1", "+optimization.patience=1"]
    assert first_job(["optimization.lr=tag(log,interval(1e-3,3e-2))"]) == ["optimization.lr=0.001"]
    with pytest.raises(UserError, match=r"glob\(\) is not understood \(model=glob\(\*\)\): name the choices"):
        first_job(["model=glob(*)"])


def test_choices_of_a_sweep_are_files_however_they_are_written() -> None:
    for line in (["model='vanilla',\"multiply-gru\"", "variant=[],[lstm]"], ["data=phrasebook.yaml,newsbriefs"]):
        check_choices(LAYOUT, [*line, "~experiment", "hydra/sweeper=optuna", "seed=1,2"])
    with pytest.raises(UserError, match="unknown data 'newsbreifs'.*did you mean 'newsbriefs'"):
        check_choices(LAYOUT, ["data=phrasebook,newsbreifs"])


@pytest.mark.parametrize("name", ["vanilla", "bahdanau-gru"])
def test_an_arm_is_not_called_by_anothers_name(name: str) -> None:
    with pytest.raises(UserError, match=f"model.name is {name}, .*conf/model/bahdanau.yaml"):
        compose(LAYOUT, ["model=bahdanau", f"model.name={name}"])


def test_a_tuned_rate_is_of_one_arm_on_one_data_set_and_the_last_word_wins(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    shutil.rmtree(layout.conf / "tuned", ignore_errors=True)
    default = compose(layout, []).optimization.lr
    path = layout.tuned("phrasebook", "vanilla")
    path.parent.mkdir(parents=True)
    path.write_text("# @package _global_\noptimization:\n  lr: 0.0123\n")

    def rate(*overrides: str) -> float:
        return compose(layout, overrides).optimization.lr

    tuned = ("data=phrasebook", "model=vanilla")
    assert rate(*tuned) == 0.0123
    assert rate("data=phrasebook", "model=multiply") == rate("data=newsbriefs", "model=vanilla") == default
    assert rate(*tuned, "experiment=smoke") == 0.0123  # says nothing of the rate
    (layout.conf / "experiment" / "mine.yaml").write_text("# @package _global_\noptimization:\n  lr: 0.004\n")
    assert rate(*tuned, "experiment=mine") == 0.004
    assert rate(*tuned, "optimization.lr=0.5") == rate(*tuned, "experiment=mine", "optimization.lr=0.5") == 0.5
    assert rate(*tuned, "~tuned") == default
    variant = ("data=phrasebook", "model=vanilla-gru")
    assert rate(*variant) == default and tuned_file(layout, "phrasebook", "vanilla-gru") is None  # another arm
    own = layout.tuned("phrasebook", "vanilla-gru")
    own.write_text("# @package _global_\noptimization:\n  lr: 0.02\n")
    assert rate(*variant, "~tuned") == default
    assert rate(*variant) == 0.02 and tuned_file(layout, "phrasebook", "vanilla-gru") == own
    assert rate(*tuned) == 0.0123 and tuned_file(layout, "newsbriefs", "vanilla") is None


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("model=vanila", ["unknown model 'vanila'", "did you mean 'vanilla'", "bahdanau", "multiply"]),
        ("model=vanila-gru", ["unknown model 'vanila'", "did you mean 'vanilla'"]),
        ("model=bahdanau-gur", ["unknown variant 'gur'", "did you mean 'gru'", "lstm", "as_vanilla"]),
        ("variant=[gru,nrom]", ["unknown variant 'nrom'", "conf/variant", "did you mean 'norm'"]),
        ("model=vanilla-as_bahdanu", ["unknown variant 'as_bahdanu'", "did you mean 'as_bahdanau'"]),
        ("model=vanilla-as_bahdanau-as_luong", ["one other only", "vanilla-as_bahdanau-as_luong"]),
        ("model=bahdanau-gru-gru", ["gru is named twice"]),
        ("model=bahdanau-gru-relu", ["model.cell is elman, and the variant gru says gru", "bahdanau-gru-relu"]),
        ("model=vanilla-dot", ["model.fusion=vanilla has no attention", "model.score=dot"]),
        ("model.hiden_size=3", ["unknown key 'hiden_size'", "did you mean 'hidden_size'", "embedding_size"]),
        ("+model.hiden_size=3", ["unknown key 'hiden_size'", "did you mean 'hidden_size'", "embedding_size"]),
        ("~model.hiden_size", ["unknown key 'hiden_size'", "embedding_size"]),
        ("data.source.path=x", ["the data chosen have no key 'path'", "of kind files have", "leave the others out"]),
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
        ("data.shifted_tests=5", ["expected sets by name, found 5", "data.shifted_tests"]),
        (
            "data.shifted_tests.absent.rate=0.1",
            ["no shifted test set data.shifted_tests.absent", "+data.shifted_tests"],
        ),
        ("optimization.lr", ["cannot parse the override", "key=value"]),
        ("optimization.lr=[1", ["cannot parse the override"]),
        ("model=vanilla-grü", ["cannot parse the override", "in quotes"]),
        ("model='vanilla-grü'", ["unknown", "did you mean 'gru'"]),
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


def test_an_override_that_undoes_what_the_arm_is_called_is_refused() -> None:
    with pytest.raises(UserError, match="model.cell is gru, and the variant lstm says lstm"):
        compose(LAYOUT, ["model=bahdanau-lstm", "model.cell=gru"])
    sized = compose(LAYOUT, ["model=multiply-additive", "model.attention_size=7"])  # a size is not in the name
    assert sized.model.attention_size == 7


def test_a_control_must_share_what_the_vocabulary_multiplies(tmp_path: Path) -> None:
    layout = Layout(copy_project(tmp_path))
    arm = layout.conf / "model" / "bahdanau.yaml"
    arm.write_text(arm.read_text().replace("embedding_size: 128", "embedding_size: 96"))
    with pytest.raises(UserError, match="model.embedding_size is 128 for one and 96 for the other"):
        compose(layout, ["model=vanilla-as_bahdanau"])


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


def test_a_task_with_settings_of_its_own_that_does_not_fit_the_data() -> None:
    with pytest.raises(UserError, match="'train_rows'.* or it is the task translation_low_resource that does not fit"):
        compose(LAYOUT, ["task=translation_low_resource", "data=multi30k"])


def test_a_task_that_is_not_known() -> None:
    with pytest.raises(UserError, match="unknown task 'poetry'.*summarization, .*translation"):
        base_of(LAYOUT, ["task=poetry"])
