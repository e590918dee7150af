"""The loss against its formula on whole logits, in blocks and out of them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from softalign.models import loss as loss_module
from softalign.models.loss import sequence_loss

N, E, V = 7, 4, 9


@pytest.fixture(params=[1, 2 * V, 1000], ids=["row by row", "two rows", "whole"])
def _block(request, monkeypatch):
    monkeypatch.setitem(loss_module.BLOCK, "cpu", request.param)


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    readouts, weight, bias = (torch.randn(*shape).double().requires_grad_() for shape in ((N, E), (V, E), (V,)))
    return readouts, weight, bias, torch.randint(0, V, (N,))


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("epsilon", [0.0, 0.2])
def test_it_is_the_cross_entropy_with_the_smoothed_target(epsilon):
    readouts, weight, bias, targets = inputs()
    log_probabilities = (readouts @ weight.T + bias).log_softmax(dim=-1)
    smoothed = torch.full((N, V), epsilon / V).double()
    smoothed[torch.arange(N), targets] += 1 - epsilon
    expected = -(smoothed * log_probabilities).sum()
    loss = sequence_loss(readouts, weight, bias, targets, epsilon)
    assert loss.tokens == N and not loss.nll.requires_grad
    assert torch.allclose(loss.objective, expected)
    assert torch.allclose(loss.nll, F.nll_loss(log_probabilities, targets, reduction="sum"))
    ours = torch.autograd.grad(loss.objective / 3, (readouts, weight, bias))
    theirs = torch.autograd.grad(expected / 3, (readouts, weight, bias))
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


def test_without_gradients_it_is_the_same_number():
    readouts, weight, bias, targets = inputs()
    with torch.no_grad():
        loss = sequence_loss(readouts, weight, bias, targets, 0.1)
    assert not loss.objective.requires_grad
    assert torch.equal(loss.objective, sequence_loss(readouts, weight, bias, targets, 0.1).objective)


def test_large_logits_do_not_overflow():
    readouts, weight, bias, targets = (
        tensor.detach() * (500 if tensor.is_floating_point() else 1) for tensor in inputs()
    )
    expected = F.cross_entropy(readouts @ weight.T + bias, targets, reduction="sum")
    assert torch.allclose(sequence_loss(readouts, weight, bias, targets).objective, expected)


def test_a_nan_is_not_hidden():
    readouts, weight, bias, targets = inputs()
    assert sequence_loss(readouts * torch.nan, weight, bias, targets).nll.isnan()
