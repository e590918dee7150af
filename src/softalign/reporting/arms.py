"""Which arms are alike in all but one thing: told by their configurations, never by their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import Any

from softalign.config import ModelConfig

PLAIN = "vanilla"  # the fusion without attention
ATTENTION = ("fusion", "score", "attention_size", "heads")  # what an arm with attention has beyond a plain


def options_of(model: Mapping[str, Any]) -> ModelConfig:
    """The model part of a run's config.yaml; what has no meaning for the arm is set to its default, so that arms that
    compute the same are equal.
    """
    default = ModelConfig()
    content = {field.name: model.get(field.name, getattr(default, field.name)) for field in fields(ModelConfig)}
    if content["cell"] != "elman":
        content["activation"] = default.activation
    if content["score"] != "multi_head" and not content["self_attention"]:
        content["heads"] = default.heads
    return ModelConfig(**content)


def alike(a: ModelConfig, b: ModelConfig, but: Collection[str]) -> bool:
    """Whether two arms have all options in common, those named in `but` and their own names aside."""
    one, other = asdict(a), asdict(b)
    return all(one[key] == other[key] for key in one if key not in (*but, "name"))


def baseline_of(arm: str, arms: Mapping[str, ModelConfig]) -> str | None:
    """The arm without attention whose cell, sizes and encoder are those of `arm`; None where there is none.

    Dropout may differ, for it is a matter of training. The encoder's self-attention may not, nor its heads.
    """
    own = arms[arm]
    but = {*ATTENTION, "dropout"} - ({"heads"} if own.self_attention and own.score != "multi_head" else set())
    for name, other in arms.items():
        if name != arm and own.fusion != PLAIN and other.fusion == PLAIN and alike(own, other, but):
            return name
    return None
