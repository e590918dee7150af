"""Beam search over a whole test set."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock

import torch

from softalign.config import DecodingConfig
from softalign.data.batching import Batch, Row
from softalign.decoding import Hypothesis, search
from softalign.evaluation.rows import sorted_batches
from softalign.evaluation.teacher_forcing import Advance
from softalign.hardware import second_thread
from softalign.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Predictions:
    """The best hypothesis of each row, in the order of the rows, and the seconds that the search of all took."""

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

    On a CPU two batches are searched at a time, each with half of torch's threads, or one: a step of search is many
    small operations, which gain less from torch's. `advance` is told how many rows each batch had.
    """
    batches = list(sorted_batches([(index, source, []) for index, source, _ in rows], config.batch_size))
    found: dict[int, Hypothesis] = {}
    lock, stopped = Lock(), Event()

    def search_all(batches: Sequence[Batch]) -> None:
        with _setting_at_a_failure(stopped):
            for batch in batches:
                if stopped.is_set():
                    return
                hypotheses = search(model, batch.source.to(device), batch.source_lengths, config)
                with lock:
                    found.update(zip(batch.rows.tolist(), hypotheses, strict=True))
                    advance(len(batch))

    training = model.training
    model.eval()  # before the threads: `search` puts back what it has found
    start = time.perf_counter()
    try:
        if device.type == "cpu" and len(batches) > 1:
            with _setting_at_a_failure(stopped):  # Ctrl-C while this thread waits for the second one
                second_thread.share(lambda which: search_all(batches[which::2]))
        else:
            search_all(batches)
    finally:
        model.train(training)
    seconds = time.perf_counter() - start  # hypotheses are lists of numbers, so the device has finished
    return Predictions([found[index] for index, _, _ in rows], seconds)


@contextmanager
def _setting_at_a_failure(stopped: Event) -> Iterator[None]:
    """Let the other thread know, which is not to go on to the end."""
    try:
        yield
    except BaseException:
        stopped.set()
        raise
