"""Decoding: sentences a second at one output length for all, so that no side gains by stopping early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from benchmarks.table import speed
from benchmarks.workload import Workload
from softalign.config import DecodingConfig
from softalign.data.batching import Row
from softalign.data.tokenizer import EOS
from softalign.evaluation.prediction import predict
from softalign.hardware.denormals import without_denormals
from softalign.hardware.memory import steady_memory
from softalign.models.seq2seq import Seq2Seq
from softalign.searcher import searcher

LENGTH = 20  # tokens that every sentence gets
HEADER = ("| arm | greedy | beam 5 |", "| --- | ---: | ---: |")


def row(arm: str, work: Workload, threads: int, rounds: int, device: str = "cpu") -> str:
    """A row of the table that begins with `HEADER`: sentences a second."""
    speeds = [speed(sentences_per_second(work, beam, LENGTH, threads, rounds, device)) for beam in (1, 5)]
    return f"| {arm} | {' | '.join(speeds)} |"


@contextmanager
def of_one_length(model: Seq2Seq, config: DecodingConfig, beam_size: int, length: int) -> Iterator[DecodingConfig]:
    """The search to ask for where every output is to have `length` tokens: no hypothesis can end before its limit."""
    bias = model.decoder.readout.output.bias
    before = bias[EOS].item()
    with torch.no_grad():
        bias[EOS] = -1e4
        try:
            yield replace(config, beam_size=beam_size, max_length_ratio=0.0, max_length_offset=length)
        finally:
            bias[EOS] = before


def sentences_per_second(
    work: Workload, beam_size: int, length: int, threads: int, rounds: int, device: str = "cpu"
) -> list[float]:
    """A value a round. Every sentence gets `length` tokens."""
    torch.set_num_threads(threads)
    steady_memory()
    model = work.model().eval().to(device)
    sources = [
        source[: length - 1].tolist()  # without EOS
        for batch in work.batches
        for source, length in zip(batch.source, batch.source_lengths, strict=True)
    ]
    rows: list[Row] = [(index, source, []) for index, source in enumerate(sources)]
    found = []
    decoding = replace(work.config.decoding, batch_size=max(map(len, work.batches)))
    with without_denormals(), of_one_length(model, decoding, beam_size, length) as config:
        searched = searcher(model, config.precision)
        for _ in range(rounds + 1):  # the first is for warming up
            found.append(len(rows) / predict(searched, rows, config, torch.device(device)).seconds)
    return found[1:]
