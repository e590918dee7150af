"""The loss against its formula on whole logits, in blocks and out of them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from softalign.hardware.denormals import without_denormals
from softalign.models import loss as loss_module
from softalign.models import packed
from softalign.models.loss import OutputLayer, sequence_loss

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
    loss = sequence_loss(readouts, OutputLayer(weight, bias), targets, epsilon)
    assert loss.tokens == N and not loss.nll.requires_grad
    assert torch.allclose(loss.objective, expected)
    assert torch.allclose(loss.nll, F.nll_loss(log_probabilities, targets, reduction="sum"))
    ours = torch.autograd.grad(loss.objective / 3, (readouts, weight, bias))
    theirs = torch.autograd.grad(expected / 3, (readouts, weight, bias))
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("held", [0, 3 * V, 1000], ids=["a block held", "three rows", "all"])
@pytest.mark.parametrize("smallest", [0, 10**9], ids=["two threads", "one thread"])
def test_under_autocast_only_the_products_are_rounded(monkeypatch, smallest, held):
    monkeypatch.setattr(loss_module, "SMALLEST_SHARED", smallest)
    monkeypatch.setattr(loss_module, "HELD", held)
    readouts, weight, bias, targets = inputs()
    leaves = [tensor.detach().float().requires_grad_() for tensor in (readouts, weight, bias)]
    x, w, b = leaves
    logits = (x.bfloat16() @ w.bfloat16().T).float() + b
    expected = F.cross_entropy(logits, targets, reduction="sum", label_smoothing=0.2)
    with torch.autocast("cpu", torch.bfloat16):
        loss = sequence_loss(x, OutputLayer(w, b), targets, 0.2)
    assert loss.objective.dtype == torch.float32
    torch.testing.assert_close(loss.objective, expected, rtol=1e-5, atol=1e-5)
    ours = torch.autograd.grad(loss.objective / 3, leaves)
    theirs = torch.autograd.grad(expected / 3, leaves)
    torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.01)


def test_without_gradients_it_is_the_same_number():
    readouts, weight, bias, targets = inputs()
    with torch.no_grad():
        loss = sequence_loss(readouts, OutputLayer(weight, bias), targets, 0.1)
    assert not loss.objective.requires_grad
    assert torch.equal(loss.objective, sequence_loss(readouts, OutputLayer(weight, bias), targets, 0.1).objective)


def test_large_logits_do_not_overflow():
    readouts, weight, bias, targets = (
        tensor.detach() * (500 if tensor.is_floating_point() else 1) for tensor in inputs()
    )
    expected = F.cross_entropy(readouts @ weight.T + bias, targets, reduction="sum")
    assert torch.allclose(sequence_loss(readouts, OutputLayer(weight, bias), targets).objective, expected)


def test_a_nan_is_not_hidden():
    readouts, weight, bias, targets = inputs()
    assert sequence_loss(readouts * torch.nan, OutputLayer(weight, bias), targets).nll.isnan()


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("epsilon", [0.0, 0.2])
def test_a_second_thread_changes_no_bit(monkeypatch, epsilon, dtype):
    monkeypatch.setattr(packed, "SMALLEST", 0)
    monkeypatch.setattr(loss_module, "FEWEST_PACKED", 0)
    monkeypatch.setattr(loss_module, "HELD", 3 * V)
    outcomes = []
    for smallest in (0, 10**9):
        monkeypatch.setattr(loss_module, "SMALLEST_SHARED", smallest)
        *leaves, targets = inputs()
        readouts, weight, bias = leaves if dtype == torch.float64 else [each.detach().float() for each in leaves]
        leaves = [each.requires_grad_() for each in (readouts, weight, bias)]
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = sequence_loss(readouts, OutputLayer(weight, bias), targets, epsilon)
        outcomes.append([loss.objective, loss.nll, *torch.autograd.grad(loss.objective, leaves)])
    assert all(torch.equal(a, b) for a, b in zip(*outcomes, strict=True))


@pytest.mark.parametrize("flushed", [False, True])
def test_a_second_thread_treats_denormals_as_the_first(monkeypatch, flushed):
    monkeypatch.setattr(loss_module, "SMALLEST_SHARED", 0)
    readouts, weight = torch.ones(2, 1), torch.tensor([[0.0], [-100.0]])  # exp(-100) is a denormal of float32
    bias = torch.zeros(2, requires_grad=True)
    with without_denormals(flushed):
        loss = sequence_loss(readouts, OutputLayer(weight, bias), torch.tensor([0, 0]))
        (to_bias,) = torch.autograd.grad(loss.objective, bias)
    assert (to_bias[1].item() == 0.0) is flushed


def test_a_single_token_is_enough():
    readouts, weight, bias, targets = inputs()
    alone = sequence_loss(readouts[:1], OutputLayer(weight, bias), targets[:1])
    assert torch.allclose(alone.objective, F.cross_entropy(readouts[:1] @ weight.T + bias, targets[:1]))


@pytest.mark.parametrize("smallest", [0, 10**9], ids=["two threads", "one"])
def test_two_losses_on_one_output_layer_add_up(monkeypatch, smallest):
    monkeypatch.setattr(loss_module, "SMALLEST_SHARED", smallest)
    readouts, weight, bias, targets = inputs()
    output = OutputLayer(weight, bias)
    halves = [sequence_loss(readouts[rows], output, targets[rows]).objective for rows in (slice(0, 3), slice(3, None))]
    ours = torch.autograd.grad(halves[0] + 2 * halves[1], (weight, bias))
    losses = F.cross_entropy(readouts @ weight.T + bias, targets, reduction="none")
    theirs = torch.autograd.grad(losses[:3].sum() + 2 * losses[3:].sum(), (weight, bias))
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


def test_readouts_that_were_changed_since_are_noticed(monkeypatch):
    monkeypatch.setattr(loss_module, "SMALLEST_SHARED", 0)
    readouts, weight, bias, targets = inputs()
    copied = readouts * 1.0
    loss = sequence_loss(copied, OutputLayer(weight, bias), targets)
    copied.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.objective.backward()


def test_inference_mode_holds_for_the_second_thread(monkeypatch):
    monkeypatch.setattr(loss_module, "SMALLEST_SHARED", 0)
    readouts, weight, bias, targets = inputs()
    expected = sequence_loss(readouts, OutputLayer(weight, bias), targets).nll
    with torch.inference_mode():
        assert torch.equal(sequence_loss(readouts, OutputLayer(weight, bias), targets).nll, expected)
