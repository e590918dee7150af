"""Where a data set came from, and writing it with that record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softalign.data.atomic import replacing

if TYPE_CHECKING:
    import datasets

NAME = "provenance.json"
ROW_GROUP = 50_000  # rows


@dataclass(frozen=True)
class Origin:
    """What identifies the text, wherever it came from."""

    kind: str  # embedded | hub | files
    id: str  # corpus, data set or path
    config: str | None = None
    revision: str | None = None  # commit of a Hub data set, SHA-256 of a person's files
    licence: str | None = None
    cut: dict[str, int] = field(default_factory=dict)  # splits drawn from the training data, and their sizes
    statistics: dict[str, Any] | None = None  # of embedded corpora
    source: dict[str, Any] | None = None  # data.source as it was asked for


def write_raw(
    splits: datasets.DatasetDict, origin: Origin, name: str, target: Path, shifted: Mapping[str, Origin] | None = None
) -> dict[str, Any]:
    """Write `target`/<split>.parquet and provenance.json, all or nothing, and return the content of the latter.

    `shifted` tells where those of the splits come from that are shifted test sets.
    The files' bytes depend on the rows alone. Raises `UserError` when the disk is full; `target` is then as it was.
    """
    with replacing(target) as folder:
        for split, rows in splits.items():
            write_split(rows, folder / f"{split}.parquet")
        record: dict[str, Any] = {"data": name} | asdict(origin)
        for key in ("statistics", "source"):
            if record[key] is None:
                del record[key]
        if shifted:
            record["shifted"] = {
                test: {key: value for key, value in asdict(own).items() if value} for test, own in shifted.items()
            }
        record["rows"] = {split: len(rows) for split, rows in splits.items()}
        record["sha256"] = {split: _sha256(folder / f"{split}.parquet") for split in splits}
        (folder / NAME).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return record


def write_split(rows: datasets.Dataset, path: Path) -> None:
    """One Parquet file, a row group at a time, so that a split larger than memory passes through."""
    import pyarrow.parquet as pq

    table = rows.with_format("arrow")[:]  # memory-mapped: not read until it is written
    pq.write_table(table.replace_schema_metadata(None), path, row_group_size=ROW_GROUP)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
