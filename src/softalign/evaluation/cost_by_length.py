"""How the time of a model, and the memory of its activations in training, grow with the length of the source."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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


def activations_by_length(
    buckets: Sequence[LengthBucket], rows: Sequence[Row], device: torch.device, model: Seq2Seq
) -> list[dict[str, float | int]]:
    """Of the same batches the `bytes` of `activation_memory`, and their target `tokens`."""
    return [
        _span(bucket, batch) | {"tokens": int(batch.target_mask.sum()), "bytes": activation_memory(model, batch)}
        for bucket, batch in _batches(buckets, rows, device)
    ]


def activation_memory(model: Seq2Seq, batch: Batch) -> int:
    """Bytes that encoder, attention and decoder hold after the forward pass of a training step, for the backward pass.

    In fp32. Every tensor that the pass made and that is still alive, each storage once: the same in every run, whatever
    the allocator does. The output layer is left out: it is the same for every source.
    """
    training = model.training
    model.train()
    try:
        with torch.enable_grad(), _Made() as made:
            encoded = model.encode(batch.source, batch.source_lengths)
            unrolled = model.decoder.unroll(model.decoder.embed(batch.target_in), encoded)
            gc.collect()
            held = made.bytes_alive()
        del encoded, unrolled
        return held
    finally:
        model.train(training)


class _Made(TorchDispatchMode):
    """The storages of all tensors that operations return while it is on.

    Hooks on what autograd saves would miss what the hand-written passes of models/recurrence.py keep by themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._storages: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {tensor.untyped_storage()._cdata for tensor in _tensors((args, kwargs))}
        returned = func(*args, **(kwargs or {}))
        for tensor in _tensors(returned):
            storage = tensor.untyped_storage()
            if storage._cdata not in given:  # what is a view of an input was made before, or is a parameter
                self._storages[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        return returned

    def bytes_alive(self) -> int:
        return sum(size for storage, size in self._storages.values() if not storage.expired())


def _tensors(nested: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(nested) if isinstance(leaf, Tensor)]


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
