"""Whole sequences of layer-normalised steps; one step is tested against its equation in test_cells.py."""

import pytest
import torch
from torch import nn

from softalign.models.transitions import ElmanTransition, GRUTransition, LSTMTransition, sequence

T, N, H = 4, 2, 3
KINDS = [(ElmanTransition, 1, False), (ElmanTransition, 1, True), (GRUTransition, 3, False), (LSTMTransition, 4, False)]


class Sequence(nn.Module):
    """`sequence` as a module, so that the parameters of its transition can be handed in."""

    def __init__(self, transition: nn.Module) -> None:
        super().__init__()
        self.transition = transition

    def forward(self, *inputs) -> torch.Tensor:
        return sequence(self.transition, *inputs)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize(("kind", "gates", "relu"), KINDS)
def test_a_sequence_is_its_steps_with_the_gradients_of_finite_differences(kind, gates, relu, layer_norm):
    torch.manual_seed(5)
    transition = kind(H, layer_norm, relu).double()
    for parameter in transition.parameters():
        nn.init.normal_(parameter, std=0.5)
    shapes = [(T, N, gates * H), (N, H), (N, H), (gates * H, H), (gates * H,)]
    inputs = [torch.randn(*shape).double() for shape in shapes]
    of_steps, hidden, cell, weight, bias = inputs
    found = sequence(transition, *inputs)
    for step, gates_t in enumerate(of_steps):
        hidden, cell = transition(gates_t, hidden @ weight.T + bias, hidden, cell)
        assert torch.allclose(found[step], hidden)

    whole = Sequence(transition)
    parameters = dict(whole.named_parameters())

    def outcome(*given):
        named = dict(zip(parameters, given[len(inputs) :], strict=True))
        return torch.func.functional_call(whole, named, given[: len(inputs)])

    variables = [part.detach().requires_grad_() for part in (*inputs, *parameters.values())]
    assert torch.autograd.gradcheck(outcome, variables)
