"""Probes of a model: gradients against autograd and against a derivative written out by hand, norms, entropies."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_model import random_model, random_rows
from torch import Tensor, nn

from softalign.config import EvaluationConfig
from softalign.data.batching import Batch, collate
from softalign.data.probes import recall
from softalign.errors import UserError
from softalign.evaluation import probes
from softalign.evaluation.probes import (
    SourceGradients,
    TokenGradients,
    attention_entropy,
    gradients_by_lag,
    marked_lags,
    recall_by_lag,
    recurrent_lags,
    sampled,
    source_gradients,
    state_norms,
    tokens_at_lag,
)
from softalign.models.seq2seq import Seq2Seq

CPU = torch.device("cpu")
ARMS = ("vanilla", "multiply", "bahdanau")


def rows_of_one_length() -> list[Any]:
    return [(7, [3, 4, 5, 6], [8, 9]), (9, [6, 6, 3], [4])]


class LinearRNN(nn.Module):
    """h_t = w h_{t-1} + e_t over scalars; two logits (0, h_S) at the only step: p = σ(h_S) is that of token 1."""

    def __init__(self, w: float, values: list[float]) -> None:
        super().__init__()
        self.w = w
        embedding = nn.Embedding.from_pretrained(torch.tensor(values, dtype=torch.float64).unsqueeze(1), freeze=False)
        self.encoder = SimpleNamespace(embedding=embedding)

    def forward(self, batch: Batch) -> tuple[Tensor, None]:
        embedded = self.encoder.embedding(batch.source.t())
        hidden = torch.zeros(len(batch), 1, dtype=torch.float64)
        for step in embedded.unbind(0):
            hidden = self.w * hidden + step
        logits = torch.cat((torch.zeros_like(hidden), hidden), dim=1).unsqueeze(1)  # (B, 1, 2)
        return F.log_softmax(logits, dim=-1), None


def test_gradients_of_a_linear_rnn_are_powers_of_its_weight() -> None:
    w, values = 0.8, [0.0, 0.0, 0.5, 0.7, -0.4, 0.3]
    model = LinearRNN(w, values)
    source = torch.tensor([[3, 4, 5, 3, 2]])
    batch = Batch(source, torch.tensor([5]), torch.tensor([[1]]), torch.tensor([[1]]), torch.tensor([0]))

    def one_batch(_rows: Any, _size: int) -> list[Batch]:
        return [batch]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "sorted_batches", one_batch)
        (found,) = source_gradients(model, [], CPU)  # type: ignore[arg-type]
    state = sum(w ** (4 - place) * values[token] for place, token in enumerate(source[0].tolist()))
    missing = 1 - 1 / (1 + np.exp(-state))  # 1 - p of the target: ∂L/∂h_S = p - 1
    np.testing.assert_allclose(found.norms, [missing * w ** (4 - place) for place in range(5)], rtol=1e-12)
    assert found.error == pytest.approx(np.sqrt(2) * missing)  # both logits are off by as much
    every = TokenGradients.of_every_token(found, recurrent_lags(4, random_encoder(bidirectional=False)))
    records = gradients_by_lag([every])
    assert [record["low"] for record in records] == [0, 1, 2, 3]
    for record in records:  # the end of the source stands between the last token and the last state
        assert record["relative"] == pytest.approx(w ** (record["low"] + 1) / np.sqrt(2))  # type: ignore[operator]


def random_encoder(bidirectional: bool = True, reverse_source: bool = False) -> Any:
    from softalign.config import ModelConfig

    options: dict[str, Any] = {"bidirectional": bidirectional, "reverse_source": reverse_source}
    config = ModelConfig(name="vanilla", fusion="vanilla", embedding_size=4, hidden_size=4, **options)
    return Seq2Seq(config, 8, 8).encoder


@pytest.mark.parametrize("fusion", ARMS)
def test_gradients_are_those_of_nudging_the_embeddings(fusion: str) -> None:
    model = random_model(fusion).double()
    rows = rows_of_one_length()
    found = {gradients.row: gradients for gradients in source_gradients(model, rows, CPU)}
    step = 1e-5
    for index, source, target in rows:
        batch = collate([(index, source, target)])
        for place, token in enumerate([*source, 2]):
            squares = 0.0
            for entry in range(8):
                losses = []
                for sign in (1, -1):
                    nudged = copy.deepcopy(model)
                    original = nudged.encoder.embedding.forward

                    def forward(ids: Tensor, original: Any = original, sign: int = sign) -> Tensor:
                        embedded = original(ids).clone()
                        embedded[place, 0, entry] += sign * step  # noqa: B023
                        return embedded

                    nudged.encoder.embedding.forward = forward  # type: ignore[method-assign]
                    with torch.no_grad():
                        losses.append(float(nudged.negative_log_likelihood(batch)))
                squares += ((losses[0] - losses[1]) / (2 * step)) ** 2
            assert found[index].norms[place] == pytest.approx(np.sqrt(squares), rel=1e-4), (place, token)


@pytest.mark.parametrize("fusion", ARMS)
def test_padding_changes_no_gradient_and_parameters_keep_theirs(fusion: str) -> None:
    model, rows = random_model(fusion).double(), random_rows(12)
    together = {gradients.row: gradients for gradients in source_gradients(model, rows, CPU)}
    assert set(together) == {index for index, _, _ in rows}
    for row in rows:
        (alone,) = source_gradients(model, [row], CPU)
        np.testing.assert_allclose(together[row[0]].norms, alone.norms, rtol=1e-9)
        assert together[row[0]].error == pytest.approx(alone.error)
        assert len(alone.norms) == len(row[1]) + 1
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_error_is_the_gradient_of_the_logits() -> None:
    model, row = random_model("bahdanau").double(), (0, [3, 4, 5], [6, 7])
    batch = collate([row])
    logits = model(batch)[0].detach().requires_grad_()  # log p is as good as any logits
    F.cross_entropy(logits[0], batch.target_out[0], reduction="sum").backward()
    (found,) = source_gradients(model, [row], CPU)
    assert logits.grad is not None
    assert found.error == pytest.approx(float(logits.grad.norm()))


@pytest.mark.parametrize(
    ("options", "lags"),
    [
        ({"bidirectional": False}, [4, 3, 2, 1, 0]),
        ({"bidirectional": False, "reverse_source": True}, [0, 1, 2, 3, 4]),
        ({"bidirectional": True}, [0, 1, 2, 1, 0]),
        ({"bidirectional": True, "reverse_source": True}, [0, 1, 2, 1, 0]),
    ],
)
def test_a_lag_is_the_way_to_the_nearer_end_that_is_read(options: dict[str, bool], lags: list[int]) -> None:
    assert recurrent_lags(5, random_encoder(**options)).tolist() == lags


def test_the_gradients_of_one_word_are_taken_together() -> None:
    found = TokenGradients.of_item(SourceGradients(0, np.array([1.0, 3.0, 4.0, 9.0]), 2.0), np.array([1, 2]), 6)
    assert (found.lags.tolist(), found.norms.tolist()) == ([6], [5.0])
    (record,) = gradients_by_lag([found, replace(found, norms=np.array([1.0]), error=0.0)])
    assert record == {"low": 6, "high": 6, "tokens": 2, "norm": 3.0, "relative": 2.5}
    (nothing,) = gradients_by_lag([replace(found, error=0.0)])
    assert nothing["relative"] is None


@pytest.mark.parametrize("fusion", ARMS)
def test_state_norms_are_those_of_each_row_alone(fusion: str) -> None:
    model, rows = random_model(fusion), random_rows(8)
    found = state_norms(model, rows, CPU)
    encoder: dict[int, list[float]] = {}
    by_lag: dict[int, list[float]] = {}
    decoder: dict[int, list[float]] = {}
    with torch.no_grad():
        for row in rows:
            batch = collate([row])
            encoded = model.encode(batch.source, batch.source_lengths)
            last = len(encoded.memory[0]) - 1  # the end of the source, which has no lag
            for place, memory in enumerate(encoded.memory[0]):
                encoder.setdefault(place, []).append(float(memory.square().sum().sqrt()))
                if place < last:  # in both directions
                    by_lag.setdefault(min(place, last - 1 - place), []).append(encoder[place][-1])
            features = model.decoder.unroll(model.decoder.embed(batch.target_in), encoded).features[0, :, :12]
            for place, state in enumerate([model.start(encoded).top[0], *features]):  # the features begin with h_t
                decoder.setdefault(place, []).append(float(state.square().sum().sqrt()))
    for side, expected in (
        ("encoder", encoder),
        ("encoder_by_lag", dict(sorted(by_lag.items()))),
        ("decoder", decoder),
    ):
        assert [record["place"] for record in found[side]] == list(expected)
        assert [record["states"] for record in found[side]] == [len(values) for values in expected.values()]
        means = [float(np.mean(values)) for values in expected.values()]
        np.testing.assert_allclose([record["norm"] for record in found[side]], means, rtol=1e-5)


def test_attention_that_does_not_choose_has_the_entropy_ln_n() -> None:
    model = random_model("multiply")
    for parameter in model.encoder.parameters():
        nn.init.zeros_(parameter)  # every memory is zero, and so is every energy
    rows = [(0, [3, 4, 5], [6, 7]), (1, [3] * 7, [6])]
    found = attention_entropy(model, rows, CPU)
    assert found is not None
    expected = (2 * np.log(4) + np.log(8)) / 3  # target tokens, and source tokens with the end
    assert found["entropy"] == pytest.approx(expected) and found["uniform"] == pytest.approx(expected)
    assert attention_entropy(random_model("vanilla"), rows, CPU) is None


def test_recall_by_lag_scores_each_bucket_of_lags() -> None:
    lags = [n // 10 for n in range(200)]
    predictions = ["A" if lag < 10 else "B" for lag in lags]
    buckets = recall_by_lag(lags, predictions, [["A"]] * 200, EvaluationConfig(bootstrap_samples=100))
    assert len(buckets) == probes.LAG_BUCKETS and sum(bucket["rows"] for bucket in buckets) == 200  # type: ignore[misc]
    for bucket in buckets:
        right = 100.0 if bucket["high"] < 10 else 0.0  # type: ignore[operator]
        assert bucket["score"] == bucket["ci_low"] == bucket["ci_high"] == right


def test_the_marked_value_is_the_word_that_so_many_come_after() -> None:
    tokenizer: Any = SimpleNamespace(word_spans=lambda _: [0, 0, 1, 2, 2, 3])  # the word of each token of the source
    source = f"a {recall.MARKER} B c"
    (lag,) = marked_lags([source])
    assert tokens_at_lag(lag, source, tokenizer).tolist() == [3, 4]  # of B
    assert tokens_at_lag(0, source, tokenizer).tolist() == [5]


def test_a_source_without_a_marker_says_what_to_do() -> None:
    assert marked_lags([f"a {recall.MARKER} B c d"]) == [2]
    with pytest.raises(UserError, match="data=recall"):
        marked_lags(["a b"])


def test_the_sample_is_fixed_and_in_order() -> None:
    rows = random_rows(130)
    chosen = sampled(rows)
    assert len(chosen) == probes.SAMPLE and chosen == sampled(rows)
    assert [row[0] for row in chosen] == sorted(row[0] for row in chosen)
    assert sampled(rows[:5]) == rows[:5]
