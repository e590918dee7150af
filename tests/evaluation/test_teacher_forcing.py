import numpy as np
import pytest
import torch
from random_model import random_model, random_rows

from softalign.config import DecodingConfig
from softalign.data.batching import collate
from softalign.data.tokenizer import EOS
from softalign.decoding import search
from softalign.evaluation.teacher_forcing import attention_over, negative_log_likelihoods

CPU = torch.device("cpu")
ARMS = ("vanilla", "multiply", "bahdanau")


@pytest.mark.parametrize("fusion", ARMS)
def test_likelihood_is_the_sum_of_the_targets_log_probabilities(fusion):
    model, rows = random_model(fusion), random_rows(9)
    found = negative_log_likelihoods(model, rows, 4, CPU)
    for value, row in zip(found, rows, strict=True):
        with torch.no_grad():
            logits, _ = model(collate([row]))
        log_probabilities = logits[0].log_softmax(dim=-1)
        expected = -sum(float(log_probabilities[step, token]) for step, token in enumerate([*row[2], EOS]))
        assert value == pytest.approx(expected, abs=1e-4)


def test_the_size_of_a_batch_does_not_matter_and_rows_keep_their_order():
    model, rows = random_model("bahdanau"), random_rows(12)
    one, all_at_once = (negative_log_likelihoods(model, rows, size, CPU) for size in (1, 12))
    np.testing.assert_allclose(one, all_at_once, atol=1e-4)
    np.testing.assert_allclose(negative_log_likelihoods(model, rows[::-1], 5, CPU), one[::-1], atol=1e-4)


def test_progress_counts_every_row():
    seen = []
    negative_log_likelihoods(random_model("vanilla"), random_rows(10), 4, CPU, seen.append)
    assert seen == [4, 4, 2]


@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_attention_is_a_distribution_over_the_source_for_each_target_token(fusion):
    model, rows = random_model(fusion), random_rows(10)
    found = dict(attention_over(model, rows, 4, CPU))
    assert sorted(found) == [index for index, _, _ in rows]
    for index, source, target in rows:
        assert found[index].shape == (len(target) + 1, len(source) + 1)
        np.testing.assert_allclose(found[index].sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_row_t_of_attention_is_paid_while_token_t_is_predicted(fusion):
    # Step by step: the weights that come with the log-probabilities of target token t.
    model, row = random_model(fusion), random_rows(1)[0]
    batch = collate([row])
    (_, weights), *_ = attention_over(model, [row], 1, CPU)
    with torch.no_grad():
        encoded = model.encode(batch.source, batch.source_lengths)
        state = model.start(encoded)
        for step, token in enumerate(batch.target_in[0]):
            _, state, expected = model.step(token.view(1), state, encoded)
            np.testing.assert_allclose(weights[step], expected[0].numpy(), atol=1e-5)


def test_attention_over_a_prediction_is_that_of_the_search():
    model, rows = random_model("bahdanau"), random_rows(1)
    batch = collate(rows)
    config = DecodingConfig(beam_size=2, max_length_offset=4)
    hypothesis = search(model, batch.source, batch.source_lengths, config, with_weights=True)[0]
    ((_, weights),) = attention_over(model, [(0, rows[0][1], hypothesis.tokens)], 1, CPU)
    np.testing.assert_allclose(weights, hypothesis.weights.numpy(), atol=1e-5)


def test_an_arm_without_attention_has_none():
    assert list(attention_over(random_model("vanilla"), random_rows(3), 2, CPU)) == []
