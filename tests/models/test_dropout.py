"""Dropout: how often, how much, when."""

import pytest
import torch

from softalign.models.dropout import Dropout, dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(401, 499), (1000, 20, 10)])
def test_it_drops_as_often_as_asked_and_keeps_the_mean(probability, shape):
    torch.manual_seed(0)
    outputs = dropout(torch.ones(shape), probability, training=True)
    kept = outputs[outputs != 0.0]
    assert outputs.shape == shape
    assert abs(kept.numel() / outputs.numel() - (1 - probability)) < 0.005
    assert torch.allclose(kept, torch.full_like(kept, 1 / (1 - probability)), rtol=1e-3)
    assert abs(outputs.mean() - 1.0) < 0.03


def test_entries_are_dropped_independently():
    torch.manual_seed(0)
    dropped = (dropout(torch.ones(100_000, 4), 0.5, training=True) == 0.0).double()  # one draw for each row
    assert torch.allclose(torch.corrcoef(dropped.t()), torch.eye(4).double(), atol=0.02)


def test_the_gradient_passes_where_the_entry_does():
    inputs = torch.randn(5, 7, dtype=torch.double, requires_grad=True)
    outputs = dropout(inputs, 0.5, training=True)
    outputs.sum().backward()
    assert torch.allclose(inputs.grad * inputs, outputs)


def test_out_of_training_and_at_zero_nothing_changes():
    inputs, module = torch.randn(3, 4), Dropout(0.5)
    assert module.eval()(inputs) is inputs
    assert dropout(inputs, 0.0, training=True) is inputs
    assert not dropout(inputs, 1.0, training=True).any()


def test_the_seed_decides():
    def draw(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return dropout(torch.ones(50), 0.5, training=True)

    assert torch.equal(draw(1), draw(1)) and not torch.equal(draw(1), draw(2))
