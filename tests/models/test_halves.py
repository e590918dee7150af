"""A loss in two threads against the loss in one."""

import pytest
import torch
from small_models import ARMS_AND_CELLS, batch_of, small_model

from softalign import second_thread
from softalign.models.halves import training_loss
from softalign.models.seq2seq import Seq2Seq

BATCH = [(7, 4), (5, 6), (5, 1), (3, 2), (1, 3)]  # an odd number: the halves are not equal


@pytest.fixture
def two_threads(set_threads):
    set_threads(2)


def gradients_of(model: Seq2Seq) -> dict[str, torch.Tensor | None]:
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad()
    return found


@pytest.mark.parametrize(("fusion", "cell"), ARMS_AND_CELLS)
def test_loss_and_gradients_are_those_of_the_whole_batch(two_threads, fusion, cell):
    model, batch = small_model(fusion, cell).train(), batch_of(*BATCH)
    whole = model.loss(batch, 0.1)
    (whole.objective / 3.0).backward()
    expected = gradients_of(model)
    halves = training_loss(model, batch, 0.1)
    (halves.objective / 3.0).backward()
    assert halves.tokens == whole.tokens
    assert torch.allclose(halves.objective, whole.objective)
    assert torch.allclose(halves.nll, whole.nll) and not halves.nll.requires_grad
    for name, gradient in gradients_of(model).items():
        assert (gradient is None) == (expected[name] is None), name
        if gradient is not None:
            assert torch.allclose(gradient, expected[name], atol=1e-12), name


def test_gradients_are_added_to_those_that_are_there(two_threads):
    model, batch = small_model().train(), batch_of(*BATCH)
    training_loss(model, batch).objective.backward()
    once = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    training_loss(model, batch).objective.backward()
    for name, parameter in model.named_parameters():
        assert torch.allclose(parameter.grad, 2.0 * once[name])


def test_the_seed_decides_on_dropout_whichever_thread_is_quicker(two_threads):
    model, batch = small_model(dropout=0.5, layers=2).train(), batch_of(*BATCH)

    def step(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        loss = training_loss(model, batch)
        loss.objective.backward()
        return [loss.objective.detach(), *(gradient for gradient in gradients_of(model).values())]

    first = step(1)
    for _ in range(20):
        assert all(torch.equal(one, other) for one, other in zip(first, step(1), strict=True))
    assert not torch.equal(first[0], step(2)[0])


def test_the_halves_have_masks_of_their_own(two_threads):
    model, batch = small_model(dropout=0.5).train(), batch_of((4, 3), (4, 3))
    for part in (batch.source, batch.target_in, batch.target_out):
        part[1] = part[0]
    losses = []
    plain, model.loss = model.loss, lambda *given: losses.append(plain(*given)) or losses[-1]
    training_loss(model, batch)
    assert len(losses) == 2 and not torch.equal(losses[0].nll, losses[1].nll)


def test_products_are_in_bf16_where_the_step_is(two_threads):
    model, batch = small_model().float().train(), batch_of(*BATCH)
    exact = training_loss(model, batch).objective
    with torch.autocast("cpu", torch.bfloat16):
        narrow = training_loss(model, batch).objective
        expected = model.loss(batch).objective
    assert not torch.equal(exact, narrow)
    assert torch.allclose(narrow, expected, rtol=1e-2)
    narrow.backward()
    assert {gradient.dtype for gradient in gradients_of(model).values()} == {torch.float32}


def test_threads_are_as_before_and_the_second_is_free_again_even_after_a_failure(two_threads, monkeypatch):
    model, batch = small_model(), batch_of(*BATCH)
    training_loss(model, batch)
    assert torch.get_num_threads() == 2 and second_thread.is_free()
    monkeypatch.setattr(model, "loss", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        training_loss(model, batch)
    assert torch.get_num_threads() == 2 and second_thread.is_free()


@pytest.mark.parametrize("rows", [1, 2])
def test_one_sentence_or_one_thread_is_not_halved(two_threads, rows):
    model, batch = small_model(), batch_of(*BATCH[:rows])
    if rows == 2:
        torch.set_num_threads(1)
    loss = training_loss(model, batch)
    assert type(loss.objective.grad_fn).__name__ != "_HalvesBackward"
    assert torch.equal(loss.objective, model.loss(batch).objective)
