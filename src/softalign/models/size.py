"""The number of parameters of a model, and the hidden size that gives it as many as another. Nothing is trained."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import replace

import torch

from softalign.config import ModelConfig
from softalign.errors import UserError
from softalign.models.seq2seq import Seq2Seq

VOCABULARY = 8  # of both sides; its embeddings and deep output's last layer depend on the embedding size alone
OF_VOCABULARY = ("embedding_size", "tie_embeddings")  # with deep output, what its share of the parameters goes by


def parameter_count(config: ModelConfig, vocabulary: int = VOCABULARY) -> int:
    """The number of parameters, those of the vocabulary included: of shapes on torch's device without memory.

    Raises `UserError` for a configuration that cannot be built.
    """
    with torch.device("meta"):
        model = Seq2Seq(config, vocabulary, vocabulary, shared_vocabulary=True)
    return sum(parameter.numel() for parameter in model.parameters())


def added_parameters(config: ModelConfig, other: ModelConfig) -> int | None:
    """The number of parameters of `config` minus that of `other`, whatever the vocabulary that both have; None where it
    depends on the vocabulary, and where one of the two cannot be built.
    """
    alike = all(getattr(config, key) == getattr(other, key) for key in OF_VOCABULARY)
    if not (alike and config.deep_output and other.deep_output):
        return None
    try:
        return parameter_count(config) - parameter_count(other)
    except UserError:
        return None


def matched_hidden_size(config: ModelConfig, other: ModelConfig) -> int:
    """The hidden size with which `config` comes as near as it can to the parameter count of `other`.

    Both directions of the encoder and all heads get an equal share of it. Raises `UserError` where the two differ in
    what the vocabulary's share of the parameters depends on: then they would match for one vocabulary alone.
    """
    for key in OF_VOCABULARY:
        if getattr(config, key) != getattr(other, key):
            raise UserError(
                f"{config.fusion} cannot match the parameters of {other.name}: model.{key} is {getattr(config, key)} "
                f"for one and {getattr(other, key)} for the other",
                remedy="give both the same",
            )
    if not (config.deep_output and other.deep_output):
        raise UserError(
            f"{config.fusion} cannot match the parameters of {other.name} with model.deep_output=false: those of the "
            "output layer would depend on the vocabulary and the hidden size",
            remedy="set model.deep_output=true",
        )
    wanted = parameter_count(other)

    def count(size: int) -> int:
        return parameter_count(replace(config, hidden_size=size))

    step = math.lcm(2 if config.bidirectional and config.encoder_size is None else 1, config.heads)
    sizes = range(step, math.isqrt(wanted) + 2 * step, step)  # the recurrent matrix alone has H x H entries
    above = bisect_left(sizes, wanted, key=count)
    return min(sizes[max(above - 1, 0) : above + 1], key=lambda size: abs(count(size) - wanted))
