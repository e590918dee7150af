import numpy as np
import torch
from random_model import random_model, random_rows

from softalign.evaluation import timing
from softalign.evaluation.lengths import length_buckets
from softalign.evaluation.timing import seconds_by_length


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
    monkeypatch.setattr(timing, "TIMED_ROWS", 3)
    rows = [(place, [5], [5]) for place in range(9)]
    seen = []

    def run(batch):
        seen.append(batch.rows)
        return 0

    found = seconds_by_length(length_buckets([1] * 9, 1), rows, torch.device("cpu"), run, 1)
    assert found[0]["rows"] == 3
    assert np.sort(seen[0].numpy()).tolist() == [0, 4, 8]
