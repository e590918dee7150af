"""Measure on this machine and write docs/benchmarks.md: `make bench`.

python -m benchmarks                            about five minutes
python -m benchmarks --rounds 9 data=multi30k   more rounds, other data
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from datetime import date

import torch

from benchmarks import machine, page
from benchmarks.decoding import HEADER, LENGTH, row
from benchmarks.table import ratio, speed
from benchmarks.training import (
    Side,
    peak_memory_of,
    plain_loss,
    products_per_token,
    softalign_loss,
)
from benchmarks.turns import Turns
from benchmarks.workload import LARGER, random_workload, real_workload
from softalign.errors import reported
from softalign.hardware.precision import multiplies_bf16, resolved_precision
from softalign.paths import Layout, project_root

ARMS = ("vanilla", "multiply", "bahdanau", "concat", "luong_input_feeding")
DECODED_ARMS = ("vanilla", "multiply", "bahdanau")
SIZES = {
    "The pipeline's sizes: Elman, E = H = 128, batch 32": [],
    "Larger: GRU, E = 256, H = 512, batch 128, dropout 0.3": [*LARGER, "optimization.batch_size=128"],
}
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
    sides = sides_of(cores)
    with reported():
        layout = Layout(project_root())
        kinds = dict.fromkeys((side.precision, side.threads) for side in sides)
        rates = {kind: machine.matrix_rate(*kind) for kind in kinds}
        parts = (
            head(rates, given),
            training(layout, given, sides, rates),
            decoding(layout, given, cores),
            growth(layout, given, cores),
        )
        page.write(given.output or layout.root / "docs" / "benchmarks.md", parts)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = page.parser("benchmarks", __doc__, "benchmarks.md", rounds=3, steps=3)
    parser.add_argument(
        "overrides", nargs="*", help="Hydra, for all but the growth: data=multi30k model.dropout=0.1 ..."
    )
    return parser.parse_args(arguments)


def sides_of(cores: int) -> list[Side]:
    """softalign as the pipeline runs it and with all cores, and plain PyTorch; bf16 where the processor has it."""
    precisions = ["bf16", "fp32"] if multiplies_bf16(torch.device("cpu")) else ["fp32"]
    ours = dict.fromkeys((precision, threads) for precision in precisions for threads in (1, cores))
    return [
        *(Side(f"softalign, {name}, threads={count}", softalign_loss, count, name) for name, count in ours),
        *(Side(f"plain, {name}", plain_loss, cores, name) for name in precisions),
    ]


def head(rates: dict[tuple[str, int], float], given: argparse.Namespace) -> Iterator[str]:
    """What was run where."""
    yield from (
        *page.opening("Benchmarks", page.command("benchmarks", given, parse([]))),
        f"{date.today().isoformat()}. {machine.description()}.",
    )
    found = (f"{rate:.0f} in {precision} with {threads}" for (precision, threads), rate in rates.items())
    yield f"GFLOP/s of matrix products, by threads: {', '.join(found)}."


def training(
    layout: Layout, given: argparse.Namespace, sides: Sequence[Side], rates: dict[tuple[str, int], float]
) -> Iterator[str]:
    """softalign against plain PyTorch, arm by arm."""
    cores = sides[-1].threads
    yield from (
        "",
        "## Training",
        "",
        "Target tokens a second. Plain is `benchmarks/plain.py`: torch's recurrent kernels where the whole sequence is",
        f"known, a Python loop elsewhere, whole logits and cross-entropy, on {cores} threads of torch; in bf16 it has",
        "torch's autocast. The pipeline takes one thread and a second for the loss, which bears other programs beside",
        "it. A side trains on the same batches again and again; in a whole training ever new shapes come, for each of",
        "which oneDNN makes code in bf16: of models as small as the pipeline's `trainer.precision=auto` makes fp32",
        "(docs/speed.md). In fp32 both compute the same gradients, so that ratios hold for the time",
        "to any validation loss too. The rate is that of the products that plain computes, as a share of the machine's",
        "rate of them in the side's numbers and threads (the helper of the loss is not counted): 100 % would be",
        "nothing but products. Memory is a process's peak.",
    )
    with Turns(sides) as turns:
        for title, sizes in SIZES.items():
            yield from ("", f"{title}.", "", "| arm | side | tokens/s | to plain, fp32 | of rate | MiB |")
            yield "| --- | --- | ---: | ---: | ---: | ---: |"
            for arm in ARMS:
                overrides = ["task=translation", f"model={arm}", *sizes, *given.overrides]
                work = real_workload(layout, overrides, given.steps)
                seen = turns.tokens_per_second(work, given.rounds)
                needed = products_per_token(work) / 1e9  # GFLOP
                for side in sides:
                    values = seen[side.name]
                    share = needed * statistics.median(values) / rates[side.precision, side.threads]
                    memory = f"{peak_memory_of(work, side):.0f}" if sizes and side.threads == cores else ""
                    cells = speed(values), ratio(values, seen["plain, fp32"]), f"{share:.0%}", memory
                    yield f"| {arm} | {side.name} | {' | '.join(cells)} |"


def decoding(layout: Layout, given: argparse.Namespace, cores: int) -> Iterator[str]:
    """Sentences a second, greedily and with a beam of five."""
    yield from (
        "",
        "## Decoding",
        "",
        f"Sentences a second: {LENGTH} tokens each, batches of {DECODED}, {cores} threads, `decoding.precision=auto`.",
    )
    for title, sizes in SIZES.items():
        yield from ("", f"{title}.", "", *HEADER)
        for arm in DECODED_ARMS:
            overrides = ["task=translation", f"model={arm}", *sizes, *given.overrides]
            work = real_workload(layout, [*overrides, f"optimization.batch_size={DECODED}"], count=2)
            yield row(arm, work, cores, given.rounds)


def growth(layout: Layout, given: argparse.Namespace, cores: int) -> Iterator[str]:
    """How the speed of bahdanau depends on the sizes, one of them changed at a time."""
    centre = ", ".join(f"{name} {value}" for name, value in CENTRE.items())
    precision = resolved_precision("auto", torch.device("cpu"))
    ours = [Side("1 thread", softalign_loss, 1, precision), Side("more", softalign_loss, cores, precision)]
    plain = Side("plain", plain_loss, cores)
    yield from ("", "## Growth", "", "Target tokens a second of bahdanau with Elman cells on random sentences, around")
    yield from (f"{centre}; softalign in {precision}, ratios to plain in fp32.", "")
    yield from (f"| | | softalign | {cores} threads | ratio | {cores} threads |", f"| --- |{' ---: |' * 5}")
    changed = [("the centre", "", CENTRE)]
    changed += [(name, f"{value}", CENTRE | {name: value}) for name, values in GROWTH.items() for value in values]
    with Turns([*ours, plain]) as turns:
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
            seen = turns.tokens_per_second(work, given.rounds)
            cells = [speed(seen[side.name]) for side in ours]
            cells += [ratio(seen[side.name], seen[plain.name]) for side in ours]
            yield f"| {name} | {value} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
