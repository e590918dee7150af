"""How the time of a model, and the memory of its activations in training, grow with the length of the source."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from softalign.data.batching import Batch, Row
from softalign.evaluation.lengths import LengthBucket
from softalign.evaluation.rows import sorted_batches
from softalign.hardware.device import wait_for
from softalign.models.seq2seq import Seq2Seq

ROWS = 32  # of each bucket, as one batch: the same amount of work side by side in every bucket and arm


Record = dict[str, float | int]


@dataclass(frozen=True)
class LengthSample:
    """Rows of one bucket of source lengths: what is measured in its place."""

    bucket: LengthBucket
    source_words: float  # mean of these rows
    batch: Batch

    @property
    def record(self) -> Record:
        """What every measurement of it begins with."""
        ends = {"low": self.bucket.low, "high": self.bucket.high}
        return ends | {"source_words": self.source_words, "rows": len(self.batch.rows)}


def length_samples(
    buckets: Sequence[LengthBucket], source_words: Sequence[int], rows: Sequence[Row], device: torch.device
) -> list[LengthSample]:
    """One batch from each bucket, of rows spread evenly over it: the same ones for every arm."""
    samples = []
    for bucket in buckets:
        count = min(ROWS, len(bucket.rows))
        chosen = bucket.rows[np.linspace(0, len(bucket.rows) - 1, count).round().astype(int)]
        batch = next(sorted_batches([rows[row] for row in chosen], count)).to(device)
        samples.append(LengthSample(bucket, float(np.mean([source_words[row] for row in chosen])), batch))
    return samples


def seconds_by_length(
    samples: Sequence[LengthSample], device: torch.device, run: Callable[[Batch], int], repeats: int
) -> list[Record]:
    """Time `run` on each sample: `seconds` for all of its `rows` rows together, and for the target `tokens` that `run`
    returns the number of. The fastest of `repeats` runs counts: whatever else the machine does only ever adds time.
    """
    timings = []
    for sample in samples:
        seconds, tokens = min(_timed(run, sample.batch, device) for _ in range(repeats))
        timings.append(sample.record | {"tokens": tokens, "seconds": seconds})
    return timings


def activations_by_length(samples: Sequence[LengthSample], model: Seq2Seq) -> list[Record]:
    """Of each sample the `bytes` of `activation_memory`, and its target `tokens`."""
    return [
        sample.record | {"tokens": int(sample.batch.target_mask.sum()), "bytes": activation_memory(model, sample.batch)}
        for sample in samples
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

    Hooks on what autograd saves would miss what the hand-written passes of models/recurrence keep by themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._storages: dict[int, tuple[StorageWeakRef, int]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: nothing is compiled here, and importing the compiler, just to be left alone by it, takes seconds."""
        return False

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


@torch.inference_mode()
def _timed(run: Callable[[Batch], int], batch: Batch, device: torch.device) -> tuple[float, int]:
    start = time.perf_counter()
    tokens = run(batch)
    wait_for(device)
    return time.perf_counter() - start, tokens
