"""The equation of each cell: a layer's new state from what comes from its input and what comes from its recurrence.

Notation: N rows, T steps, H hidden size, G gates of a cell; a = W_x x_t + W_c c_t + b and u = W_h h_{t-1} + b_h,
(N, G*H) each, in torch's order of gates.

With layer normalisation (Ba, Kiros and Hinton 2016, section 3.1 and the equations of its supplement) the sums are
normalised over their units before the nonlinearity. LN(x) = γ ⊙ (x - mean x) / sqrt(var x + ε) + β. The biases of a and
u, which β takes the place of, are then left out, and so is the second of two β that would only be added up.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.models import recurrence


class LayerNorm(nn.LayerNorm):
    """torch's, in the type of its input under autocast too."""

    def forward(self, inputs: Tensor) -> Tensor:
        """LN(x) (N, n) of x (N, n)."""
        return super().forward(inputs).to(inputs.dtype)


class Transition(nn.Module):
    """h_t (and an LSTM's c_t) of one layer from a, u, h_{t-1} (and c_{t-1}), in plain autograd."""

    def __init__(self, hidden_size: int, layer_norm: bool = False, relu: bool = False) -> None:
        super().__init__()
        self.relu = relu
        self.layer_norm = layer_norm

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """h_t and c_t (None but in an LSTM), each (N, H), from a, u, h_{t-1} and c_{t-1}.

        u is None where a + u is given for a. A GRU, and a layer-normalised LSTM, need them apart.
        """
        raise NotImplementedError

    def _norm(self, size: int, bias: bool = True) -> nn.Module:
        return LayerNorm(size, bias=bias) if self.layer_norm else nn.Identity()


class ElmanTransition(Transition):
    """h_t = f(a + u), f tanh or ReLU; layer-normalised: h_t = f(LN(a + u))."""

    def __init__(self, hidden_size: int, layer_norm: bool = False, relu: bool = False) -> None:
        super().__init__(hidden_size, layer_norm, relu)
        self.norm = self._norm(hidden_size)

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        total = self.norm(gates if recurrent is None else gates + recurrent)
        return (torch.relu(total) if self.relu else torch.tanh(total)), None


class GRUTransition(Transition):
    """r, z = σ(a_rz + u_rz), n = tanh(a_n + r ⊙ u_n), h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}; layer-normalised:

    r, z = σ(LN(a_rz) + LN(u_rz)), n = tanh(LN(a_n) + r ⊙ LN(u_n)), with a γ of its own in each of the four, over the
    2H units of both gates or the H of the candidate; the LN of u_rz has no β.
    """

    def __init__(self, hidden_size: int, layer_norm: bool = False, relu: bool = False) -> None:
        super().__init__(hidden_size, layer_norm, relu)
        self.norm_gates = self._norm(2 * hidden_size)
        self.norm_candidate = self._norm(hidden_size)
        self.norm_recurrent_gates = self._norm(2 * hidden_size, bias=False)
        self.norm_recurrent_candidate = self._norm(hidden_size)

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        assert recurrent is not None
        size = hidden.size(-1)
        gates_rz, gates_n = gates.split((2 * size, size), dim=-1)
        recurrent_rz, recurrent_n = recurrent.split((2 * size, size), dim=-1)
        opened = torch.sigmoid(self.norm_gates(gates_rz) + self.norm_recurrent_gates(recurrent_rz))
        reset, update = opened.chunk(2, dim=-1)
        recurrent_n = self.norm_recurrent_candidate(recurrent_n)
        candidate = torch.tanh(torch.addcmul(self.norm_candidate(gates_n), reset, recurrent_n))
        return torch.lerp(candidate, hidden, update), None


class LSTMTransition(Transition):
    """i, f, o = σ(s_·), g = tanh(s_g), c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ tanh(c_t), s = a + u; layer-normalised:

    s = LN(a) + LN(u), h_t = o ⊙ tanh(LN(c_t)), with a γ of its own in each of the three; the first two are over the 4H
    units of all gates, and the LN of u has no β. The forget gate's β starts at one, as its bias does without.
    """

    def __init__(self, hidden_size: int, layer_norm: bool = False, relu: bool = False) -> None:
        super().__init__(hidden_size, layer_norm, relu)
        self.norm = self._norm(4 * hidden_size)
        self.norm_recurrent = self._norm(4 * hidden_size, bias=False)
        self.norm_cell = self._norm(hidden_size)
        if isinstance(self.norm, LayerNorm):
            nn.init.ones_(self.norm.bias.data.chunk(4)[1])  # torch's order: input, forget, cell, output

    def forward(
        self, gates: Tensor, recurrent: Tensor | None, hidden: Tensor, cell: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        assert cell is not None and not (recurrent is None and self.layer_norm)
        size = hidden.size(-1)
        total = gates if recurrent is None else self.norm(gates) + self.norm_recurrent(recurrent)
        gates_if, gates_g, gates_o = total.split((2 * size, size, size), dim=-1)
        enter, keep = torch.sigmoid(gates_if).chunk(2, dim=-1)
        after = keep * cell + enter * torch.tanh(gates_g)
        return torch.sigmoid(gates_o) * torch.tanh(self.norm_cell(after)), after


def sequence(
    transition: nn.Module, gates: Tensor, hidden: Tensor, cell: Tensor | None, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """Hidden states (T, N, H) of one layer from a of all steps (T, N, G*H), the first state (N, H), W_h (G*H, H) and
    the bias that stays with it (G*H,): `recurrence.sequence` for any `Transition`."""
    hidden, cell = hidden.to(gates.dtype), None if cell is None else cell.to(gates.dtype)
    states = []
    with recurrence.unrolling():
        for gates_t in gates.unbind(0):
            hidden, cell = transition(gates_t, recurrence.linear(hidden, weight, bias), hidden, cell)
            states.append(hidden)
    return torch.stack(states)
