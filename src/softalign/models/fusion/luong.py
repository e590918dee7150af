"""Attention after the cell, into an attentional vector, which is fed to the next step or not."""

from __future__ import annotations

import torch
from torch import Tensor

from softalign.config import ModelConfig
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.after import After
from softalign.models.fusion.attentional_vector import AttentionalVector
from softalign.models.fusion.base import Attending, FusionStep, register


@register("luong")
class Luong(After):
    """h̃_t = tanh(W [c_t; h_t]) (Luong et al. 2015, equation 5) is what the readout sees; h_t goes on in the recurrence,
    which so never learns what was attended to (see `After`)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.combine = AttentionalVector(config)

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return self.combine.of(context, hidden)


@register("luong_input_feeding")
class LuongInputFeeding(Attending):
    """Luong et al.'s decoder with input feeding (2015, section 3.3): h_t = cell([x_t; h̃_{t-1}], h_{t-1});
    e_ti = score(h_t, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i; h̃_t = tanh(W [c_t; h_t]), h̃_0 = 0.
    The readout sees h̃_t.
    With several layers h̃_{t-1} enters the bottom one, and h_t is the top one's state.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.combine = AttentionalVector(config)

    @staticmethod
    def context_size(config: ModelConfig) -> int:
        return config.hidden_size

    def start(self, hidden: tuple[Tensor, ...], cells: tuple[Tensor, ...], encoded: EncoderOutput) -> State:
        return State(hidden, cells, fed=(torch.zeros_like(hidden[-1]),))

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        state = self.cell(projected, state, state.fed[0])
        context, weights = self.attend(state.top, encoded)
        fused = self.combine.of(context, state.top)
        return FusionStep(fused, State(state.hidden, state.cells, (fused,)), weights)
