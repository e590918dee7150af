"""The tables of the loss over time: a row an epoch in history.csv, a row every few steps in steps.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from softalign.data.atomic import replace_text

EPOCH_COLUMNS = ("epoch", "step", "train_loss", "validation_loss", "validation_perplexity", "lr", "seconds")
STEP_COLUMNS = ("step", "train_loss")


def write_table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, float]]) -> None:
    """Write rows as CSV with a header, whole or not at all."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    replace_text(path, text.getvalue())


def read_table(path: Path) -> list[dict[str, float]]:
    """Read what `write_table` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
