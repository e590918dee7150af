"""Measure on this machine and write docs/benchmarks.md: `make bench`.

python -m benchmarks                            about five minutes
python -m benchmarks --rounds 9 data=multi30k   more rounds, other data
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import torch

from benchmarks import machine
from benchmarks.decoding import sentences_per_second
from benchmarks.table import command, positive, ratio, shown, speed
from benchmarks.training import (
    Side,
    peak_memory_of,
    plain_loss,
    products_per_token,
    softalign_loss,
    tokens_per_second,
)
from benchmarks.workload import random_workload, real_workload
from softalign.data.atomic import replace_text
from softalign.errors import reported
from softalign.paths import Layout, project_root

ARMS = ("vanilla", "multiply", "bahdanau")
SIZES = {
    "The pipeline's sizes: Elman, E = H = 128, batch 32": [],
    "Larger: GRU, E = 256, H = 512, batch 128, dropout 0.3": [
        "model.cell=gru",
        "model.embedding_size=256",
        "model.hidden_size=512",
        "model.dropout=0.3",
        "optimization.batch_size=128",
    ],
}
LENGTH = 20  # tokens that every sentence gets in decoding
DECODED = 100  # sentences a batch
CENTRE = {"source": 20, "target": 20, "batch": 32, "vocabulary": 2000, "hidden size": 128}
GROWTH = {
    "source": (10, 40, 80),
    "batch": (8, 128),
    "hidden size": (64, 256, 512),
    "vocabulary": (1000, 8000),
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    cores = torch.get_num_threads()
    sides = Side(softalign_loss, threads=1), Side(softalign_loss, threads=cores), Side(plain_loss, threads=cores)
    with reported():
        layout = Layout(project_root())
        rates = {threads: machine.matrix_rate(threads) for threads in (1, cores)}
        parts = (
            head(rates, given),
            training(layout, given, sides, rates[cores]),
            decoding(layout, given, cores),
            growth(layout, given, sides),
        )
        lines = [line for part in parts for line in part]
        replace_text(given.output or layout.root / "docs" / "benchmarks.md", "\n".join(lines) + "\n")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, default=3, help="turns of each side (default 3)")
    parser.add_argument("--steps", type=positive, default=4, help="training steps a turn (default 4)")
    parser.add_argument("--output", type=Path, help="where to write (default docs/benchmarks.md)")
    parser.add_argument(
        "overrides", nargs="*", help="Hydra, for all but the growth: data=multi30k model.dropout=0.1 ..."
    )
    return parser.parse_args(arguments)


def head(rates: dict[int, float], given: argparse.Namespace) -> Iterator[str]:
    """What was run where."""
    found = ", ".join(f"{rate:.0f} with {threads}" for threads, rate in rates.items())
    yield from (
        "# Benchmarks",
        "",
        "Written by the command below. Each ratio is of two sides measured by turns in one process, on the same",
        "batches, sizes and optimizer: the median of the rounds and, in brackets, the lowest and the highest.",
        "",
        f"    {command('benchmarks', given, parse([]))}",
        "",
        f"{date.today().isoformat()}. {machine.description()}.",
        f"GFLOP/s of fp32 matrix products, by threads: {found}.",
    )


def training(layout: Layout, given: argparse.Namespace, sides: Sequence[Side], rate: float) -> Iterator[str]:
    """softalign against plain PyTorch, arm by arm."""
    cores = sides[-1].threads
    yield from (
        "",
        "## Training",
        "",
        "Target tokens a second. Plain is `benchmarks/plain.py`: torch's recurrent kernels where the whole sequence is",
        f"known, a Python loop elsewhere, whole logits and cross-entropy, on {cores} threads of torch. softalign by",
        "default takes one thread and a second for the loss, which bears other programs beside it; with",
        f"`trainer.threads={cores}` it has what plain has. Ratios are to plain; both compute the same gradients, so",
        "that they hold for the time to any validation loss too. Memory is a process's peak. The last two columns set",
        f"the products that plain computes against the machine's rate of them with {cores} threads: 100 % would be",
        f"nothing but products, at that rate, for softalign with {cores} threads and for plain.",
    )
    for title, sizes in SIZES.items():
        yield from (
            "",
            f"{title}.",
            "",
            f"| arm | softalign | {cores} threads | plain | ratio | {cores} threads | MiB | plain | of rate | plain |",
        )
        yield f"| --- |{' ---: |' * 9}"
        for arm in ARMS:
            work = real_workload(layout, ["task=translation", f"model={arm}", *sizes, *given.overrides], given.steps)
            seen = tokens_per_second(work, sides, given.rounds)
            cells = [*map(speed, seen), *(ratio(ours, seen[-1]) for ours in seen[:-1])]
            cells += [f"{peak_memory_of(work, side):.0f}" for side in (sides[0], sides[-1])]
            needed = products_per_token(work) / 1e9  # GFLOP
            cells += [f"{100 * needed * statistics.median(values) / rate:.0f} %" for values in seen[1:]]
            yield shown(f"| {arm} | {' | '.join(cells)} |")


def decoding(layout: Layout, given: argparse.Namespace, cores: int) -> Iterator[str]:
    """Sentences a second, greedily and with a beam of five."""
    yield from (
        "",
        "## Decoding",
        "",
        f"Sentences a second: {LENGTH} tokens each, batches of {DECODED}, {cores} threads.",
    )
    for title, sizes in SIZES.items():
        yield from ("", f"{title}.", "", "| arm | greedy | beam 5 |", "| --- | ---: | ---: |")
        for arm in ARMS:
            overrides = ["task=translation", f"model={arm}", *sizes, *given.overrides]
            work = real_workload(layout, [*overrides, f"optimization.batch_size={DECODED}"], count=2)
            speeds = [speed(sentences_per_second(work, beam, LENGTH, cores, given.rounds)) for beam in (1, 5)]
            yield shown(f"| {arm} | {speeds[0]} | {speeds[1]} |")


def growth(layout: Layout, given: argparse.Namespace, sides: Sequence[Side]) -> Iterator[str]:
    """How the speed of bahdanau depends on the sizes, one of them changed at a time."""
    centre = ", ".join(f"{name} {value}" for name, value in CENTRE.items())
    yield from ("", "## Growth", "", "Target tokens a second of bahdanau with Elman cells on random sentences, around")
    cores = sides[-1].threads
    yield from (f"{centre}; ratios to plain.", "", f"| | | softalign | {cores} threads | ratio | {cores} threads |")
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    changed = [("the centre", "", CENTRE)]
    changed += [(name, f"{value}", CENTRE | {name: value}) for name, values in GROWTH.items() for value in values]
    for name, value, sizes in changed:
        size = sizes["hidden size"]
        work = random_workload(
            layout,
            [f"model.embedding_size={size}", f"model.hidden_size={size}"],
            sizes["batch"],
            sizes["source"],
            sizes["target"],
            sizes["vocabulary"],
            given.steps,
        )
        *ours, plain = tokens_per_second(work, sides, given.rounds)
        cells = [*map(speed, ours), *(ratio(values, plain) for values in ours)]
        yield shown(f"| {name} | {value} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
