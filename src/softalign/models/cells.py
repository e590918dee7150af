"""Recurrent cells, one step or a whole sequence at a time, on the same weights.

Notation: N rows (sentences, or sentences x beam), T target length, I input size, C context size, H hidden size,
G gates of a cell (elman 1, gru 3, lstm 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence, transitions
from softalign.models.dropout import dropout
from softalign.models.transitions import ElmanTransition, GRUTransition, LSTMTransition, Transition


@dataclass(frozen=True)
class State:
    """What a decoder carries from one step to the next; every tensor has N rows."""

    hidden: tuple[Tensor, ...]  # per layer, bottom first: h (N, H)
    cells: tuple[Tensor, ...] = ()  # per layer: the LSTM's memory cell (N, H); empty for elman and gru
    fed: tuple[Tensor, ...] = ()  # what an arm hands on beside the recurrence, each (N, ...)

    @property
    def top(self) -> Tensor:
        """The top layer's hidden state (N, H)."""
        return self.hidden[-1]

    def with_top(self, hidden: Tensor) -> State:
        """The same state with the top layer's hidden state replaced; an LSTM's memory cell stays."""
        return replace(self, hidden=(*self.hidden[:-1], hidden))

    def select(self, rows: Tensor) -> State:
        """The rows of these indices (N',), in this order: beams are reordered, finished sentences dropped."""
        return State(*(tuple(part[rows] for part in parts) for parts in (self.hidden, self.cells, self.fed)))


def recurrent_kernel(config: ModelConfig, input_size: int, hidden_size: int, layers: int) -> nn.RNNBase:
    """torch's recurrent network of the configured cell, batch first, with dropout between its layers.

    Recurrent matrices start orthogonal (Saxe et al. 2014), one per gate; input matrices start Glorot uniform; biases
    start at zero, but the LSTM's forget gate at one (Gers et al. 2000). A layer-normalised cell has no biases here.
    """
    cell = CELLS[config.cell]
    dropout = config.dropout if layers > 1 else 0.0  # torch warns about dropout between the layers of one layer
    options: dict[str, Any] = {"batch_first": True, "dropout": dropout, "bias": not config.layer_norm}
    if config.cell == "elman":
        options["nonlinearity"] = config.activation
    kernel = cell.kernel_class(input_size, hidden_size, layers, **options)
    for name, parameter in kernel.named_parameters():
        if "weight" in name:
            initialise = nn.init.orthogonal_ if "_hh_" in name else nn.init.xavier_uniform_
            for gate in parameter.data.chunk(cell.gates):
                initialise(gate)
        else:
            nn.init.zeros_(parameter)
            if config.cell == "lstm" and "_ih_" in name:
                nn.init.ones_(parameter.data.chunk(cell.gates)[1])  # torch's order: input, forget, cell, output
    return kernel


def run_kernel(kernel: nn.RNNBase, inputs: Tensor, state: State | None = None) -> Tensor:
    """The top layer's hidden states (N, T, H) over inputs (N, T, I), from a state or from zeros."""
    start = [] if state is None else [torch.stack(parts) for parts in (state.hidden, state.cells) if parts]
    device = inputs.device.type
    # Under autocast torch 2.13 hands an LSTM on a CPU to oneDNN, which refuses it, and on a GPU computes every kernel
    # in fp16, whatever numbers autocast is for: gradients below its range would vanish, for nothing scales the loss.
    refused = isinstance(kernel, nn.LSTM) if inputs.is_cpu else inputs.is_cuda
    if not (refused and torch.is_autocast_enabled(device)):
        return _run(kernel, inputs, start)
    dtype = next(kernel.parameters()).dtype
    with torch.autocast(device, enabled=False):
        outputs = _run(kernel, inputs.to(dtype), [part.to(dtype) for part in start])
    return outputs.to(torch.get_autocast_dtype(device)) if inputs.is_cuda else outputs


def _run(kernel: nn.RNNBase, inputs: Tensor, start: list[Tensor]) -> Tensor:
    if not start:
        return kernel(inputs)[0]
    return kernel(inputs, tuple(start) if isinstance(kernel, nn.LSTM) else start[0])[0]


