"""The loop of a whole arm over known inputs: one node of the graph, where the arm gives its step's derivative."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.models.recurrence.attention import Read
from softalign.models.recurrence.autocast import without_autocast
from softalign.models.recurrence.layers import Layer


class Given(NamedTuple):
    """What a step of a loop gives."""

    features: Tensor  # (B, F)
    hidden: Tensor  # (B, H)
    cell: Tensor | None  # (B, H) of an LSTM
    weights: Tensor  # (B, S)


class ToGiven(NamedTuple):
    """The gradients of what a step gave; None where nothing depends on it, as on the state after the last step."""

    features: Tensor
    hidden: Tensor | None
    cell: Tensor | None
    weights: Tensor | None


class Past(NamedTuple):
    """What is kept of a step for its backward pass."""

    hidden: Tensor  # h_{t-1} (B, H)
    cell: Tensor | None  # c_{t-1} (B, H) of an LSTM
    weights: Tensor  # α_t (B, S)
    kept: list[Tensor]  # what the step itself keeps


class Loop:
    """An arm's step and its derivative, over a cell of one layer: composed of those of `Layer` and `Read`."""

    feature_size: int

    def __init__(self, layer: Layer, read: Read) -> None:
        self.layer = layer
        self.read = read
        self.anchors = [*layer.anchors, *read.anchors]

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Given, list[Tensor]]:
        """What the step gives, and tensors to keep, from W_x x_t + b and the old state."""
        raise NotImplementedError

    def backward(self, to: ToGiven, past: Past) -> tuple[Tensor, Tensor, Tensor | None]:
        """The gradients of the gates, h_{t-1} and c_{t-1}."""
        raise NotImplementedError


class _Run(torch.autograd.Function):
    """(features (T, B, F), weights (T, B, S)) of a loop; back through time by hand."""

    @staticmethod
    def forward(
        ctx: Any, loop: Loop, gates: Tensor, hidden: Tensor, cell: Tensor | None, *anchors: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        dtype = loop.layer.recurrent.value.dtype
        hidden, cell = hidden.to(dtype), None if cell is None else cell.to(dtype)
        features, weights, keeps = [], [], []
        learning = any(ctx.needs_input_grad)
        for gates_t in gates.to(dtype).unbind(0):
            given, kept = loop.forward(gates_t, hidden, cell)
            features.append(given.features)
            weights.append(given.weights)
            if learning:
                keeps.append((hidden, cell, given.weights, *kept))
            hidden, cell = given.hidden, given.cell
        ctx.loop = loop
        ctx.save_for_backward(*(tensor for keep in keeps for tensor in keep))
        return torch.stack(features), torch.stack(weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_features: Tensor | None, to_weights: Tensor | None) -> tuple[Tensor | None, ...]:
        loop: Loop = ctx.loop
        saved = ctx.saved_tensors
        known = to_weights if to_features is None else to_features
        if known is None:
            return None, None, None, None, *[None] * len(loop.anchors)
        steps = len(known)
        each = len(saved) // steps
        if to_features is None:
            to_features = saved[0].new_zeros(steps, saved[0].size(0), loop.feature_size)
        to_hidden, to_cell, to_gates = None, None, []
        for step in range(steps - 1, -1, -1):
            hidden, cell, weights, *kept = saved[step * each : (step + 1) * each]
            to_weights_t = None if to_weights is None else to_weights[step]
            to_gates_t, to_hidden, to_cell = loop.backward(
                ToGiven(to_features[step], to_hidden, to_cell, to_weights_t), Past(hidden, cell, weights, kept)
            )
            to_gates.append(to_gates_t)
        to_gates.reverse()
        return None, torch.stack(to_gates), to_hidden, to_cell, *[None] * len(loop.anchors)


def run(loop: Loop, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor]:
    """Features (T, B, F) and weights (T, B, S) from W_x x_t + b (T, B, G*H) and the first state."""
    with without_autocast(gates):
        return _Run.apply(loop, gates, hidden, cell, *loop.anchors)
