"""A person's own files: which file is which split, and reading them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from softalign.config import FilesSource
from softalign.data.columns import text_columns
from softalign.data.readers import FORMATS, format_of, read_parallel, read_rows
from softalign.errors import UserError

# The names that a split's file may have: those that `datasets` knows too. Shards: train-00000-of-00002.parquet
STEMS = {"train": ("train", "training"), "validation": ("validation", "valid", "val", "dev"), "test": ("test", "eval")}
SHARD = re.compile(r"-(\d+)-of-(\d+)$")


@dataclass(frozen=True)
class SplitFiles:
    """The files of one split, in the order in which they are read; or two parallel ones."""

    paths: tuple[Path, ...]
    parallel: bool = False

    def read(self, columns: Mapping[str, str], limit: int | None = None) -> pa.Table:
        """Columns source, target and, if asked for, group. Raises `UserError` as the readers do."""
        if self.parallel:
            table = read_parallel(self.paths[0], self.paths[1], limit)
            # In parallel text the two sides are all the columns that there are.
            return text_columns(table.rename_columns([columns["source"], columns["target"]]), columns, str(self))
        parts: list[pa.Table] = []
        rows = 0
        for path in self.paths:
            parts.append(read_rows(path, columns, None if limit is None else limit - rows))
            rows += parts[-1].num_rows
            if rows == limit:
                break
        return pa.concat_tables(parts)

    def __str__(self) -> str:
        return ", ".join(str(path) for path in self.paths)


def find_splits(source: FilesSource, roots: Sequence[Path]) -> dict[str, SplitFiles]:
    """The files of each split that is there; `train` always is.

    `source.path`, relative to the first of `roots` where it is unless absolute, is a folder with train.*,
    validation.* and test.*, a single file (then all of it is `train`), or the common start of two parallel files
    (data/corpus for data/corpus.de and data/corpus.en).
    Raises `UserError` when there is no such file, when a split is there twice, or when half of a parallel pair is.
    """
    path = _place(source, roots)
    return _in_folder(path, source) if path.is_dir() else {"train": find_file(source, roots)}


def find_file(source: FilesSource, roots: Sequence[Path]) -> SplitFiles:
    """The single file, or the two parallel ones, that `source.path` names as `find_splits` has it.

    Raises `UserError` when there is no such file (a folder is none), or when half of a parallel pair is.
    """
    path = _place(source, roots)
    if path.is_file():
        if format_of(path) is None:
            raise UserError(
                f"the format of {path.name} is not known",
                str(path),
                f"name it {', '.join(FORMATS)} (.gz after it), or give the start of two parallel files' names",
            )
        return SplitFiles((path,))
    pair = _parallel_pair(path.parent, path.name, source)
    if pair:
        return pair
    if path.is_dir():
        raise UserError("a folder, and one file is needed", str(path), "set data.source.path to a file of it")
    raise UserError("no such file or folder", str(path), "set data.source.path to a file, or to a folder with train.*")


def _place(source: FilesSource, roots: Sequence[Path]) -> Path:
    try:
        paths = [root / Path(source.path).expanduser() for root in roots]
    except RuntimeError:  # of a user who is not there
        raise UserError("no such home directory", source.path, "write the whole path") from None
    return next((path for path in paths if path.exists() or _parallel_pair(path.parent, path.name, source)), paths[0])


def content_hash(splits: Mapping[str, SplitFiles]) -> str:
    """SHA-256 over the bytes of all files, split by split: the revision of a person's own data."""
    digest = hashlib.sha256()
    for name in sorted(splits):
        for path in splits[name].paths:
            with path.open("rb") as file:
                digest.update(f"{name} {path.name} ".encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _in_folder(folder: Path, source: FilesSource) -> dict[str, SplitFiles]:
    found: dict[str, SplitFiles] = {}
    for split, stems in STEMS.items():
        pairs = [pair for stem in stems if (pair := _parallel_pair(folder, stem, source))]
        tables = sorted(
            path for path in folder.iterdir() if path.is_file() and format_of(path) and _stem(path) in stems
        )
        shards = [match for path in tables if (match := SHARD.search(path.name.split(".")[0]))]
        if len(pairs) + bool(tables) > 1 or (len(tables) > 1 and len(shards) < len(tables)):
            both = [*(path for pair in pairs for path in pair.paths), *tables]
            raise UserError(
                f"more than one file for the split {split!r}: {', '.join(path.name for path in both)}",
                str(folder),
                "leave one of them there, or name data.source.path as a single file",
            )
        numbers = [int(match[1]) for match in shards]
        if any(len(numbers) != int(match[2]) or sorted(numbers) != list(range(len(numbers))) for match in shards):
            raise UserError(
                f"not all parts of the split {split!r}, or more: {', '.join(path.name for path in tables)}",
                str(folder),
                "have each there once, numbered from 0, or name data.source.path as a single file",
            )
        if pairs:
            found[split] = pairs[0]
        elif tables:
            found[split] = SplitFiles(tuple(tables))
    if "train" not in found:
        there = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        raise UserError(
            f"no training split; the folder holds: {', '.join(there[:20]) or 'nothing'}",
            str(folder),
            f"name it train with one of {', '.join(FORMATS)}, or train.{source.source_column} and "
            f"train.{source.target_column} for parallel text (.gz after any but Parquet)",
        )
    return found


def _parallel_pair(folder: Path, stem: str, source: FilesSource) -> SplitFiles | None:
    sides = []
    for suffix in (source.source_column, source.target_column):
        names = (f"{stem}.{suffix}", f"{stem}.{suffix}.gz")
        sides.append(next((folder / name for name in names if (folder / name).is_file()), None))
    one, other = sides
    if one and other:
        return SplitFiles((one, other), parallel=True)
    if one or other:
        half = source.target_column if one else source.source_column
        raise UserError(
            f"{(one or other).name} has no parallel file {stem}.{half}",  # type: ignore[union-attr]
            str(folder),
            "put it there, take the other out, or set data.source.source_column and target_column to the two suffixes",
        )
    return None


def _stem(path: Path) -> str:
    return SHARD.sub("", path.name.split(".")[0])
