"""Fetch, read or generate the text of a task: python -m softalign.stages.download task=translation data=multi30k"""

from __future__ import annotations

import sys

from softalign.config import Config
from softalign.data.provenance import write_raw
from softalign.data.revisions import RevisionLock
from softalign.data.shifted_sources import load_shifted_texts
from softalign.data.sources import load
from softalign.paths import Layout
from softalign.stages.entry import stage


@stage
def main(config: Config, layout: Layout) -> None:
    show_progress(sys.stderr.isatty())
    lock = RevisionLock.of(layout)
    roots = [layout.root, layout.store]
    splits, origin = load(config.data.source, roots, lock)
    shifted, origins = load_shifted_texts(config.data.shifted_tests, roots, lock)
    splits.update(shifted)
    record = write_raw(splits, origin, config.data.name, layout.raw(config.task.name), origins)
    rows = ", ".join(f"{count} {split}" for split, count in record["rows"].items())
    print(f"{config.data.name}: {rows} rows -> {layout.raw(config.task.name)}")


def show_progress(wanted: bool) -> None:
    """The libraries' progress bars are for a terminal: in a log, each of their steps is a line."""
    import datasets
    import huggingface_hub.utils

    if not wanted:
        datasets.disable_progress_bars()
        huggingface_hub.utils.disable_progress_bars()


if __name__ == "__main__":
    main()
