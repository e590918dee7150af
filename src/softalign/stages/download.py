"""Fetch, read or generate the text of a task: python -m softalign.stages.download task=translation data=multi30k"""

from __future__ import annotations

from softalign.config import Config
from softalign.data.provenance import write_raw
from softalign.data.revisions import RevisionLock
from softalign.data.sources import load
from softalign.paths import Layout
from softalign.stages.entry import stage


@stage
def main(config: Config, layout: Layout) -> None:
    lock = RevisionLock.of(layout)
    splits, origin = load(config.data.source, [layout.root, layout.store], lock)
    record = write_raw(splits, origin, config.data.name, layout.raw(config.task.name))
    rows = ", ".join(f"{count} {split}" for split, count in record["rows"].items())
    print(f"{config.data.name}: {rows} rows -> {layout.raw(config.task.name)}")


if __name__ == "__main__":
    main()
