"""How the time of a model grows with the length of the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from softalign.data.batching import Batch, Row
from softalign.device import wait_for
from softalign.evaluation.lengths import LengthBucket
from softalign.evaluation.rows import sorted_batches

TIMED_ROWS = 32  # of each bucket, as one batch: the same amount of work side by side in every bucket and arm


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
    for bucket in buckets:
        count = min(TIMED_ROWS, len(bucket.rows))
        chosen = bucket.rows[np.linspace(0, len(bucket.rows) - 1, count).round().astype(int)]
        batch = next(sorted_batches([rows[row] for row in chosen], count)).to(device)
        seconds, tokens = min(_timed(run, batch, device) for _ in range(repeats))
        timings.append({"low": bucket.low, "high": bucket.high, "rows": count, "tokens": tokens, "seconds": seconds})
    return timings


@torch.inference_mode()
def _timed(run: Callable[[Batch], int], batch: Batch, device: torch.device) -> tuple[float, int]:
    start = time.perf_counter()
    tokens = run(batch)
    wait_for(device)
    return time.perf_counter() - start, tokens
