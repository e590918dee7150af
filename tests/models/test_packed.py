"""Packed matrices against products in float64."""

import copy

import pytest
import torch
from small_models import MODELS, batch_of, small_model

from softalign.models import loss
from softalign.models import packed as module
from softalign.models.packed import Packed, packed

pytestmark = pytest.mark.skipif(not module._supported(), reason="torch has no oneDNN here")


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch):
    monkeypatch.setattr(module, "SMALLEST", 0)


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("bias", [False, True])
def test_a_product_is_that_of_float64(rows, bias):
    weight, inputs = torch.randn(33, 20), torch.randn(rows, 20)
    added = torch.randn(33) if bias else None
    exact = inputs.double() @ weight.double().t() + (0 if added is None else added.double())
    assert torch.allclose(packed(weight)(inputs, added).double(), exact, atol=1e-5)


def test_it_adds_to_what_is_there_and_leaves_that_as_it_was():
    weight, inputs, other = torch.randn(33, 20), torch.randn(5, 20), torch.randn(5, 33)
    before = other.clone()
    exact = other.double() + inputs.double() @ weight.double().t()
    assert torch.allclose(packed(weight).add_to(other, inputs).double(), exact, atol=1e-5)
    assert torch.equal(other, before)


def test_views_are_read_as_they_lie():
    weight, inputs, other = torch.randn(20, 33).t(), torch.randn(20, 5).t(), torch.randn(5, 66)[:, ::2]
    exact = inputs.double() @ weight.double().t()
    assert torch.allclose(packed(weight)(inputs).double(), exact, atol=1e-5)
    assert torch.allclose(packed(weight).add_to(other, inputs).double(), other.double() + exact, atol=1e-5)


def test_where_it_is_of_no_use_there_is_none(monkeypatch):
    weight = torch.randn(33, 20)
    assert packed(weight.double()) is packed(weight.bfloat16()) is packed(weight.expand(2, 33, 20)) is None
    monkeypatch.setattr(module, "SMALLEST", 33 * 20 + 1)
    assert packed(weight) is None


@pytest.mark.parametrize(("fusion", "cell", "options"), MODELS)
def test_a_step_of_training_is_that_of_float64_in_every_arm(monkeypatch, fusion, cell, options):
    monkeypatch.setattr(loss, "FEWEST_PACKED", 0)
    monkeypatch.setitem(loss.BLOCK, "cpu", 30)  # several blocks
    asked = []
    made = Packed.__init__
    monkeypatch.setattr(Packed, "__init__", lambda self, weight: [asked.append(weight), made(self, weight)][-1])
    exact = small_model(fusion, cell, **options)
    narrow = copy.deepcopy(exact).float()
    batch = batch_of((7, 5), (5, 9), (2, 3))
    for model in (exact, narrow):
        model.loss(batch, 0.1).objective.backward()
    output = exact.decoder.readout.output.weight
    if not fusion.startswith("pointer"):  # which computes its loss otherwise
        assert {output.shape, output.t().shape} <= {weight.shape for weight in asked}
    assert any(len(output) not in weight.shape for weight in asked)  # one of the recurrence
    for (name, one), other in zip(exact.named_parameters(), narrow.parameters(), strict=True):
        if one.grad is not None:
            assert torch.allclose(other.grad.double(), one.grad, rtol=1e-3, atol=1e-4), name
