"""Layers of cells: one step and its derivative, for each cell that has its equation here."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.models.recurrence.autocast import without_autocast
from softalign.models.recurrence.weight import Weight

MINUS_ONE = torch.tensor(-1.0)


def tanh_of_half_(doubled: Tensor) -> Tensor:
    """tanh(x) = 2 σ(2x) - 1 in the place of 2x."""
    return torch.add(MINUS_ONE, doubled.sigmoid_(), alpha=2.0, out=doubled)


class Layer:
    """One layer of a cell from a = W_x x + W_c c + b (..., N, G*H) and the old state, and the derivative of that."""

    carries_cell = False
    n_kept = 1  # tensors that `forward` keeps for `backward`

    def __init__(
        self, recurrent: Weight, context: Weight | None = None, inputs: Weight | None = None, relu: bool = False
    ) -> None:
        self.inputs = inputs  # W_x, where x is not known before the loop: the layer below's
        self.recurrent = recurrent
        self.context = context
        self.relu = relu
        self.anchors = [weight.anchor for weight in (recurrent, context) if weight is not None]

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        """h_t, c_t (or None), and tensors to keep."""
        raise NotImplementedError

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The gradients of a, h_{t-1} and c_{t-1} from those of h_t and c_t."""
        raise NotImplementedError


class ElmanLayer(Layer):
    """h_t = f(a + W_h h_{t-1}), f tanh or ReLU."""

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        if self.relu:
            after = self.recurrent.add_to(gates, hidden).relu_()
        else:
            after = tanh_of_half_(self.recurrent.add_to(gates, hidden, 2.0, 2.0))
        return after, None, [after]

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        (after,) = kept
        if self.relu:
            to_gates = torch.ops.aten.threshold_backward(to_hidden, after, 0)
        else:
            to_gates = torch.ops.aten.tanh_backward(to_hidden, after)
        return to_gates, self.recurrent.backward(hidden, to_gates), None


class GRULayer(Layer):
    """r, z = σ(a_rz + u_rz), n = tanh(a_n + r ⊙ u_n), h_t = n + z ⊙ (h_{t-1} - n), where u = W_h h_{t-1} + b_h."""

    n_kept = 3

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        size = hidden.size(-1)
        recurrent = self.recurrent.apply(hidden)
        gates_n, recurrent_n = gates[..., 2 * size :], recurrent[..., 2 * size :]
        opened = torch.add(gates[..., : 2 * size], recurrent[..., : 2 * size]).sigmoid_()
        reset, update = opened[..., :size], opened[..., size:]
        candidate = tanh_of_half_(torch.addcmul(gates_n, reset, recurrent_n).mul_(2.0))
        return torch.lerp(candidate, hidden, update), None, [opened, candidate, recurrent_n]

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        opened, candidate, recurrent_n = kept
        size = hidden.size(-1)
        reset, update = opened[..., :size], opened[..., size:]
        to_gates = opened.new_empty(*opened.shape[:-1], 3 * size)
        to_opened, to_n = to_gates[..., : 2 * size], to_gates[..., 2 * size :]
        kept_part = to_hidden * update
        torch.sub(to_hidden, kept_part, out=to_n)
        torch.ops.aten.tanh_backward.grad_input(to_n, candidate, grad_input=to_n)
        torch.mul(to_n, recurrent_n, out=to_opened[..., :size])
        torch.mul(to_hidden, hidden - candidate, out=to_opened[..., size:])
        torch.ops.aten.sigmoid_backward.grad_input(to_opened, opened, grad_input=to_opened)
        to_recurrent = to_gates.clone()
        to_recurrent[..., 2 * size :] *= reset
        return to_gates, self.recurrent.backward(hidden, to_recurrent).add_(kept_part), None


class LSTMLayer(Layer):
    """i, f, o = σ(·), g = tanh(·) of a + W_h h_{t-1}; c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ tanh(c_t)."""

    carries_cell = True
    n_kept = 2

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        assert cell is not None
        gates = self.recurrent.add_to(gates, hidden)
        enter, keep, new, leave = gates.chunk(4, dim=-1)
        new.mul_(2.0)
        gates.sigmoid_()
        new.mul_(2.0).sub_(1.0)
        after = torch.mul(enter, new).addcmul_(keep, cell)
        squashed = tanh_of_half_(after * 2.0)
        return leave * squashed, after, [gates, squashed]

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        gates, squashed = kept
        assert cell is not None
        enter, keep, new, leave = gates.chunk(4, dim=-1)
        to_gates = torch.empty_like(gates)
        to_enter, to_keep, to_new, to_leave = to_gates.chunk(4, dim=-1)
        through = torch.ops.aten.tanh_backward(to_hidden * leave, squashed)
        to_after = through if to_cell is None else through.add_(to_cell)
        torch.mul(to_after, new, out=to_enter)
        torch.mul(to_after, cell, out=to_keep)
        torch.mul(to_hidden, squashed, out=to_leave)
        new_gradient = torch.ops.aten.tanh_backward(to_after * enter, new)
        torch.ops.aten.sigmoid_backward.grad_input(to_gates, gates, grad_input=to_gates)
        to_new.copy_(new_gradient)
        return to_gates, self.recurrent.backward(hidden, to_gates), to_after * keep


class _Advance(torch.autograd.Function):
    """(h_t, c_t) of one layer; the gradients of W_x x_t + b, the context, and the old state."""

    @staticmethod
    def forward(
        ctx: Any,
        layer: Layer,
        gates: Tensor,
        context: Tensor | None,
        hidden: Tensor,
        cell: Tensor | None,
        *anchors: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)
        dtype = layer.recurrent.value.dtype
        gates, hidden = gates.to(dtype), hidden.to(dtype)
        if layer.context is not None and context is not None:
            context = context.to(dtype)
            gates = layer.context.add_to(gates, context)
        cell = None if cell is None else cell.to(dtype)
        after, cell_after, kept = layer.forward(gates, hidden, cell)
        ctx.layer = layer
        ctx.save_for_backward(context, hidden, cell, *kept)
        return after, cell_after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_hidden: Tensor | None, to_cell: Tensor | None) -> tuple[Tensor | None, ...]:
        layer: Layer = ctx.layer
        context, hidden, cell, *kept = ctx.saved_tensors
        if to_hidden is None:
            to_hidden = torch.zeros_like(hidden)
        to_gates, to_hidden, to_cell = layer.backward(to_hidden, to_cell, hidden, cell, kept)
        to_context = None
        if layer.context is not None and context is not None:
            to_context = layer.context.backward(context, to_gates)
        return None, to_gates, to_context, to_hidden, to_cell, *[None] * len(layer.anchors)


def advance(
    layer: Layer, gates: Tensor, context: Tensor | None, hidden: Tensor, cell: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """h_t and c_t (None but in an LSTM), each (N, H), from W_x x + b (N, G*H), c (N, C), h_{t-1} and c_{t-1}."""
    with without_autocast(gates):
        return _Advance.apply(layer, gates, context, hidden, cell, *layer.anchors)
