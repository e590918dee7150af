"""Clean the text, train the tokenizer on the training split, and encode every split to Arrow.

python -m softalign.stages.prepare task=translation
"""

from __future__ import annotations

from typing import Any

from softalign.config import Config
from softalign.data.prepared import prepare
from softalign.data.shifted import prepare_shifted
from softalign.paths import Layout
from softalign.stages.entry import stage


@stage
def main(config: Config, layout: Layout) -> None:
    task = config.task.name
    form = config.trainer.progress
    report = prepare(layout.raw(task), layout.prepared(task), config.data, form)
    shifted = prepare_shifted(layout.raw(task), layout.prepared(task), layout.shifted(task), config.data, form)
    for line in summary(report | {"splits": report["splits"] | shifted["splits"]}):
        print(line)


def summary(report: dict[str, Any]) -> list[str]:
    """What the report of `prepare` says, a line for each split and one for the vocabulary.

    The text may hold fewer frequent pairs than the vocabulary has room for: then both sizes are named.
    """
    lines = []
    for split, counts in report["splits"].items():
        taken = [
            f"{counts[reason]} {reason.replace('_', ' ')}"
            for reason in ("empty", "too_long", "untrained_length", "duplicate", "leaked")
        ]
        lines.append(f"{split}: {counts['kept']} of {counts['read']} rows kept ({', '.join(taken)})")
    vocabulary = report["vocabulary"]
    asked = (
        f" ({vocabulary['asked']} asked for)"
        if min(vocabulary["source"], vocabulary["target"]) < vocabulary["asked"]
        else ""
    )
    lines.append(f"vocabulary: {vocabulary['source']} source and {vocabulary['target']} target tokens{asked}")
    return lines


if __name__ == "__main__":
    main()