def input_weight(kernel: nn.RNNBase, cell: type[Cell], layer: int = 0) -> tuple[Tensor, Tensor | None]:
    """W_x (G*H, I) of a layer, and the bias (G*H,) that is added to W_x x, where there is one."""
    if not kernel.bias:
        return getattr(kernel, f"weight_ih_l{layer}"), None
    bias = getattr(kernel, f"bias_ih_l{layer}")
    if cell.recurrent_bias_joins:
        bias = bias + getattr(kernel, f"bias_hh_l{layer}")
    return getattr(kernel, f"weight_ih_l{layer}"), bias


def recurrent_weight(kernel: nn.RNNBase, cell: type[Cell], layer: int = 0) -> tuple[Tensor, Tensor | None]:
    """W_h (G*H, H) of a layer, and the bias (G*H,) that stays with W_h h, where there is one."""
    bias = None if cell.recurrent_bias_joins or not kernel.bias else getattr(kernel, f"bias_hh_l{layer}")
    return getattr(kernel, f"weight_hh_l{layer}"), bias


class Cell(nn.Module):
    """A stack of recurrent layers h_t = cell([x_t; c_t], h_{t-1}).

    The input matrix is kept in two parts: W_x x_t is known for all steps beforehand (`project`), W_c c_t only in its
    step. Subclasses name one layer's equation.
    """

    kernel_class: ClassVar[Callable[..., nn.RNNBase]]
    transition_class: ClassVar[type[Transition]]  # one layer's equation
    layer_class: ClassVar[type[recurrence.Layer]]  # the same equation on the fast path
    gates: ClassVar[int]
    recurrent_bias_joins: ClassVar[bool] = True  # W_h h + b_h is only ever added to W_x x + b_x: one bias for both

    def __init__(self, config: ModelConfig, input_size: int, context_size: int = 0) -> None:
        super().__init__()
        self.relu = config.cell == "elman" and config.activation == "relu"
        self.kernel = recurrent_kernel(config, input_size, config.hidden_size, config.layers)
        self.layer_norm = config.layer_norm
        self.transitions = nn.ModuleList(
            self.transition_class(config.hidden_size, config.layer_norm, self.relu) for _ in range(config.layers)
        )
        self.context = nn.Linear(context_size, self.gates * config.hidden_size, bias=False) if context_size else None
        if self.context is not None:
            for gate in self.context.weight.data.chunk(self.gates):
                nn.init.xavier_uniform_(gate)

    def project(self, inputs: Tensor) -> Tensor:
        """W_x x + b for any number of steps at once: (..., I) -> (..., G*H)."""
        return self._gates_of(inputs, layer=0)

    def forward(
        self, projected: Tensor, state: State, context: Tensor | None = None, scale: Tensor | None = None
    ) -> State:
        """One step from projected inputs (N, G*H) and, where the arm has one, a context (N, C).

        A `scale` (N, H) multiplies what comes from the first layer's recurrence, W_h h (and the bias that stays with
        it), in each of the G gates alike, before it meets the input (context gates, Tu et al. 2017).
        """
        hidden: list[Tensor] = []
        cells: list[Tensor] = []
        unroll = recurrence.current()
        if unroll is not None and scale is None and not self.layer_norm:
            self._advance_all(unroll, projected, state, context, hidden, cells)
            return State(tuple(hidden), tuple(cells), state.fed)
        gates = projected
        if context is not None and self.context is not None:
            gates = gates + recurrence.linear(context, self.context.weight)
        for layer, transition in enumerate(self.transitions):
            if layer > 0:
                below = dropout(hidden[-1], self.kernel.dropout, self.training)
                gates, scale = recurrence.linear(below, *input_weight(self.kernel, type(self), layer)), None
            before = state.hidden[layer]
            gates, recurrent = self._with_recurrence(gates, before, layer, scale)
            after, cell = transition(gates, recurrent, before, state.cells[layer] if state.cells else None)
            hidden.append(after)
            if cell is not None:
                cells.append(cell)
        return State(tuple(hidden), tuple(cells), state.fed)

    def _with_recurrence(
        self, gates: Tensor, hidden: Tensor, layer: int, scale: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """A layer's input part and its recurrent part u, (N, G*H) each; u is None where one product adds it."""
        weight, bias = recurrent_weight(self.kernel, type(self), layer)
        if scale is None and self.recurrent_bias_joins and not self.layer_norm:
            return torch.addmm(gates, hidden, weight.t()), None
        recurrent = recurrence.linear(hidden, weight, bias)
        return gates, recurrent if scale is None else recurrent * scale.repeat(1, self.gates)

    def _advance_all(
        self,
        unroll: recurrence.Unroll,
        gates: Tensor,
        state: State,
        context: Tensor | None,
        hidden: list[Tensor],
        cells: list[Tensor],
    ) -> None:
        """The loop of `forward`, without scale and layer normalisation, as nodes of the fast path."""
        for depth in range(self.kernel.num_layers):
            layer = unroll.once((id(self), depth), partial(self.fast_layer, unroll, depth))
            if depth > 0:
                below = dropout(hidden[-1], self.kernel.dropout, self.training)
                gates, context = recurrence.apply(layer.inputs, below), None
            before = state.cells[depth] if state.cells else None
            after, cell = recurrence.advance(layer, gates, context, state.hidden[depth], before)
            hidden.append(after)
            if cell is not None:
                cells.append(cell)

    def fast_layer(self, unroll: recurrence.Unroll, depth: int) -> recurrence.Layer:
        """A layer's equation with its derivative; a layer-normalised one has none."""
        assert not self.layer_norm
        weight, bias = input_weight(self.kernel, type(self), depth)
        return self.layer_class(
            recurrent=unroll.weight(*recurrent_weight(self.kernel, type(self), depth)),
            context=None if self.context is None or depth > 0 else unroll.weight(self.context.weight),
            inputs=unroll.weight(weight, bias) if depth > 0 else None,
            relu=self.relu,
        )

    def unroll(self, inputs: Tensor, state: State) -> Tensor:
        """All steps, for an arm whose inputs (N, T, I) do not depend on its states: h (N, T, H)."""
        if not inputs.is_cpu and not self.layer_norm:
            return run_kernel(self.kernel, inputs, state)
        outputs = inputs.transpose(0, 1)
        for layer in range(self.kernel.num_layers):
            if layer > 0:
                outputs = dropout(outputs, self.kernel.dropout, self.training)
            known = (
                self._gates_of(outputs, layer),
                state.hidden[layer],
                state.cells[layer] if state.cells else None,
                *recurrent_weight(self.kernel, type(self), layer),
            )
            if self.layer_norm:
                outputs = transitions.sequence(self.transitions[layer], *known)
            else:
                outputs = recurrence.sequence(self.layer_class, *known, relu=self.relu)
        return outputs.transpose(0, 1)

    def _gates_of(self, inputs: Tensor, layer: int) -> Tensor:
        return F.linear(inputs, *input_weight(self.kernel, type(self), layer))


class Elman(Cell):
    """The vanilla RNN in the strict sense (Elman 1990): h_t = f(W_x x_t + W_c c_t + W_h h_{t-1} + b), f tanh or
    ReLU."""

    kernel_class = nn.RNN
    transition_class = ElmanTransition
    layer_class = recurrence.ElmanLayer
    gates = 1


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), in torch's form, with the reset gate after the product:

    r = σ(a_r + W_hr h + b_hr), z = σ(a_z + W_hz h + b_hz), n = tanh(a_n + r ⊙ (W_hn h + b_hn)), h' = (1-z) ⊙ n + z ⊙ h,
    where a = W_x x + W_c c + b_x.
    """

    kernel_class = nn.GRU
    transition_class = GRUTransition
    layer_class = recurrence.GRULayer
    gates = 3
    recurrent_bias_joins = False


class LSTM(Cell):
    """Long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997; Gers et al. 2000):

    i, f, o = σ(a_· + W_h· h), g = tanh(a_g + W_hg h), c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'),
    where a = W_x x + W_c c_t + b.
    """

    kernel_class = nn.LSTM
    transition_class = LSTMTransition
    layer_class = recurrence.LSTMLayer
    gates = 4


CELLS: dict[str, type[Cell]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}
