"""How the time of a model, and the memory that training it takes, grow with the length of the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from softalign.data.batching import Batch, Row
from softalign.device import wait_for
from softalign.evaluation.lengths import LengthBucket
from softalign.evaluation.rows import sorted_batches
from softalign.models.seq2seq import Seq2Seq

ROWS = 32  # of each bucket, as one batch: the same amount of work side by side in every bucket and arm


def seconds_by_length(
    buckets: Sequence[LengthBucket],
    rows: Sequence[Row],
    device: torch.device,
    run: Callable[[Batch], int],
    repeats: int,
) -> list[dict[str, float | int]]:
    """Time `run` on one batch from each bucket: `seconds` for all of its `rows` rows together, and for the target
    `tokens` that `run` returns the number of.

    The batch holds rows spread evenly over the bucket, the same ones for every arm. The fastest of
    `repeats` runs counts: whatever else the machine does only ever adds time.
    """
    timings: list[dict[str, float | int]] = []
    for bucket, batch in _batches(buckets, rows, device):
        seconds, tokens = min(_timed(run, batch, device) for _ in range(repeats))
        timings.append(_span(bucket, batch) | {"tokens": tokens, "seconds": seconds})
    return timings


def training_memory_by_length(
    buckets: Sequence[LengthBucket], rows: Sequence[Row], device: torch.device, model: Seq2Seq
) -> list[dict[str, float | int]]:
    """Of the same batches the `bytes` that `kept_for_backward` counts, and their target `tokens`."""
    return [
        _span(bucket, batch) | {"tokens": int(batch.target_mask.sum()), "bytes": kept_for_backward(model, batch)}
        for bucket, batch in _batches(buckets, rows, device)
    ]


def kept_for_backward(model: Seq2Seq, batch: Batch) -> int:
    """Bytes that the forward pass of a training step keeps until its backward pass; parameters aside.

    Every tensor that autograd saves, each storage once: the same in every run, whatever the allocator does. What comes
    and goes within a layer is not in it.
    """
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    training = model.training
    model.train()
    try:
        with torch.enable_grad(), saved_tensors_hooks(note, lambda tensor: tensor):
            loss = model.loss(batch)  # held to the end: storage that is free may be taken for another tensor
            return sum(kept.values()) if loss.objective.requires_grad else 0
    finally:
        model.train(training)


def _batches(
    buckets: Sequence[LengthBucket], rows: Sequence[Row], device: torch.device
) -> Iterator[tuple[LengthBucket, Batch]]:
    for bucket in buckets:
        count = min(ROWS, len(bucket.rows))
        chosen = bucket.rows[np.linspace(0, len(bucket.rows) - 1, count).round().astype(int)]
        yield bucket, next(sorted_batches([rows[row] for row in chosen], count)).to(device)


def _span(bucket: LengthBucket, batch: Batch) -> dict[str, float | int]:
    return {"low": bucket.low, "high": bucket.high, "rows": len(batch.rows)}


@torch.inference_mode()
def _timed(run: Callable[[Batch], int], batch: Batch, device: torch.device) -> tuple[float, int]:
    start = time.perf_counter()
    tokens = run(batch)
    wait_for(device)
    return time.perf_counter() - start, tokens
