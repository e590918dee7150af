"""The arms: their equations, written out for one sentence, and what they share."""

import pytest
import torch
from small_models import CELLS, MODELS, batch_of, small_config, small_model

from softalign.models import options
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion import FUSIONS, Attending, FusionStep, register
from softalign.models.seq2seq import Seq2Seq

LENGTHS = [(5, 4), (3, 6), (1, 0)]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("fusion", "cell", "options"), MODELS)
def test_unrolling_is_stepping(fusion, cell, options, layers):
    model, batch = small_model(fusion, cell, layers=layers, **options), batch_of(*LENGTHS)
    logits, weights = model(batch)
    encoded = model.encode(batch.source, batch.source_lengths)
    state = model.start(encoded)
    for step in range(batch.target_in.size(1)):
        log_probabilities, state, step_weights = model.step(batch.target_in[:, step], state, encoded)
        assert torch.allclose(log_probabilities, logits[:, step].log_softmax(dim=-1))
        if weights is None:
            assert step_weights is None
        else:
            assert torch.allclose(step_weights, weights[:, step])


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("fusion", "cell", "options"), MODELS)
def test_what_is_prepared_for_beams_changes_no_step(fusion, cell, options, layers):
    model, batch = small_model(fusion, cell, layers=layers, **options), batch_of(*LENGTHS)
    encoded = model.encode(batch.source, batch.source_lengths)
    prepared = model.decoder.fusion.for_beams(encoded).select(torch.tensor([2, 0]))
    encoded = encoded.select(torch.tensor([2, 0]))
    beams = torch.tensor([0, 0, 0, 1, 1, 1])
    state = other = model.start(encoded).select(beams)
    for tokens in torch.tensor([[3, 4, 5, 6, 7, 8], [8, 3, 3, 4, 10, 9]]):
        expected, state, weights = model.step(tokens, state, encoded)
        found, other, other_weights = model.step(tokens, other, prepared)
        torch.testing.assert_close((found, other.hidden, other_weights), (expected, state.hidden, weights))


def test_multiply_by_hand():
    """With W_x = W_h = 0 and b = (1/2, -1/4) through ReLU, ĥ = (1/2, 0).

    m_1 = (2 ln 3, 5) scores ln 3 and m_2 = (0, 1) scores 0: α = (3/4, 1/4), c = (3/2 ln 3, 4),
    h̃ = c ⊙ ĥ = (3/4 ln 3, 0).
    """
    model = small_model("multiply", hidden_size=2, activation="relu")
    fusion, log3 = model.decoder.fusion, torch.tensor(3.0).double().log()
    with torch.no_grad():
        for parameter in fusion.cell.kernel.parameters():
            parameter.zero_()
        fusion.cell.kernel.bias_ih_l0.copy_(torch.tensor([0.5, -0.25]))
    memory = torch.stack(
        [torch.stack([2 * log3, torch.tensor(5.0).double()]), torch.tensor([0.0, 1.0]).double()]
    ).unsqueeze(0)
    encoded = EncoderOutput(
        source=torch.tensor([[3, 2]]),
        memory=memory,
        mask=torch.ones(1, 2, dtype=torch.bool),
        padding=torch.zeros(1, 1, 2).double(),
        final=torch.zeros(1, 1, 2).double(),
        keys=memory,
    )
    projected = fusion.cell.project(torch.randn(1, 4).double())
    features, state, weights = fusion.step(projected, State((torch.ones(1, 2).double(),)), encoded)
    assert torch.allclose(weights, torch.tensor([[0.75, 0.25]]).double())
    assert torch.allclose(features, torch.stack([0.75 * log3, torch.zeros(()).double()]))
    assert torch.equal(state.top, features)


@pytest.mark.parametrize("cell", CELLS)
def test_multiply_adds_no_parameter(cell):
    def count(fusion: str) -> int:
        return sum(parameter.numel() for parameter in small_model(fusion, cell, layers=2).parameters())

    assert count("multiply") == count("vanilla")


