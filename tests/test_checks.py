"""Values of the right type that make no sense."""

from __future__ import annotations

import pytest
from project import ROOT

from softalign.checks import HEADLINES, RULES
from softalign.composition import compose
from softalign.errors import UserError
from softalign.paths import Layout
from softalign.tasks import KINDS


@pytest.mark.parametrize(
    "override",
    [
        "seed=-1",
        "seed=99999999999",
        "model.hidden_size=-3",
        "model.embedding_size=0",
        "model.layers=0",
        "model.dropout=1",
        "model.cell=lstmm",
        "model.fusion=vanila",
        "model.score=dott",
        "model.activation=sine",
        "decoding.beam_size=0",
        "decoding.batch_size=0",
        "decoding.max_length_ratio=-1",
        "optimization.lr=0",
        "optimization.lr=nan",
        "optimization.batch_unit=words",
        "optimization.max_epochs=0",
        "data.source.train_rows=-5",
        "data.tokenizer.vocabulary_size=100",
        "data.cleaning.unicode_form=NFX",
        "data.cleaning.train_max_source_words=0",
        "data.shifted_tests.test_noise.rate=1.5",
        "data.shifted_tests.test_noise.rows=0",
        "evaluation.confidence=95",
        "evaluation.bootstrap_seed=-1",
        "trainer.precision=fp8",
    ],
)
def test_a_senseless_value_is_refused_by_name(override: str) -> None:
    key, value = override.split("=")
    with pytest.raises(UserError) as caught:
        compose(Layout(ROOT), [override])
    assert key.split(".")[-1] in str(caught.value)
    assert value in str(caught.value)


def test_every_rule_names_a_key_of_the_configuration() -> None:
    embedded = compose(Layout(ROOT), [])
    hub = compose(Layout(ROOT), ["data=multi30k"])
    for key in RULES:
        for config in (embedded, hub):
            value: object = config
            for step in key.split("."):
                value = getattr(value, step, "absent")
            if value != "absent":
                break
        else:
            raise AssertionError(f"{key} is no key")


@pytest.mark.parametrize(
    ("task", "metric", "instead"),
    [
        ("translation", "exact_match", "bleu, chrf, rouge1, rouge2, rougeL"),
        ("summarization_low_resource", "token_accuracy", "bleu, chrf"),
        ("recall", "bleu", "exact_match, token_accuracy"),
        ("translation", "meteor", "bleu, chrf"),
    ],
)
def test_a_task_is_judged_by_a_metric_of_its_kind(task: str, metric: str, instead: str) -> None:
    overrides = [f"task={task}", "data=phrasebook"]
    with pytest.raises(UserError, match=f"task.headline_metric={metric} makes no sense.*one of {instead}"):
        compose(Layout(ROOT), [*overrides, f"task.headline_metric={metric}"])
    compose(Layout(ROOT), overrides)


def test_rows_are_drawn_by_a_seed_that_numpy_takes() -> None:
    with pytest.raises(UserError, match="data.source.split_seed=-1 makes no sense"):
        compose(Layout(ROOT), ["data=opus_books", "data.source.split_seed=-1"])


def test_every_kind_of_task_has_its_metrics() -> None:
    assert tuple(HEADLINES) == KINDS


@pytest.mark.parametrize(
    ("refused", "accepted"),
    [
        (["model.reverse_source=true"], ["model.bidirectional=false"]),
        (["model.cell=gru", "model.activation=relu"], ["model.cell=elman"]),
    ],
)
def test_a_setting_without_effect_is_refused(refused: list[str], accepted: list[str]) -> None:
    with pytest.raises(UserError, match=refused[-1]):
        compose(Layout(ROOT), refused)
    compose(Layout(ROOT), [*refused, *accepted])


@pytest.mark.parametrize("name", ["test", "longer", "a-b"])
def test_a_shifted_test_set_cannot_have_the_name_of_anything_else(name: str) -> None:
    with pytest.raises(UserError, match=f"cannot be called '{name}'"):
        compose(Layout(ROOT), [f"+data.shifted_tests.{name}={{kind: noise, rate: 0.1}}"])


def test_one_sentence_is_not_joined_and_joined_sources_are_never_cut() -> None:
    joined = "+data.shifted_tests.long={{kind: joined, sentences: {}}}"
    with pytest.raises(UserError, match="data.shifted_tests.long.sentences=1 makes no sense"):
        compose(Layout(ROOT), [joined.format(1)])
    with pytest.raises(UserError, match=r"joined sources would be cut .*~data\.shifted_tests\.long"):
        compose(
            Layout(ROOT), [joined.format(2), "~data.shifted_tests.test_joined", "data.cleaning.long_sources=truncate"]
        )


def test_lengths_that_leave_nothing_to_train_on() -> None:
    limits = ["data.cleaning.train_min_source_words=9", "data.cleaning.train_max_source_words=8"]
    with pytest.raises(UserError, match="train_min_source_words=9 and train_max_source_words=8"):
        compose(Layout(ROOT), limits)
