"""The fast path against the plain loop, and its derivatives against finite differences."""

import pytest
import torch
from small_models import ATTENDING, CELLS, MODELS, batch_of, small_model
from torch import Tensor, nn

from softalign.models import options, recurrence
from softalign.models.fusion import FUSIONS, Bahdanau, Fusion, Luong, Multiply, Vanilla

LENGTHS = [(5, 4), (3, 6), (1, 0)]


def results(model, batch, objective, plainly=False) -> list[Tensor | None]:
    """Logits, weights, and every parameter's gradient of an objective of both, by one of the loops."""
    with pytest.MonkeyPatch.context() as patch:
        if plainly:
            patch.setattr(type(model.decoder.fusion), "unroll", Fusion.unroll_plainly)
        logits, weights = model(batch)
    model.zero_grad()
    objective(logits, weights).backward()
    return [logits, weights, *(parameter.grad for parameter in model.parameters())]


def agree(model, batch, objective) -> None:
    ours, theirs = results(model, batch, objective), results(model, batch, objective, plainly=True)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine is None) == (other is None)
        assert mine is None or torch.allclose(mine, other, atol=1e-10)


def of_both(logits: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return (logits**2).sum()
    return (logits**2).sum() + (torch.arange(weights.numel()).view_as(weights) * weights).sum()


@pytest.mark.parametrize("lengths", [LENGTHS, [(2, 0)]], ids=["padding", "one step"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("fusion", "cell", "options"), [model for model in MODELS if model[0] in ATTENDING])
def test_the_fast_path_is_the_plain_loop(fusion, cell, options, layers, lengths):
    agree(small_model(fusion, cell, layers=layers, **options), batch_of(*lengths), of_both)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("score", options.SCORES)
@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_the_fast_path_is_the_plain_loop_whatever_the_score(fusion, score, layers):
    agree(small_model(fusion, score=score, layers=layers), batch_of(*LENGTHS), of_both)


@pytest.mark.parametrize("fusion", ATTENDING)
@pytest.mark.parametrize("layers", [1, 2])
def test_with_relu(fusion, layers):
    agree(small_model(fusion, activation="relu", layers=layers), batch_of(*LENGTHS), of_both)


@pytest.mark.parametrize("fusion", ATTENDING)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("objective", [lambda logits, _: logits.sum(), lambda _, weights: (weights**2).sum()])
def test_an_objective_of_one_output_alone(fusion, layers, objective):
    agree(small_model(fusion, layers=layers), batch_of(*LENGTHS), objective)


@pytest.mark.parametrize("fusion", ATTENDING)
@pytest.mark.parametrize("layers", [1, 2])
def test_twice_in_one_graph_and_twice_backwards(fusion, layers):
    model, batch = small_model(fusion, layers=layers), batch_of(*LENGTHS)
    once = results(model, batch, of_both)[2:]
    once = [gradient.clone() for gradient in once]
    objective = of_both(*model(batch)) + 2 * of_both(*model(batch))
    torch.autograd.grad(objective, list(model.encoder.parameters()), retain_graph=True)
    torch.autograd.grad(objective, [model.decoder.embedding.weight], retain_graph=True)  # not through every tensor
    for _ in range(2):
        model.zero_grad()
        objective.backward(retain_graph=True)
        for parameter, gradient in zip(model.parameters(), once, strict=True):
            assert torch.allclose(parameter.grad, 3 * gradient)


@pytest.mark.parametrize("fusion", ATTENDING)
def test_without_gradients_it_is_the_same(fusion):
    model, batch = small_model(fusion), batch_of(*LENGTHS)
    logits, weights = model(batch)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(model(batch), (logits, weights), strict=True))


class OtherStep(Bahdanau):
    def step(self, projected, state, encoded):
        return super().step(projected / 2, state, encoded)


class OtherQuery(Bahdanau):
    def query(self, state):
        return super().query(state) / 2


class OtherLook(Bahdanau):
    def look(self, state, encoded):
        context, through_weight, weights = super().look(state, encoded)
        return context / 2, through_weight, weights


class OtherAttend(Multiply):
    def attend(self, query, encoded):
        return super().attend(query / 2, encoded)


class OtherFuse(Multiply):
    def fuse(self, context, hidden):
        return super().fuse(context, hidden) / 2


class OtherVanilla(Vanilla):
    def step(self, projected, state, encoded):
        return super().step(projected / 2, state, encoded)


class OtherLuong(Luong):
    def attend(self, query, encoded):
        return super().attend(query / 2, encoded)


class OtherProjection(Luong):
    def project(self, embedded):
        return super().project(embedded) / 2


CHANGED = {
    OtherStep: "bahdanau",
    OtherQuery: "bahdanau",
    OtherLook: "bahdanau",
    OtherAttend: "multiply",
    OtherFuse: "multiply",
    OtherVanilla: "vanilla",
    OtherLuong: "luong",
    OtherProjection: "luong",
}


@pytest.mark.parametrize(("changed", "fusion"), CHANGED.items())
def test_a_changed_step_is_not_overlooked(monkeypatch, changed, fusion):
    """The step itself, or one of its parts alone: the parent's loop, which has the fast path's own, is not run."""
    monkeypatch.setitem(FUSIONS, fusion, changed)
    agree(small_model(fusion), batch_of(*LENGTHS), of_both)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("fusion", ATTENDING)
def test_derivatives_of_whole_loops(fusion, cell):
    model, batch = (
        small_model(fusion, cell, hidden_size=2, embedding_size=2, attention_size=2),
        batch_of((1, 1), (0, 1)),
    )
    encoded = model.encode(batch.source, batch.source_lengths)
    inputs = (torch.randn(2, 2, 2).double(), encoded.memory.detach(), torch.randn(2, 2).double())

    def loop(embedded: Tensor, memory: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        again = type(encoded)(encoded.source, memory, encoded.mask, encoded.padding, encoded.final)
        again = again.with_keys(model.decoder.fusion.prepare(memory))
        state = model.decoder.fusion.start((hidden,), (hidden * 2,) if cell == "lstm" else (), again)
        return tuple(model.decoder.fusion.unroll(embedded, state, again))

    assert torch.autograd.gradcheck(loop, [part.clone().requires_grad_() for part in inputs])


@pytest.mark.parametrize("cell", CELLS)
def test_derivatives_of_a_whole_sequence(cell):
    torch.manual_seed(0)
    gates = {"elman": 1, "gru": 3, "lstm": 4}[cell]
    layer = {"elman": recurrence.ElmanLayer, "gru": recurrence.GRULayer, "lstm": recurrence.LSTMLayer}[cell]
    shapes = {"gates": (3, 2, 2, gates * 2), "hidden": (2, 2, 2), "cell": (2, 2, 2), "weight": (2, gates * 2, 2)}
    inputs = {name: torch.randn(*shape).double().requires_grad_() for name, shape in shapes.items()}
    if cell != "lstm":
        inputs["cell"] = None
    bias = torch.randn(2, gates * 2).double().requires_grad_() if cell == "gru" else None
    assert torch.autograd.gradcheck(lambda *given: recurrence.sequence(layer, *given), (*inputs.values(), bias))


def test_a_matrix_of_an_arm_gets_one_gradient_for_all_steps():
    torch.manual_seed(0)
    matrix = nn.Linear(3, 3).double()
    inputs = torch.randn(4, 3).double()

    def steps() -> Tensor:
        hidden = inputs
        for _ in range(3):
            hidden = torch.tanh(recurrence.linear(hidden, matrix.weight, matrix.bias))
        return hidden.sum()

    plain = torch.autograd.grad(steps(), list(matrix.parameters()))
    with recurrence.unrolling():
        fast = torch.autograd.grad(steps(), list(matrix.parameters()))
    assert all(torch.allclose(mine, other) for mine, other in zip(fast, plain, strict=True))


def test_large_energies_stay_finite():
    model, batch = small_model("bahdanau").float(), batch_of(*LENGTHS)
    with torch.no_grad():
        for linear in (model.decoder.fusion.attention.query, model.decoder.fusion.attention.key):
            linear.weight.mul_(1000.0)
    model.loss(batch).objective.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}, {"score": "multi_head", "heads": 2}])
def test_nothing_of_a_pass_outlives_it(options):
    import gc

    model, batch = small_model("bahdanau", **options), batch_of(*LENGTHS)
    gc.collect()
    gc.disable()
    try:
        before = sum(issubclass(type(thing), recurrence.Shared) for thing in gc.get_objects())
        model.loss(batch).objective.backward()
        assert sum(issubclass(type(thing), recurrence.Shared) for thing in gc.get_objects()) == before
    finally:
        gc.enable()
