"""The steps of arms with their derivatives: see `recurrence.Loop`. The steps themselves are documented in fusion.py."""

from __future__ import annotations

import torch
from torch import Tensor

from softalign.models.recurrence import Given, Layer, Loop, Past, Read, ToGiven


class MultiplyLoop(Loop):
    """ĥ_t = cell(x_t, h̃_{t-1}); c_t = read(ĥ_t); h̃_t = c_t ⊙ ĥ_t."""

    def __init__(self, layer: Layer, read: Read) -> None:
        super().__init__(layer, read)
        self.feature_size = read.memory.size(-1)

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Given, list[Tensor]]:
        plain, cell, kept = self.layer.forward(gates, hidden, cell)
        context, weights, kept_by_read = self.read.forward(plain)
        fused = context * plain
        return Given(fused, fused, cell, weights), [plain, context, *kept, *kept_by_read]

    def backward(self, to: ToGiven, past: Past) -> tuple[Tensor, Tensor, Tensor | None]:
        plain, context, *kept = past.kept
        n_kept = self.layer.n_kept
        to_fused = to.features if to.hidden is None else to.features + to.hidden
        to_plain = self.read.backward(to_fused * plain, to.weights, plain, past.weights, kept[n_kept:])
        assert to_plain is not None
        to_plain = torch.addcmul(to_plain, to_fused, context)
        return self.layer.backward(to_plain, to.cell, past.hidden, past.cell, kept[:n_kept])


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
