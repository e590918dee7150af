"""How long `prepare` takes for a large phrasebook and how much memory, as the row of a table.

python -m benchmarks.preparation                  a million pairs; drawing them takes minutes, the first time alone
python -m benchmarks.preparation --pairs 100000   fewer
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.workload import raw_text
from softalign.composition import compose
from softalign.config import DataConfig
from softalign.data.prepared import prepare
from softalign.errors import reported
from softalign.paths import Layout, project_root
from softalign.training.cost import peak_memory_mb


def main(arguments: Sequence[str] | None = None) -> None:
    pairs = parse(arguments).pairs
    with reported():
        layout = Layout(project_root())
        config = compose(layout, ["task=translation", "data=phrasebook", f"data.source.train_rows={pairs}"]).data
        raw = raw_text(layout, config)
        seconds, peak = measured(raw, raw.parent / "prepared", config)
    print("| pairs | seconds | pairs a second | peak memory, MiB |")
    print("| ---: | ---: | ---: | ---: |")
    print(f"| {pairs:,} | {seconds:.0f} | {pairs / seconds:,.0f} | {peak:.0f} |")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.preparation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pairs", type=int, default=1_000_000, help="training pairs (default 1000000)")
    return parser.parse_args(arguments)


def measured(raw: Path, folder: Path, config: DataConfig) -> tuple[float, float]:
    """Seconds of `prepare`, and the peak resident memory in MiB of the new process that runs it."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_prepare, args=(sender, raw, folder, config))
    process.start()
    sender.close()
    seconds, peak = receiver.recv()
    process.join()
    return seconds, peak


def _prepare(sender: Connection, raw: Path, folder: Path, config: DataConfig) -> None:
    start = time.perf_counter()
    prepare(raw, folder, config)
    sender.send((time.perf_counter() - start, peak_memory_mb()))


if __name__ == "__main__":
    main()
