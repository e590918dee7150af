"""Context and state side by side, fed back."""

from __future__ import annotations

import torch
from torch import Tensor

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.attentional_vector import AttentionalVector
from softalign.models.fusion.base import register
from softalign.models.fusion.fed_back import FedBack, Fuse


@register("concat")
class Concat(FedBack):
    """h̃_t = tanh(W [c_t; ĥ_t]), fed back (see `FedBack`): Luong et al.'s attentional vector (2015, equation 5), which
    here replaces the recurrent state itself."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.combine = AttentionalVector(config)

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return self.combine.of(context, hidden)

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        return self.loop_of(Joined(unroll.weight(self.combine.weight)), unroll, encoded)


class Joined(Fuse):
    """tanh(W [c; h])."""

    def __init__(self, weight: recurrence.Weight) -> None:
        self.weight = weight
        self.anchors = (weight.anchor,)

    def forward(self, context: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        joined = torch.cat((context, hidden), dim=-1)
        return recurrence.tanh_of_half_(self.weight.apply(joined).mul_(2.0)), [joined]

    def backward(
        self, to_fused: Tensor, context: Tensor, hidden: Tensor, fused: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        (joined,) = kept
        to_joined = self.weight.backward(joined, torch.ops.aten.tanh_backward(to_fused, fused))
        size = context.size(-1)
        return to_joined[:, :size], to_joined[:, size:].contiguous()
