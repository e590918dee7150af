"""The context enters the cell."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.base import Attending, FusionStep, register
from softalign.models.options import memory_size
from softalign.models.recurrence import Given, Layer, Loop, Past, Read, ToGiven


@register("bahdanau")
class Bahdanau(Attending):
    """The context enters the cell (Bahdanau et al. 2015):

    e_ti = score(h_{t-1}, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i; h_t = cell([x_t; c_t], h_{t-1}).
    The readout sees [h_t; c_t].
    With several layers the top one's state is the query, and c_t enters the bottom one: e_ti = score(h^L_{t-1}, m_i);
    h^1_t = cell^1([x_t; c_t], h^1_{t-1}).
    """

    @staticmethod
    def context_size(config: ModelConfig) -> int:
        return memory_size(config)

    @staticmethod
    def feature_size(config: ModelConfig) -> int:
        return config.hidden_size + memory_size(config)

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        read = self._read(unroll, encoded)
        return None if read is None else BahdanauLoop(self.cell.fast_layer(unroll, 0), read)

    def for_beams(self, encoded: EncoderOutput) -> EncoderOutput:
        """With [m_i; W_c m_i] as values: W_c Σ_i α_i m_i = Σ_i α_i W_c m_i, a product a source token instead of one a
        hypothesis and step."""
        if not self.attention.sums_memory:
            return encoded
        assert self.cell.context is not None
        return replace(encoded, values=torch.cat((encoded.memory, self.cell.context(encoded.memory)), dim=-1))

    def query(self, state: State) -> Tensor:
        """What attends, (N, ...): h_{t-1}."""
        return state.top

    def look(self, state: State, encoded: EncoderOutput) -> tuple[Tensor, Tensor | None, Tensor]:
        """c_t (N, M); W_c c_t (N, G*H) where `for_beams` has multiplied, else None; α_t (N, S)."""
        context, weights = self.attend(self.query(state), encoded)
        if encoded.values is None:
            return context, None, weights
        context, through_weight = context.tensor_split([encoded.memory.size(-1)], dim=-1)
        return context, through_weight, weights

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        context, through_weight, weights = self.look(state, encoded)
        if through_weight is None:
            state = self.cell(projected, state, context)
        else:
            state = self.cell(projected + through_weight, state)
        return FusionStep(torch.cat((state.top, context), dim=-1), state, weights)


class BahdanauLoop(Loop):
    """c_t = read(h_{t-1}); h_t = cell([x_t; c_t], h_{t-1}); the features are [h_t; c_t]."""

    def __init__(self, layer: Layer, read: Read) -> None:
        super().__init__(layer, read)
        self.hidden_size = layer.recurrent.value.size(-1)
        self.feature_size = self.hidden_size + read.memory.size(-1)

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Given, list[Tensor]]:
        assert self.layer.context is not None
        context, weights, kept_by_read = self.read.forward(hidden)
        after, cell, kept = self.layer.forward(self.layer.context.add_to(gates, context), hidden, cell)
        return Given(torch.cat((after, context), dim=-1), after, cell, weights), [context, *kept, *kept_by_read]

    def backward(self, to: ToGiven, past: Past) -> tuple[Tensor, Tensor, Tensor | None]:
        assert self.layer.context is not None
        context, *kept = past.kept
        n_kept = self.layer.n_kept
        to_after, to_context = to.features[:, : self.hidden_size], to.features[:, self.hidden_size :]
        if to.hidden is not None:
            to_after = to_after + to.hidden
        to_gates, to_hidden, to_cell = self.layer.backward(to_after, to.cell, past.hidden, past.cell, kept[:n_kept])
        to_context = self.layer.context.backward(context, to_gates).add_(to_context)
        to_query = self.read.backward(to_context, to.weights, past.hidden, past.weights, kept[n_kept:])
        assert to_query is not None
        return to_gates, to_hidden.add_(to_query), to_cell
