"""Arms that are alike in all but one thing, whatever they are called."""

from __future__ import annotations

from softalign.reporting.arms import alike, baseline_of, options_of

ADDITIVE = {"fusion": "bahdanau", "score": "additive", "attention_size": 64}


def test_the_baseline_is_told_by_its_options_and_not_by_its_name() -> None:
    made = {
        "vanilla": {"cell": "gru"},
        "plain": {},
        "normed": {"layer_norm": True},
        "small": {"hidden_size": 96},
        "relu": {"activation": "relu"},
        "attends": ADDITIVE | {"dropout": 0.2},
        "gru": ADDITIVE | {"cell": "gru", "activation": "relu"},
        "attends_relu": ADDITIVE | {"activation": "relu"},
        "attends_itself": ADDITIVE | {"self_attention": True},
    }
    arms = {name: options_of({"fusion": "vanilla", "hidden_size": 192} | options) for name, options in made.items()}
    assert {arm: baseline_of(arm, arms) for arm in arms} == {
        "vanilla": None,
        "plain": None,
        "normed": None,
        "small": None,
        "relu": None,
        "attends": "plain",
        "gru": "vanilla",  # the activation is that of the Elman cell
        "attends_relu": "relu",
        "attends_itself": None,
    }


def test_options_without_a_meaning_do_not_tell_arms_apart() -> None:
    assert alike(options_of({"cell": "lstm", "activation": "relu"}), options_of({"cell": "lstm"}), ())
    assert alike(options_of({"heads": 4}), options_of({}), ())
    assert not alike(options_of({"heads": 4, "self_attention": True}), options_of({"self_attention": True}), ())
    assert not alike(options_of({"activation": "relu"}), options_of({}), ())
