"""A layer over inputs that are all known, as in an encoder: the whole sequence is one node of the graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.models.recurrence.autocast import autocast_dtype, without_autocast
from softalign.models.recurrence.layers import Layer
from softalign.models.recurrence.weight import Weight


class _Sequence(torch.autograd.Function):
    """The hidden states (T, ..., N, H) of one layer over known gates (T, ..., N, G*H): back through time by hand."""

    @staticmethod
    def forward(
        ctx: Any,
        layer_class: type[Layer],
        relu: bool,
        dtype: torch.dtype | None,
        gates: Tensor,
        hidden: Tensor,
        cell: Tensor | None,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        layer = layer_class(Weight(weight, bias, dtype), relu=relu)
        dtype = layer.recurrent.value.dtype
        hidden, cell = hidden.to(dtype), None if cell is None else cell.to(dtype)
        start, keeps, cells, states = hidden, [], [cell], []
        learning = any(ctx.needs_input_grad)
        for gates_t in gates.to(dtype).unbind(0):
            hidden, cell, kept = layer.forward(gates_t, hidden, cell)
            states.append(hidden)
            if learning:
                keeps.append(kept)
                cells.append(cell)
        outputs = torch.stack(states)
        ctx.layer = layer
        ctx.save_for_backward(start, outputs, *cells[:-1], *(tensor for kept in keeps for tensor in kept))
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        start, outputs, *rest = ctx.saved_tensors
        steps, layer = outputs.size(0), ctx.layer
        cells, kept = rest[:steps], rest[steps:]
        befores = (start, *outputs.unbind(0)[:-1])
        to_gates: list[Tensor] = []
        to_hidden, to_cell = None, None
        for step in range(steps - 1, -1, -1):
            to_hidden = to_outputs[step] if to_hidden is None else to_hidden.add_(to_outputs[step])
            kept_here = kept[step * layer.n_kept : (step + 1) * layer.n_kept]
            to_gate, to_hidden, to_cell = layer.backward(to_hidden, to_cell, befores[step], cells[step], kept_here)
            to_gates.append(to_gate)
        to_weight, *to_bias = layer.recurrent.collect()
        to_gates.reverse()
        return None, None, None, torch.stack(to_gates), to_hidden, to_cell, to_weight, to_bias[0] if to_bias else None


def sequence(
    layer_class: type[Layer],
    gates: Tensor,
    hidden: Tensor,
    cell: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    relu: bool = False,
) -> Tensor:
    """Hidden states (T, ..., N, H) of one layer from W_x x_t + b (T, ..., N, G*H), the first state (..., N, H), W_h
    (..., G*H, H) and a bias that stays with it (..., G*H)."""
    dtype = autocast_dtype(gates)
    with without_autocast(gates):
        return _Sequence.apply(layer_class, relu, dtype, gates, hidden, cell, weight, bias)


class _Turn(torch.autograd.Function):
    """Rows (n, I) in another order, by a permutation that is its own inverse."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, permutation: Tensor) -> Tensor:
        ctx.save_for_backward(permutation)
        return rows.index_select(0, permutation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_rows: Tensor) -> tuple[Tensor | None, ...]:
        (permutation,) = ctx.saved_tensors
        return to_rows.index_select(0, permutation), None


def turn(rows: Tensor, permutation: Tensor) -> Tensor:
    """Rows (n, I) in another order, by a permutation (n,) that is its own inverse."""
    return _Turn.apply(rows, permutation)
