"""Values that have the right type and make no sense all the same: each is refused with what would be accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from softalign.config import CleaningConfig, Config, JoinedTest, ModelConfig
from softalign.errors import UserError
from softalign.models.options import check_decoding, check_model, check_vocabulary
from softalign.params import SEEDS
from softalign.tasks import KINDS, kind_of

Rule = tuple[Callable[[Any], bool], str]


def _at_least(low: float) -> Rule:
    return (lambda value: value is None or value >= low), f"at least {low:g}"


def _above(low: float) -> Rule:
    return (lambda value: value is None or value > low), f"above {low:g}"


def _within(low: float, high: float) -> Rule:
    return (lambda value: low <= value < high), f"at least {low:g} and below {high:g}"


def _one_of(*names: str) -> Rule:
    return (lambda value: value in names), f"one of {', '.join(names)}"


RULES: dict[str, Rule] = {
    "seed": _within(0, SEEDS),
    "task.name": (
        lambda name: kind_of(name) in KINDS and re.fullmatch(r"\w+", name) is not None,
        f"one of {', '.join(KINDS)}, alone or with _ and more behind it",
    ),
    "task.lead_words": _at_least(0),
    "data.source.train_rows": _at_least(1),
    "data.source.validation_rows": _at_least(1),
    "data.source.test_rows": _at_least(1),
    "data.source.train_limit": _at_least(1),
    "data.source.split_seed": _within(0, SEEDS),
    "data.cleaning.unicode_form": _one_of("NFC", "NFKC"),
    "data.cleaning.max_source_words": _at_least(1),
    "data.cleaning.max_target_words": _at_least(1),
    "data.cleaning.long_sources": _one_of("drop", "truncate"),
    "data.cleaning.train_min_source_words": _at_least(1),
    "data.cleaning.train_max_source_words": _at_least(1),
    "data.tokenizer.kind": _one_of("bpe", "word"),
    "data.tokenizer.vocabulary_size": _above(256 + 3),
    "data.tokenizer.min_frequency": _at_least(1),
    "optimization.lr": _above(0),
    "optimization.weight_decay": _at_least(0),
    "optimization.schedule": _one_of("constant", "cosine", "inverse_sqrt"),
    "optimization.warmup_steps": _at_least(0),
    "optimization.max_epochs": _at_least(1),
    "optimization.patience": _at_least(1),
    "optimization.clip_norm": _above(0),
    "optimization.label_smoothing": _within(0, 1),
    "optimization.batch_size": _at_least(1),
    "optimization.batch_unit": _one_of("sentences", "tokens"),
    "decoding.precision": _one_of("auto", "fp32", "bf16"),
    "evaluation.length_buckets": _at_least(1),
    "evaluation.bootstrap_samples": _at_least(100),
    "evaluation.bootstrap_seed": _at_least(0),
    "evaluation.randomisation_trials": _at_least(100),
    "evaluation.confidence": _within(0.5, 1),
    "evaluation.attention_examples": _at_least(0),
    "evaluation.sample_outputs": _at_least(0),
    "trainer.precision": _one_of("auto", "fp32", "bf16"),
    "trainer.accelerator": _one_of("auto", "cpu", "gpu", "cuda"),
    "trainer.threads": _at_least(1),
    "trainer.progress": _one_of("auto", "rich", "plain", "none"),
    "trainer.log_every_n_steps": _at_least(1),
}


TEXT_METRIC = _one_of("bleu", "chrf", "rouge1", "rouge2", "rougeL")
MATCH_METRIC = _one_of("exact_match", "token_accuracy")
HEADLINES = {  # by the kind of task: those that its outputs are scored by
    "translation": TEXT_METRIC,
    "summarization": TEXT_METRIC,
    "recall": MATCH_METRIC,
    "copy": MATCH_METRIC,
    "reverse": MATCH_METRIC,
}
SHIFTED_RULES: dict[str, dict[str, Rule]] = {  # by the kind of the test set
    "noise": {"rate": _within(0, 1), "seed": _at_least(0), "rows": _at_least(1)},
    "joined": {"sentences": _at_least(2)},
}
TAKEN = ("train", "validation", "test", "shorter", "longer")  # the last two: evaluation makes them of the test set


def check(config: Config) -> None:
    """Raise `UserError` for the first value of `config` that makes no sense."""
    check_model(config.model)
    _check_what_has_no_effect(config.model)
    check_vocabulary(config.model, config.data.tokenizer.shared)
    check_decoding(config.decoding)
    _check_rules(config, RULES, "")
    _check_rules(config, {"task.headline_metric": HEADLINES[kind_of(config.task.name)]}, "")
    _check_trained_lengths(config.data.cleaning)
    for name, test in config.data.shifted_tests.items():
        if not re.fullmatch(r"\w+", name) or name in TAKEN:
            raise UserError(
                f"a shifted test set cannot be called {name!r}",
                "data.shifted_tests",
                f"use letters, digits and _, and none of {', '.join(TAKEN)}",
            )
        _check_rules(test, SHIFTED_RULES.get(test.kind, {}), f"data.shifted_tests.{name}.")
        if isinstance(test, JoinedTest) and config.data.cleaning.long_sources == "truncate":
            raise UserError(
                "joined sources would be cut while their targets stay whole",
                f"data.shifted_tests.{name}",
                f"leave it out (~data.shifted_tests.{name}), or set data.cleaning.long_sources=drop",
            )


def _check_what_has_no_effect(model: ModelConfig) -> None:
    """Settings that would train the same network under another name."""
    if model.reverse_source and model.bidirectional:
        raise UserError(
            "an encoder that reads both ways has nothing to reverse",
            "model.reverse_source=true",
            "set model.bidirectional=false besides",
        )
    if model.cell != "elman" and model.activation != "tanh":
        raise UserError(
            f"the cell {model.cell} has its own activations",
            f"model.activation={model.activation}",
            "set it to tanh, or model.cell=elman",
        )


def _check_trained_lengths(cleaning: CleaningConfig) -> None:
    low, high = cleaning.train_min_source_words, cleaning.train_max_source_words
    if low is not None and high is not None and low > high:
        raise UserError(
            f"train_min_source_words={low} and train_max_source_words={high} leave nothing to train on",
            "data.cleaning",
            "the first must not be above the second",
        )


def _check_rules(config: Any, rules: dict[str, Rule], prefix: str) -> None:
    for key, (accepts, wanted) in rules.items():
        value: Any = config
        for step in key.split("."):
            value = getattr(value, step, None)
        if value is not None and not accepts(value):
            raise UserError(f"{prefix}{key}={value} makes no sense", "configuration", f"it must be {wanted}")
