import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from random_model import random_model, random_rows
from torch.autograd.graph import saved_tensors_hooks

from softalign.evaluation import cost_by_length
from softalign.evaluation.cost_by_length import (
    activation_memory,
    activations_by_length,
    length_samples,
    seconds_by_length,
)
from softalign.evaluation.lengths import length_buckets
from softalign.evaluation.rows import sorted_batches


def test_a_timing_for_each_bucket_on_its_own_rows():
    rows = [(place, source, target) for place, (_, source, target) in enumerate(random_rows(30))]
    words = [len(source) for _, source, _ in rows]
    buckets = length_buckets(words, 3)
    model, batches = random_model("bahdanau"), []

    def run(batch):
        batches.append(batch)
        model.negative_log_likelihood(batch)
        return int(batch.target_mask.sum())

    samples = length_samples(buckets, words, rows, torch.device("cpu"))
    found = seconds_by_length(samples, torch.device("cpu"), run, repeats=2)
    assert [(t["low"], t["high"], t["rows"]) for t in found] == [(b.low, b.high, len(b.rows)) for b in buckets]
    assert all(t["seconds"] > 0 for t in found)
    assert [t["source_words"] for t in found] == [np.mean([words[row] for row in bucket.rows]) for bucket in buckets]
    tokens = [sum(len(rows[row][2]) + 1 for row in bucket.rows) for bucket in buckets]  # + end of sentence
    assert [t["tokens"] for t in found] == tokens
    timed = [set(batch.rows.tolist()) for batch in batches[::2]]
    assert timed == [set(bucket.rows.tolist()) for bucket in buckets]


def test_the_fastest_of_repeats_counts(monkeypatch):
    seconds = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(cost_by_length, "_timed", lambda run, batch, device: (next(seconds), 5))
    samples = length_samples(length_buckets([2], 1), [2], [(0, [5], [5])], torch.device("cpu"))
    (found,) = seconds_by_length(samples, torch.device("cpu"), lambda batch: 5, repeats=3)
    assert (found["seconds"], found["tokens"]) == (1.0, 5)


def test_a_large_bucket_is_sampled_evenly(monkeypatch):
    monkeypatch.setattr(cost_by_length, "ROWS", 3)
    rows = [(place, [5], [5]) for place in range(9)]
    words = [4, 9, 9, 9, 5, 9, 9, 9, 9]
    seen = []

    def run(batch):
        seen.append(batch.rows)
        return 0

    samples = length_samples(length_buckets(words, 1), words, rows, torch.device("cpu"))
    found = seconds_by_length(samples, torch.device("cpu"), run, 1)
    assert (found[0]["rows"], found[0]["source_words"]) == (3, 6)  # of the three, not of all nine
    assert np.sort(seen[0].numpy()).tolist() == [0, 4, 8]


@pytest.mark.parametrize("fusion", ["vanilla", "multiply", "bahdanau"])
def test_activation_memory_holds_all_that_autograd_saves_and_little_more(fusion):
    model = random_model(fusion)
    batch = next(sorted_batches(random_rows(4), 4))
    found = activation_memory(model, batch)
    assert found == activation_memory(model, batch)
    assert not model.training and all(parameter.grad is None for parameter in model.parameters())
    saved = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        encoded = model.encode(batch.source, batch.source_lengths)
        unrolled = model.decoder.unroll(model.decoder.embed(batch.target_in), encoded)
    for parameter in model.parameters():
        saved.pop(parameter.untyped_storage().data_ptr(), None)
    assert sum(saved.values()) <= found <= 2 * sum(saved.values())
    assert unrolled.features.requires_grad


@pytest.mark.parametrize("cell", ["elman", "gru"])
@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_attention_holds_more_for_a_target_token_the_longer_the_source(fusion, cell):
    """For each source position at every step its weight, 4 bytes, with the additive score A values, 4 A bytes, more;
    and for each source position once its key and the memory as the hand-written passes lay it out."""
    rows = [(row, [5] * (4 + 8 * (row // 2)), [6] * 7) for row in range(6)]
    words = [len(source) for _, source, _ in rows]
    samples = length_samples(length_buckets(words, 3), words, rows, torch.device("cpu"))

    def per_row(name):
        found = activations_by_length(samples, random_model(name, cell))
        assert [bucket["tokens"] for bucket in found] == [16, 16, 16]  # two rows of 7 and the end of sentence
        return np.array([bucket["bytes"] for bucket in found]) / 2

    growth = np.diff(per_row(fusion) - per_row("vanilla")) / 8  # bytes for a source position
    steps, size, attention = 8, 12, 8
    at_steps = {"multiply": 4 * steps, "bahdanau": 4 * (1 + attention) * steps}[fusion]
    assert growth[0] == growth[1]
    assert growth[0] >= at_steps
    assert growth[0] <= at_steps + 4 * 4 * (2 * size + attention)  # no more than a few copies of memory and keys


def test_the_compiler_is_not_imported_to_count_what_runs_without_it():
    code = (
        "import sys; from random_model import random_model, random_rows\n"
        "from softalign.evaluation.cost_by_length import activation_memory\n"
        "from softalign.evaluation.rows import sorted_batches\n"
        "held = activation_memory(random_model('bahdanau'), next(sorted_batches(random_rows(2), 2)))\n"
        "print(held > 0, 'torch._dynamo' in sys.modules)"
    )
    tests = Path(random_model.__code__.co_filename).parent
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), *sys.path])},
    )
    assert done.stdout.split() == ["True", "False"]