def test_multiply_feeds_the_product_back_and_leaves_the_memory_cell_and_lower_layers():
    model, batch = small_model("multiply", "lstm", layers=2), batch_of((3, 1))
    encoded = model.encode(batch.source, batch.source_lengths)
    before, fusion = model.start(encoded), model.decoder.fusion
    projected = fusion.cell.project(torch.randn(1, 4).double())
    plain = fusion.cell(projected, before)
    context, _ = fusion.attend(plain.top, encoded)
    features, after, _ = fusion.step(projected, before, encoded)
    assert torch.allclose(features, context * plain.top) and torch.equal(after.top, features)
    assert torch.equal(after.hidden[0], plain.hidden[0])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(after.cells, plain.cells, strict=True))


def test_bahdanau_written_out():
    model, batch = small_model("bahdanau"), batch_of((4, 1))
    encoded = model.encode(batch.source, batch.source_lengths)
    fusion, state, x = model.decoder.fusion, model.start(encoded), torch.randn(1, 4).double()
    features, after, weights = fusion.step(fusion.cell.project(x), state, encoded)
    attention, kernel, memory = fusion.attention, fusion.cell.kernel, encoded.memory[0]
    energies = [
        attention.v @ torch.tanh(attention.query.weight @ state.top[0] + attention.key.weight @ m_i) for m_i in memory
    ]
    alpha = torch.stack(energies).softmax(dim=0)
    context = sum(a * m_i for a, m_i in zip(alpha, memory, strict=True))
    weight = torch.cat([kernel.weight_ih_l0, fusion.cell.context.weight], dim=1)  # of [x; c]
    bias = kernel.bias_ih_l0 + kernel.bias_hh_l0
    hidden = torch.tanh(weight @ torch.cat([x[0], context]) + kernel.weight_hh_l0 @ state.top[0] + bias)
    assert torch.allclose(weights[0], alpha)
    assert torch.allclose(after.top[0], hidden)
    assert torch.allclose(features[0], torch.cat([hidden, context]))


@pytest.mark.parametrize("score", options.SCORES)
@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_every_score_goes_with_every_arm_that_attends(fusion, score):
    model, batch = small_model(fusion, score=score), batch_of(*LENGTHS)
    _, weights = model(batch)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(()).double())
    for row, length in enumerate(batch.source_lengths):
        assert (weights[row, :, length:] == 0.0).all()


def test_a_new_arm_is_one_class(monkeypatch):
    """Luong's decoder with input feeding (Luong et al. 2015): trained, stepped, searched by what is there already."""
    monkeypatch.setitem(options.FUSIONS, "luong", options.FusionOption(attends=True))
    monkeypatch.setitem(FUSIONS, "luong", None)  # so that the registration below is undone after the test

    @register("luong")
    class Luong(Attending):
        def __init__(self, config):
            super().__init__(config)
            self.combine = torch.nn.Linear(2 * config.hidden_size, config.hidden_size, bias=False)

        @staticmethod
        def context_size(config):
            return config.hidden_size

        def start(self, hidden, cells, encoded):
            return State(hidden, cells, fed=(torch.zeros_like(hidden[-1]),))

        def step(self, projected, state, encoded):
            state = self.cell(projected, state, state.fed[0])
            context, weights = self.attend(state.top, encoded)
            features = torch.tanh(self.combine(torch.cat((context, state.top), dim=-1)))
            return FusionStep(features, State(state.hidden, state.cells, (features,)), weights)

    model, batch = Seq2Seq(small_config("luong"), 11, 11), batch_of(*LENGTHS)
    model.loss(batch).objective.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    encoded = model.eval().encode(batch.source, batch.source_lengths)
    _, state, _ = model.step(batch.target_in[:, 0], model.start(encoded).select(torch.tensor([0, 1, 2])), encoded)
    assert state.fed[0].shape == (3, 6)
