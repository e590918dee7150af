"""The layer-normalised cells, written out for one row from Ba, Kiros and Hinton 2016."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.models.transitions import ElmanTransition, GRUTransition, LSTMTransition, Transition


def normalised(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """LN(x) of one row (n,)."""
    mean = x.sum() / len(x)
    variance = ((x - mean) ** 2).sum() / len(x)
    standard = (x - mean) / (variance + 1e-5) ** 0.5
    return standard * norm.weight + (0.0 if norm.bias is None else norm.bias)


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def layer_normalised_step(
    transition: Transition, from_input: Tensor, from_recurrence: Tensor, hidden: Tensor, cell: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """h_t and c_t of one row from W_x x_t + W_c c_t (G*H,), W_h h_{t-1} (G*H,), h_{t-1} (H,) and c_{t-1} (H,)."""
    if isinstance(transition, ElmanTransition):
        total = normalised(from_input + from_recurrence, transition.norm)
        return (total.clamp(min=0) if transition.relu else torch.tanh(total)), None
    size = len(hidden)
    if isinstance(transition, GRUTransition):
        reset_update = normalised(from_input[: 2 * size], transition.norm_gates)
        reset_update = reset_update + normalised(from_recurrence[: 2 * size], transition.norm_recurrent_gates)
        reset, update = sigmoid(reset_update[:size]), sigmoid(reset_update[size:])
        recurrent = normalised(from_recurrence[2 * size :], transition.norm_recurrent_candidate)
        candidate = torch.tanh(normalised(from_input[2 * size :], transition.norm_candidate) + reset * recurrent)
        return (1 - update) * candidate + update * hidden, None
    assert isinstance(transition, LSTMTransition) and cell is not None
    total = normalised(from_input, transition.norm) + normalised(from_recurrence, transition.norm_recurrent)
    enter, keep, new, leave = total[:size], total[size : 2 * size], total[2 * size : 3 * size], total[3 * size :]
    after = sigmoid(keep) * cell + sigmoid(enter) * torch.tanh(new)
    return sigmoid(leave) * torch.tanh(normalised(after, transition.norm_cell)), after
