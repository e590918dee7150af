"""Attention after the cell, into an attentional vector, which is fed to the next step or not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.after import After
from softalign.models.fusion.base import Attending, FusionStep, register
from softalign.models.options import memory_size


def _combine(config: ModelConfig) -> nn.Linear:
    """W of tanh(W [c; h])."""
    linear = nn.Linear(memory_size(config) + config.hidden_size, config.hidden_size, bias=False)
    nn.init.xavier_uniform_(linear.weight)
    return linear


@register("luong")
class Luong(After):
    """h̃_t = tanh(W [c_t; h_t]) (Luong et al. 2015, equation 5) is what the readout sees; h_t goes on in the recurrence,
    which so never learns what was attended to (see `After`)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.combine = _combine(config)

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.combine(torch.cat((context, hidden), dim=-1)))


@register("luong_input_feeding")
class LuongInputFeeding(Attending):
    """Luong et al.'s decoder with input feeding (2015, section 3.3): h_t = cell([x_t; h̃_{t-1}], h_{t-1});
    e_ti = score(h_t, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i; h̃_t = tanh(W [c_t; h_t]), h̃_0 = 0.
    The readout sees h̃_t.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.combine = _combine(config)

    @staticmethod
    def context_size(config: ModelConfig) -> int:
        return config.hidden_size

    def start(self, hidden: tuple[Tensor, ...], cells: tuple[Tensor, ...], encoded: EncoderOutput) -> State:
        return State(hidden, cells, fed=(torch.zeros_like(hidden[-1]),))

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        state = self.cell(projected, state, state.fed[0])
        context, weights = self.attend(state.top, encoded)
        fused = torch.tanh(recurrence.linear(torch.cat((context, state.top), dim=-1), self.combine.weight))
        return FusionStep(fused, State(state.hidden, state.cells, (fused,)), weights)
