"""A model as search uses it, against the model itself."""

import copy
import math

import pytest
import torch
from small_models import MODELS, batch_of, small_model

from softalign.config import DecodingConfig
from softalign.data.tokenizer import BOS
from softalign.decoding import search
from softalign.models import packed
from softalign.models.seq2seq import Seq2Seq
from softalign.searcher import searcher

BF16 = 2.0**-8  # the largest relative error of rounding to bf16
SOURCES = [(7, 1), (5, 1), (2, 1)]


def first_steps(model: Seq2Seq, steps: int = 3) -> torch.Tensor:
    """Log-probabilities (steps, B, V) after BOS and the same tokens for every model."""
    batch, found = batch_of(*SOURCES), []
    with torch.no_grad():
        encoded = model.encode(batch.source, batch.source_lengths)
        state = model.start(encoded)
        for token in [BOS, *range(4, 3 + steps)]:
            log_probabilities, state, _ = model.step(torch.full((len(SOURCES),), token), state, encoded)
            found.append(log_probabilities)
    return torch.stack(found)


@pytest.mark.parametrize(("fusion", "cell", "options"), MODELS)
def test_bf16_differs_from_fp32_by_its_rounding_in_every_arm(fusion, cell, options):
    model = small_model(fusion, cell, **options).float()
    exact, narrow = first_steps(model), first_steps(searcher(model, "bf16"))
    assert narrow.dtype == torch.float32
    difference = (exact - narrow).abs().max().item()
    assert 0 < difference < 32 * BF16  # some tens of roundings of numbers around one
    assert torch.equal(first_steps(model), exact)  # the model has not been touched


def test_in_fp32_it_has_the_weights_of_the_model_and_its_numbers():
    model = small_model(vocabulary=40_000).float()  # an output layer that is large enough to be packed
    made = searcher(model, "fp32")
    assert all(own is other for own, other in zip(made.parameters(), model.parameters(), strict=True))
    assert made.decoder.readout.output._packed is not None or not packed._supported()
    for each in (made, copy.deepcopy(made), searcher(made, "fp32"), copy.deepcopy(made).double().float()):
        assert (first_steps(each) - first_steps(model)).abs().max() < 1e-5


def test_it_has_the_output_layer_of_the_model_not_a_copy():
    model = small_model(tie_embeddings=True).float()
    narrow = searcher(model, "bf16")
    assert narrow.decoder.readout.output.weight is model.decoder.readout.output.weight
    assert narrow.decoder.embedding.weight.dtype == torch.bfloat16
    assert model.decoder.embedding.weight.dtype == torch.float32


def test_candidates_do_not_tie_as_they_do_with_an_output_in_bf16():
    model = small_model(vocabulary=2000).float()
    kept, narrow = searcher(model, "bf16"), copy.deepcopy(model).to(torch.bfloat16)
    assert len(first_steps(kept, 1)[0, 0].unique()) > 1900
    assert len(first_steps(narrow, 1)[0, 0].unique()) < 1500


@pytest.mark.parametrize("fusion", ["vanilla", "bahdanau", "pointer_coverage"])
def test_search_finds_what_the_model_finds_where_hypotheses_differ_by_more_than_rounding(fusion):
    model, batch = small_model(fusion).float(), batch_of(*SOURCES)
    with torch.no_grad():
        model.decoder.readout.output.weight.mul_(20.0)
    config = DecodingConfig(beam_size=3, max_length_offset=3)
    exact, narrow = (
        search(searcher(model, name), batch.source, batch.source_lengths, config) for name in ("fp32", "bf16")
    )
    assert [found.tokens for found in narrow] == [found.tokens for found in exact]
    for one, other in zip(narrow, exact, strict=True):
        assert math.isclose(one.log_probability, other.log_probability, rel_tol=0.1, abs_tol=0.1)
