"""What a model makes of targets that it is given: their likelihood and the attention over their sources.

Notation: S source length, T target length; both with the end of sentence counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from softalign.data.batching import Row
from softalign.evaluation.rows import sorted_batches
from softalign.models.seq2seq import Seq2Seq

Advance = Callable[[int], None]


@torch.inference_mode()
def negative_log_likelihoods(
    model: Seq2Seq, rows: Sequence[Row], batch_size: int, device: torch.device, advance: Advance = lambda _: None
) -> NDArray[np.float64]:
    """-log p(target | source) of each row in nats, end of sentence counted, without label smoothing: (N,), as `rows`.

    The model must be in evaluation mode. `advance` is told how many rows each batch had.
    """
    place = {index: position for position, (index, _, _) in enumerate(rows)}
    result = np.empty(len(rows))
    for batch in sorted_batches(rows, batch_size):
        values = model.negative_log_likelihood(batch.to(device)).cpu().double().numpy()
        result[[place[index] for index in batch.rows.tolist()]] = values
        advance(len(batch))
    return result


@torch.inference_mode()
def attention_over(
    model: Seq2Seq, rows: Sequence[Row], batch_size: int, device: torch.device
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """(index, weights (T, S)) of each row, longest sources first; nothing at all for an arm without attention.

    Row t of the weights is the attention that the model pays while it predicts target token t; the last row belongs to
    the end of the target and the last column to the end of the source. Over a prediction's own tokens these are the
    weights that the search saw, up to the rounding of `decoding.precision`.
    """
    for batch in sorted_batches(rows, batch_size):
        on_device = batch.to(device)
        encoded = model.encode(on_device.source, batch.source_lengths)
        weights = model.attend(encoded, on_device.target_in)
        if weights is None:
            return
        lengths = zip(batch.target_mask.sum(dim=1).tolist(), batch.source_lengths.tolist(), strict=True)
        matrices = weights.cpu().double().numpy()
        for index, matrix, (steps, positions) in zip(batch.rows.tolist(), matrices, lengths, strict=True):
            yield index, matrix[:steps, :positions]
