"""The whole model: likelihood, losses, gradients, batches."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import ARMS, FEWER_MODELS, MODELS, VOCABULARY, batch_of, row_of, small_config, small_model

from softalign.models.readout import Seen
from softalign.models.seq2seq import Seq2Seq

LENGTHS = [(5, 4), (3, 6), (1, 0)]


@pytest.mark.parametrize(("fusion", "cell", "options"), FEWER_MODELS)
@settings(max_examples=8, deadline=None)
@given(lengths=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 6)), min_size=1, max_size=5))
def test_a_row_of_a_batch_is_as_likely_as_the_row_alone(fusion, cell, options, lengths):
    model, batch = small_model(fusion, cell, **options), batch_of(*lengths)
    together = model.negative_log_likelihood(batch)
    alone = torch.cat([model.negative_log_likelihood(row_of(batch, row)) for row in range(len(lengths))])
    assert torch.allclose(together, alone)


@pytest.mark.parametrize("fusion", ARMS)
def test_likelihood_is_the_product_of_the_softmax_at_each_token(fusion):
    model, batch = small_model(fusion), batch_of(*LENGTHS)
    probabilities = model(batch)[0].detach().softmax(dim=-1)
    nll = model.negative_log_likelihood(batch)
    for row in range(len(batch)):
        tokens = [int(token) for token in batch.target_out[row] if token != 0]
        product = math.prod(float(probabilities[row, step, token]) for step, token in enumerate(tokens))
        assert math.isclose(nll[row].item(), -math.log(product), rel_tol=1e-6)
    loss = model.loss(batch)
    assert loss.tokens == batch.n_target_tokens
    assert torch.allclose(loss.nll, nll.sum())
    if fusion != "pointer_coverage":  # whose objective is more than the likelihood
        assert torch.allclose(loss.objective, nll.sum())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("fusion", "cell", "options"), MODELS)
def test_every_parameter_gets_a_gradient(fusion, cell, options, smoothing):
    model, batch = small_model(fusion, cell, layers=2, dropout=0.2, **options).train(), batch_of(*LENGTHS)
    model.loss(batch, smoothing).objective.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("fusion", ARMS)
def test_padding_has_no_gradient(fusion):
    model, batch = small_model(fusion), batch_of(*LENGTHS)
    model.loss(batch).objective.backward()
    assert not model.encoder.embedding.weight.grad[0].any()
    assert not model.decoder.embedding.weight.grad[0].any()


def test_without_a_deep_output_the_vocabulary_sees_state_context_and_token_themselves():
    """As in github.com/bentrevett/pytorch-seq2seq, notebook 3, which counts 20,518,405 parameters: 512 of them
    are a bias in its attention, which the additive score (Bahdanau et al. 2015) does not have."""
    sizes = {"embedding_size": 256, "hidden_size": 512, "encoder_size": 1024, "attention_size": 512}
    config = small_config("bahdanau", "gru", **sizes, deep_output=False, tie_embeddings=False)
    with torch.device("meta"):
        model = Seq2Seq(config, 7853, 5893, shared_vocabulary=False)
    assert sum(parameter.numel() for parameter in model.parameters()) == 20_518_405 - 512
    small = small_model("bahdanau", "gru", deep_output=False)
    readout = small.decoder.readout
    features, embedded = torch.randn(3, 12).double(), torch.randn(3, 4).double()  # [h; c] and x
    by_hand = torch.cat((features, embedded), dim=-1) @ readout.output.weight.T + readout.output.bias
    torch.testing.assert_close(readout(Seen(features, embedded)), by_hand)


def test_tied_embeddings_are_one_matrix():
    def parameters(tie: bool, shared: bool) -> int:
        model = Seq2Seq(small_config(tie_embeddings=tie), VOCABULARY, VOCABULARY, shared_vocabulary=shared)
        return sum(parameter.numel() for parameter in model.parameters())

    matrix = VOCABULARY * 4
    assert parameters(False, True) - parameters(True, False) == matrix  # output with target
    assert parameters(False, True) - parameters(True, True) == 2 * matrix  # and source
    model = Seq2Seq(small_config(tie_embeddings=True), VOCABULARY, VOCABULARY, shared_vocabulary=True)
    assert model.encoder.embedding.weight is model.decoder.embedding.weight is model.decoder.readout.output.weight


@pytest.mark.parametrize("fusion", ARMS)
def test_dropout_is_for_training_only(fusion):
    model, batch = small_model(fusion, dropout=0.5), batch_of(*LENGTHS)
    assert torch.equal(model(batch)[0], model(batch)[0])
    model.train()
    assert not torch.equal(model(batch)[0], model(batch)[0])


@pytest.mark.parametrize(("fusion", "cell", "options"), MODELS)
def test_bf16_autocast_trains(fusion, cell, options):
    model, batch = small_model(fusion, cell, **options).float().train(), batch_of(*LENGTHS)
    exact = model.loss(batch).objective
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model.loss(batch).objective
    loss.backward()
    assert torch.isclose(loss.float(), exact, rtol=0.05)
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("fusion", ARMS)
def test_an_arm_learns_to_copy_one_word(fusion):
    torch.manual_seed(0)
    model, batch = small_model(fusion, hidden_size=16).float().train(), batch_of(*[(1, 1)] * 32)
    batch.target_in[:, 1], batch.target_out[:, 0] = batch.source[:, 0], batch.source[:, 0]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(80):
        loss = model.loss(batch)
        optimizer.zero_grad()
        loss.objective.backward()
        optimizer.step()
    assert loss.nll.item() / loss.tokens < 0.3  # guessing: ln 8 / 2
