"""What conf/model and conf/decoding may ask for, checked without importing torch: early, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from softalign.config import DecodingConfig, ModelConfig
from softalign.errors import UserError


@dataclass(frozen=True)
class FusionOption:
    """What an arm asks of the rest of the configuration; its class, registered under the same name, is in fusion/."""

    attends: bool  # needs a score
    elementwise: bool = False  # combines memory and hidden state entry by entry: their sizes must be equal
    score: str | None = None  # the one score that it is defined for
    copies: bool = False  # copies ids of the source: both sides must share a vocabulary


@dataclass(frozen=True)
class ScoreOption:
    """What an attention score asks of the rest of the configuration; its class is in attention.py."""

    sized: bool = False  # needs attention_size
    headed: bool = False  # has model.heads heads, which share the memory's size
    inner_product: bool = False  # of memory and hidden state: their sizes must be equal


FUSIONS = {
    "vanilla": FusionOption(attends=False),
    "multiply": FusionOption(attends=True, elementwise=True),
    "multiply_output": FusionOption(attends=True, elementwise=True),
    "multiply_residual": FusionOption(attends=True, elementwise=True),
    "multiply_gate": FusionOption(attends=True),
    "multiply_norm": FusionOption(attends=True, elementwise=True),
    "bahdanau": FusionOption(attends=True),
    "luong": FusionOption(attends=True),
    "luong_input_feeding": FusionOption(attends=True),
    "concat": FusionOption(attends=True),
    "gated_source": FusionOption(attends=True),
    "gated_target": FusionOption(attends=True),
    "gated_both": FusionOption(attends=True),
    "cgru": FusionOption(attends=True),
    "pointer": FusionOption(attends=True, copies=True),
    "pointer_coverage": FusionOption(attends=True, score="additive", copies=True),
}
SCORES = {
    "dot": ScoreOption(inner_product=True),
    "scaled_dot": ScoreOption(inner_product=True),
    "general": ScoreOption(),
    "additive": ScoreOption(sized=True),
    "location": ScoreOption(sized=True),
    "uniform": ScoreOption(),
    "multi_head": ScoreOption(headed=True),
}
CELLS = ("elman", "gru", "lstm")
ACTIVATIONS = ("tanh", "relu")


def memory_size(config: ModelConfig) -> int:
    """M, the size of one memory vector m_i: both directions of the encoder together."""
    return config.hidden_size if config.encoder_size is None else config.encoder_size


def check_model(config: ModelConfig) -> None:
    """Raise `UserError` for a model that cannot be built; the message names the key and what it may be."""
    _check_name("fusion", config.fusion, FUSIONS)
    _check_name("cell", config.cell, CELLS)
    _check_name("activation", config.activation, ACTIVATIONS)
    if config.score is not None:
        _check_name("score", config.score, SCORES)
    for key in ("layers", "heads", "embedding_size", "hidden_size", "encoder_size", "attention_size"):
        size = getattr(config, key)
        if size is not None and size < 1:
            raise UserError(f"model.{key} is {size}", remedy="give a whole number of 1 or more")
    if not 0.0 <= config.dropout < 1.0:
        raise UserError(f"model.dropout is {config.dropout}", remedy="give a number from 0 up to, not including, 1")
    if config.tie_embeddings and not config.deep_output:
        raise UserError(
            "model.tie_embeddings=true needs an output layer of the embedding's size, but model.deep_output is false",
            remedy="set model.tie_embeddings=false, or model.deep_output=true",
        )
    _check_sizes(config)
    _check_attention(config)
    _check_heads(config)


def check_vocabulary(config: ModelConfig, shared: bool) -> None:
    """Raise `UserError` for an arm that copies from the source where source and target ids differ in meaning."""
    if FUSIONS[config.fusion].copies and not shared:
        raise UserError(
            f"model.fusion={config.fusion} copies from the source and needs one vocabulary for both sides",
            remedy="set data.tokenizer.shared=true",
        )


def check_decoding(config: DecodingConfig) -> None:
    """Raise `UserError` for a search that cannot run; the message names the key and what it may be."""
    for key in ("beam_size", "batch_size"):
        if getattr(config, key) < 1:
            raise UserError(f"decoding.{key} is {getattr(config, key)}", remedy="give a whole number of 1 or more")
    for key in ("length_penalty", "max_length_ratio", "max_length_offset"):
        value = getattr(config, key)
        if not 0 <= value < math.inf:
            raise UserError(f"decoding.{key} is {value}", remedy="give a number of 0 or more")
    if config.max_length_ratio + config.max_length_offset == 0:
        raise UserError(
            "decoding.max_length_ratio and decoding.max_length_offset are both 0 and allow no token",
            remedy="raise one of them",
        )


def _check_name(key: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UserError(f"unknown model.{key} {name!r}", remedy=f"known: {', '.join(known)}")


def _check_sizes(config: ModelConfig) -> None:
    size = memory_size(config)
    if config.bidirectional and size % 2:
        key = "hidden_size" if config.encoder_size is None else "encoder_size"
        raise UserError(
            f"model.{key} is {size}, odd, and each direction of the encoder gets half of it",
            remedy="give an even size, or model.bidirectional=false",
        )


def _check_attention(config: ModelConfig) -> None:
    fusion = FUSIONS[config.fusion]
    if config.score is None:
        if fusion.attends:
            raise UserError(f"model.fusion={config.fusion} needs a score", remedy=f"model.score: {', '.join(SCORES)}")
        return
    if not fusion.attends:
        raise UserError(
            f"model.fusion={config.fusion} has no attention, so model.score={config.score} has no meaning",
            remedy="set model.score=null",
        )
    if fusion.score is not None and config.score != fusion.score:
        raise UserError(
            f"model.fusion={config.fusion} is defined for one score, and model.score is {config.score}",
            remedy=f"set model.score={fusion.score}",
        )
    score = SCORES[config.score]
    if score.sized and config.attention_size is None:
        raise UserError(f"model.score={config.score} needs model.attention_size", remedy="for example 128")
    if memory_size(config) != config.hidden_size:
        needs = [f"model.fusion={config.fusion}"] * fusion.elementwise + [
            f"model.score={config.score}"
        ] * score.inner_product
        if needs:
            raise UserError(
                f"{needs[0]} needs memory and hidden state of one size, but model.encoder_size is "
                f"{config.encoder_size} and model.hidden_size is {config.hidden_size}",
                remedy="set model.encoder_size=null",
            )


def _check_heads(config: ModelConfig) -> None:
    if config.self_attention and not FUSIONS[config.fusion].attends:
        raise UserError(
            f"model.fusion={config.fusion} reads no memory, so model.self_attention=true has no meaning",
            remedy="set model.self_attention=false",
        )
    headed = [f"model.score={name}" for name, score in SCORES.items() if score.headed]
    having = [f"model.score={config.score}"] * (config.score is not None and SCORES[config.score].headed)
    having += ["model.self_attention=true"] * config.self_attention
    if not having and config.heads != 1:
        raise UserError(
            f"model.heads is {config.heads}, and nothing in this model has heads",
            remedy=f"set model.heads=1, or {' or '.join(headed)}, or model.self_attention=true",
        )
    if having and memory_size(config) % config.heads:
        key = "hidden_size" if config.encoder_size is None else "encoder_size"
        raise UserError(
            f"{having[0]} divides the memory's size among its heads, but model.{key} is {memory_size(config)} and "
            f"model.heads is {config.heads}",
            remedy=f"give a model.heads that divides {memory_size(config)}",
        )
