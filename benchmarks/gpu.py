"""Measure on this machine's GPU and write docs/benchmarks-gpu.md.

python -m benchmarks.gpu                            about four minutes
python -m benchmarks.gpu --rounds 9 data=multi30k   more rounds, other data
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator, Sequence
from datetime import date

import torch

from benchmarks import machine, page
from benchmarks.decoding import HEADER, LENGTH, row
from benchmarks.table import ratio, speed
from benchmarks.training import Side, plain_loss, softalign_loss
from benchmarks.turns import Turns
from benchmarks.workload import LARGER, Workload, real_workload
from softalign.errors import UserError, reported
from softalign.paths import Layout, project_root

ARMS = ("vanilla", "multiply", "bahdanau", "concat", "luong_input_feeding", "cgru")
BATCHES = (128, 1024)  # sentences
DECODED = 250  # sentences a batch
WARM_UP = 3  # rounds: a shape is captured when it is seen for the second time
SIDES = (
    Side("plain, fp32", plain_loss, device="cuda"),
    Side("plain, bf16", plain_loss, device="cuda", precision="bf16"),
    Side("fp32, step by step", softalign_loss, device="cuda"),
    Side("fp32, captured", softalign_loss, device="cuda", captured=True),
    Side("bf16, step by step", softalign_loss, device="cuda", precision="bf16"),
    Side("bf16, captured", softalign_loss, device="cuda", precision="bf16", captured=True),
)


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    with reported():
        if not torch.cuda.is_available():
            raise UserError("torch sees no GPU here", "", "`make bench` measures the processor")
        layout = Layout(project_root())
        parts = head(given), training(layout, given), decoding(layout, given)
        page.write(given.output or layout.root / "docs" / "benchmarks-gpu.md", parts)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = page.parser("benchmarks.gpu", __doc__, "benchmarks-gpu.md", rounds=5, steps=16)
    parser.add_argument("overrides", nargs="*", help="Hydra: data=multi30k model.hidden_size=1024 ...")
    return parser.parse_args(arguments)


def head(given: argparse.Namespace) -> Iterator[str]:
    """What was run where."""
    yield from (
        *page.opening("On a GPU", page.command("benchmarks.gpu", given, parse([]))),
        f"{date.today().isoformat()}. {torch.cuda.get_device_name()}; {machine.description()}.",
    )


def workload(layout: Layout, given: argparse.Namespace, arm: str, batch: int, count: int) -> Workload:
    sizes = [*LARGER, f"optimization.batch_size={batch}"]
    return real_workload(layout, ["task=translation", f"model={arm}", *sizes, *given.overrides], count)


def training(layout: Layout, given: argparse.Namespace) -> Iterator[str]:
    """softalign against plain PyTorch, arm by arm."""
    yield from (
        "",
        "## Training",
        "",
        "Target tokens a second. GRU, E = 256, H = 512, dropout 0.3. Plain is `benchmarks/plain.py`; captured is",
        "`trainer.cuda_graphs=true`, the default, which has no loop to capture where the arm has none. Memory is the",
        "highest that torch has allocated for one side alone, without what a graph keeps to itself.",
    )
    with Turns(SIDES) as turns:
        for batch in BATCHES:
            yield from ("", f"Batches of {batch} sentences.", "")
            yield from ("| arm | side | tokens/s | to plain, fp32 | MiB |", "| --- | --- | ---: | ---: | ---: |")
            for arm in ARMS:
                work = workload(layout, given, arm, batch, given.steps)
                seen = turns.tokens_per_second(work, given.rounds, WARM_UP)
                for side in SIDES:
                    values = seen[side.name]
                    cells = (
                        side.name,
                        speed(values),
                        ratio(values, seen["plain, fp32"]),
                        f"{peak_memory_of(work, side):.0f}",
                    )
                    yield f"| {arm} | {' | '.join(cells)} |"


def peak_memory_of(work: Workload, side: Side) -> float:
    """The highest memory, in MiB, that torch allocates when the side trains on the batches from nothing."""
    gc.collect()  # models of before, whose graphs are in cycles
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    step = side.trainer(work)
    for _ in range(WARM_UP):
        side.pass_over(step, work.batches)
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def decoding(layout: Layout, given: argparse.Namespace) -> Iterator[str]:
    """Sentences a second, greedily and with a beam of five."""
    yield from (
        "",
        "## Decoding",
        "",
        f"Sentences a second: {LENGTH} tokens each, batches of {DECODED}, `decoding.precision=auto`.",
        "",
        *HEADER,
    )
    for arm in ARMS:
        work = workload(layout, given, arm, DECODED, count=4)
        yield row(arm, work, 1, given.rounds, "cuda")


if __name__ == "__main__":
    main()
