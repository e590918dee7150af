"""The equation of each cell: a layer's new state from what comes from its input and what comes from its recurrence.

Notation: N rows, H hidden size, G gates of a cell; a = W_x x_t + W_c c_t + b and u = W_h h_{t-1} + b_h, (N, G*H) each,
in torch's order of gates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Transition(nn.Module):
    """h_t (and an LSTM's c_t) of one layer from a, u, h_{t-1} (and c_{t-1}), in plain autograd."""

    def __init__(self, relu: bool = False) -> None:
        super().__init__()
        self.relu = relu

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """h_t and c_t (None but in an LSTM), each (N, H), from a, u, h_{t-1} and c_{t-1}; u is None where a holds it
        already, which a GRU's cannot."""
        raise NotImplementedError


class ElmanTransition(Transition):
    """h_t = f(a + u), f tanh or ReLU."""

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        total = gates if recurrent is None else gates + recurrent
        return (torch.relu(total) if self.relu else torch.tanh(total)), None


class GRUTransition(Transition):
    """r, z = σ(a_rz + u_rz), n = tanh(a_n + r ⊙ u_n), h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}."""

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        assert recurrent is not None
        size = hidden.size(-1)
        gates_rz, gates_n = gates.split((2 * size, size), dim=-1)
        recurrent_rz, recurrent_n = recurrent.split((2 * size, size), dim=-1)
        reset, update = torch.sigmoid(gates_rz + recurrent_rz).chunk(2, dim=-1)
        candidate = torch.tanh(torch.addcmul(gates_n, reset, recurrent_n))
        return torch.lerp(candidate, hidden, update), None


class LSTMTransition(Transition):
    """i, f, o = σ(a_· + u_·), g = tanh(a_g + u_g), c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ tanh(c_t)."""

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        assert cell is not None
        size = hidden.size(-1)
        total = gates if recurrent is None else gates + recurrent
        gates_if, gates_g, gates_o = total.split((2 * size, size, size), dim=-1)
        enter, keep = torch.sigmoid(gates_if).chunk(2, dim=-1)
        after = keep * cell + enter * torch.tanh(gates_g)
        return torch.sigmoid(gates_o) * torch.tanh(after), after
