"""Beam search over a whole test set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from softalign.config import DecodingConfig
from softalign.data.batching import Row
from softalign.decoding import Hypothesis, search
from softalign.evaluation.rows import sorted_batches
from softalign.evaluation.teacher_forcing import Advance
from softalign.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Predictions:
    """The best hypothesis of each row, in the order of the rows, and the seconds that the search alone took."""

    hypotheses: list[Hypothesis]
    seconds: float


def predict(
    model: Seq2Seq,
    rows: Sequence[Row],
    config: DecodingConfig,
    device: torch.device,
    advance: Advance = lambda _: None,
) -> Predictions:
    """Search for a target of each source; the rows' own targets are not looked at.

    `advance` is told how many rows each batch had.
    """
    place = {index: position for position, (index, _, _) in enumerate(rows)}
    found: dict[int, Hypothesis] = {}
    seconds = 0.0
    for batch in sorted_batches([(index, source, []) for index, source, _ in rows], config.batch_size):
        start = time.perf_counter()
        hypotheses = search(model, batch.source.to(device), batch.source_lengths, config)
        seconds += time.perf_counter() - start  # hypotheses are lists of numbers, so the device has finished
        for index, hypothesis in zip(batch.rows.tolist(), hypotheses, strict=True):
            found[place[index]] = hypothesis
        advance(len(batch))
    return Predictions([found[position] for position in range(len(rows))], seconds)
