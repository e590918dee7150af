import numpy as np
import pytest
import torch
from random_model import random_model, random_rows
from torch import nn

from softalign.evaluation import cost_by_length
from softalign.evaluation.cost_by_length import kept_for_backward, seconds_by_length, training_memory_by_length
from softalign.evaluation.lengths import length_buckets
from softalign.evaluation.rows import sorted_batches
from softalign.models.loss import SequenceLoss


def test_a_timing_for_each_bucket_on_its_own_rows():
    rows = [(place, source, target) for place, (_, source, target) in enumerate(random_rows(30))]
    buckets = length_buckets([len(source) for _, source, _ in rows], 3)
    model, batches = random_model("bahdanau"), []

    def run(batch):
        batches.append(batch)
        model.negative_log_likelihood(batch)
        return int(batch.target_mask.sum())

    found = seconds_by_length(buckets, rows, torch.device("cpu"), run, repeats=2)
    assert [(t["low"], t["high"], t["rows"]) for t in found] == [(b.low, b.high, len(b.rows)) for b in buckets]
    assert all(t["seconds"] > 0 for t in found)
    tokens = [sum(len(rows[row][2]) + 1 for row in bucket.rows) for bucket in buckets]  # + end of sentence
    assert [t["tokens"] for t in found] == tokens
    timed = [set(batch.rows.tolist()) for batch in batches[::2]]
    assert timed == [set(bucket.rows.tolist()) for bucket in buckets]


def test_a_large_bucket_is_sampled_evenly(monkeypatch):
    monkeypatch.setattr(cost_by_length, "ROWS", 3)
    rows = [(place, [5], [5]) for place in range(9)]
    seen = []

    def run(batch):
        seen.append(batch.rows)
        return 0

    found = seconds_by_length(length_buckets([1] * 9, 1), rows, torch.device("cpu"), run, 1)
    assert found[0]["rows"] == 3
    assert np.sort(seen[0].numpy()).tolist() == [0, 4, 8]


class Tanh(nn.Module):
    """tanh(w x) twice over one x: autograd keeps x, once, and both results; not w."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(6))

    def loss(self, x):
        assert self.training
        return SequenceLoss(*[(self.w * x).tanh().sum() + (self.w * x).tanh().sum()] * 2, 1)


def test_what_is_kept_for_the_backward_pass_is_counted_once_and_without_parameters():
    assert kept_for_backward(Tanh(), torch.rand(6)) == 3 * 6 * 4
    model = random_model("bahdanau")
    (bucket,) = length_buckets([len(row[1]) for row in random_rows(4)], 1)
    batch = next(sorted_batches(random_rows(4), len(bucket.rows)))
    assert kept_for_backward(model, batch) == kept_for_backward(model, batch) > 0
    assert not model.training and all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_attention_keeps_more_for_a_target_token_the_longer_the_source(fusion):
    """At every step something of each source position: at least its weight, 4 bytes, or with the additive score A
    values, 32 bytes more; without attention a step keeps the same."""
    rows = [(row, [5] * (4 + 8 * (row // 2)), [6] * 7) for row in range(6)]
    buckets = length_buckets([len(source) for _, source, _ in rows], 3)

    def per_token(name):
        found = training_memory_by_length(buckets, rows, torch.device("cpu"), random_model(name))
        assert [bucket["tokens"] for bucket in found] == [16, 16, 16]  # two rows of 7 and the end of sentence
        return np.array([bucket["bytes"] for bucket in found]) / 16

    extra = per_token(fusion) - per_token("vanilla")
    wanted = {"multiply": 4, "bahdanau": 4 + 4 * 8}[fusion]
    assert (np.diff(extra) >= 8 * wanted).all()
