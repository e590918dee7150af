"""Two transitions a step, with the attention between them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.cells import CELLS, State, input_weight
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.base import Attending, FusionStep, register
from softalign.models.options import memory_size
from softalign.models.recurrence import Given, Layer, Loop, Past, Read, ToGiven, Weight


@register("cgru")
class ConditionalGRU(Attending):
    """The conditional GRU of Nematus (Sennrich et al. 2017, section 2.1), named so whatever its cells are:

    s'_t = cell_1(x_t, s_{t-1}); e_ti = score(s'_t, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i;
    s_t = cell_2(c_t, s'_t). The readout sees [s_t; c_t].
    With several layers cell_1 is all of them, s'_t the top one's state, and cell_2, always one layer, moves that alone:
    s^L_t = cell_2(c_t, s'^L_t), and s^l_t = s'^l_t below. An LSTM's memory cell goes with its state.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.second = CELLS[config.cell](replace(config, layers=1), memory_size(config))

    @staticmethod
    def feature_size(config: ModelConfig) -> int:
        return config.hidden_size + memory_size(config)

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        state = self.cell(projected, state)
        context, weights = self.attend(state.top, encoded)
        gates = recurrence.linear(context, *input_weight(self.second.kernel, type(self.second)))
        moved = self.second(gates, State((state.top,), state.cells[-1:]))
        state = State((*state.hidden[:-1], moved.top), (*state.cells[:-1], *moved.cells), state.fed)
        return FusionStep(torch.cat((state.top, context), dim=-1), state, weights)

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        read = self._read(unroll, encoded)
        if read is None:
            return None
        weight, bias = input_weight(self.second.kernel, type(self.second))
        entry = Weight(weight, bias, recurrence.autocast_dtype(weight))
        return ConditionalLoop(self.cell.fast_layer(unroll, 0), read, self.second.fast_layer(unroll, 0), entry)


class ConditionalLoop(Loop):
    """The step of `ConditionalGRU` and its derivative."""

    def __init__(self, layer: Layer, read: Read, second: Layer, entry: Weight) -> None:
        super().__init__(layer, read)
        self.second = second
        self.entry = entry  # W_x of the second transition
        self.anchors += [*second.anchors, entry.anchor]
        self.hidden_size = layer.recurrent.value.size(-1)
        self.feature_size = self.hidden_size + read.memory.size(-1)

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Given, list[Tensor]]:
        between, cell_between, kept = self.layer.forward(gates, hidden, cell)
        context, weights, kept_by_read = self.read.forward(between)
        after, cell_after, kept_by_second = self.second.forward(self.entry.apply(context), between, cell_between)
        given = Given(torch.cat((after, context), dim=-1), after, cell_after, weights)
        carried = [between] if cell_between is None else [between, cell_between]
        return given, [context, *carried, *kept, *kept_by_second, *kept_by_read]

    def backward(self, to: ToGiven, past: Past) -> tuple[Tensor, Tensor, Tensor | None]:
        context, between, *kept = past.kept
        cell_between = kept.pop(0) if self.layer.carries_cell else None
        to_layer = self.layer.n_kept
        to_second = to_layer + self.second.n_kept
        to_after, to_context = to.features[:, : self.hidden_size], to.features[:, self.hidden_size :]
        if to.hidden is not None:
            to_after = to_after + to.hidden
        to_gates, to_between, to_cell = self.second.backward(
            to_after, to.cell, between, cell_between, kept[to_layer:to_second]
        )
        to_context = self.entry.backward(context, to_gates).add_(to_context)
        to_query = self.read.backward(to_context, to.weights, between, past.weights, kept[to_second:])
        assert to_query is not None
        return self.layer.backward(to_between.add_(to_query), to_cell, past.hidden, past.cell, kept[:to_layer])
