"""Reading one file of text pairs: JSONL, CSV, TSV, Parquet or two parallel text files, gzipped or not.

Every reader checks while it reads, so that an error can name the line. Lines end in LF or CRLF; a byte order mark at
the start of a file is skipped.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from softalign.data.columns import MAX_TEXT_BYTES, missing_column, text_columns
from softalign.errors import UserError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

CHUNK_ROWS = 10_000  # rows held as Python strings before they become Arrow
Row = tuple[str, ...]
PROGRESS_DELAY = 2.0  # seconds before a progress bar appears, on a terminal only


def read_rows(path: Path, columns: Mapping[str, str], limit: int | None = None) -> pa.Table:
    """The columns of one file that `columns` names (new name -> name there); at most `limit` rows.

    The format follows from the suffix: .jsonl, .ndjson, .json (one object a line), .csv (commas, quotes as in RFC
    4180), .tsv (tabs; a quote is a character like any other), .parquet; .gz after the first five.
    Raises `UserError` for a file that is not as it should be, with its line or row.
    """
    name = format_of(path)
    if name is None:
        raise UserError("unknown format", str(path), f"name it {', '.join(FORMATS)}")
    if name == "parquet":
        return _read_parquet(path, columns, limit)
    return _collect(READERS[name](path, columns), tuple(columns), str(path), limit)


def read_parallel(source: Path, target: Path, limit: int | None = None) -> pa.Table:
    """Line n of `source` beside line n of `target`, as columns source and target; at most `limit` rows.

    Raises `UserError` as `read_rows` does, and when one file has more lines than the other.
    """
    return _collect(_parallel(source, target), ("source", "target"), f"{source} and {target}", limit)


def format_of(path: Path) -> str | None:
    """The name in FORMATS of a file's format by its suffix, or None."""
    name = path.name.removesuffix(".gz")
    return next((kind for suffix, kind in FORMATS.items() if name.endswith(suffix)), None)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Every line of a text file with its number, counted from 1; the line end stays on.

    Raises `UserError` for bytes that are not UTF-8 (with line and byte), NUL bytes, a line of 1 MB or more, and a
    .gz file that is not one or ends early.
    """
    where = str(path)
    with _progress(path) as (stream, advance):
        number = 0
        while True:
            try:
                raw = stream.readline(MAX_TEXT_BYTES)
            except (gzip.BadGzipFile, zlib.error) as error:
                raise UserError(
                    f"not a readable gzip file ({error})", where, "compress it again, or drop the .gz suffix"
                ) from None
            except EOFError:
                raise UserError(
                    "the gzip file ends early", f"{where}, after line {number}", "copy or download it again"
                ) from None
            if not raw:
                return
            number += 1
            if len(raw) == MAX_TEXT_BYTES:
                raise UserError(
                    "a line of 1 MB or more",
                    f"{where}, line {number}",
                    "break it up or remove it; is this the right file?",
                )
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    "not UTF-8",
                    f"{where}, line {number}, byte {error.start + 1}",
                    "save it as UTF-8, as with iconv -f LATIN1 -t UTF-8",
                ) from None
            if "\0" in text:
                raise UserError(
                    "a NUL byte",
                    f"{where}, line {number}, byte {raw.index(0) + 1}",
                    "the file is damaged, binary or UTF-16: save it as UTF-8 text",
                )
            yield number, text
            advance()


def _json_lines(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    for number, line in lines(path):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            place = min(error.pos, len(line.rstrip()))  # what is missing at the end is missed after the line break
            raise UserError(
                f"not JSON: {error.msg} at character {place + 1}",
                where,
                'write one object a line, as {"source": ..., "target": ...}',
            ) from None
        except ValueError as error:  # Python's own limits, as of a number of thousands of digits
            raise UserError(f"JSON that cannot be read: {error}", where, "correct or remove the line") from None
        if not isinstance(record, dict):
            raise UserError(
                "a JSON value that is not an object",
                where,
                'write one object a line, as {"source": ..., "target": ...}',
            )
        yield tuple(_json_text(record, column, where) for column in columns.values())


def _json_text(record: dict[str, object], column: str, where: str) -> str:
    value: object = record.get(column)
    if column not in record:
        value = record
        for part in column.split("."):
            if not isinstance(value, dict) or part not in value:
                raise missing_column(column, list(record), where)
            value = value[part]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UserError(
            f"column {column!r} holds {type(value).__name__}, not text",
            where,
            "choose a text column, or a part of it as in a.b",
        )
    if "\0" in value:
        raise UserError(f"a NUL byte in column {column!r}", where, "repair or remove the row")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise UserError(
                f"half of a surrogate pair in column {column!r}", where, "repair or remove the row"
            ) from None
    return value


def _comma_separated(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    return _separated(path, columns, lambda text: csv.reader(text, strict=True))


def _tab_separated(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    return _separated(path, columns, lambda text: csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE))


def _separated(
    path: Path, columns: Mapping[str, str], reader: Callable[[Iterable[str]], Iterator[list[str]]]
) -> Iterator[Row]:
    csv.field_size_limit(MAX_TEXT_BYTES)
    position = [0, 0]  # the line read last, and the line that the row began on

    def text() -> Iterator[str]:
        for number, line in lines(path):
            position[0] = number
            yield line

    header: list[str] | None = None
    indices: list[int] = []
    rows = reader(text())
    while True:
        position[1] = position[0] + 1
        where = f"{path}, line {position[1]}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f"a row that cannot be read: {error}",
                where,
                "quote fields that hold commas, quotes or line ends, and double the quotes in them",
            ) from None
        if not row:
            continue
        if header is None:
            header = row
            for name in columns.values():
                if name not in header:
                    raise missing_column(name, header, f"{path}, line {position[1]}")
            indices = [header.index(name) for name in columns.values()]
        elif len(row) != len(header):
            raise UserError(
                f"{len(row)} fields, and the header has {len(header)}",
                where,
                "quote the fields of a .csv that hold commas; escape tabs in a .tsv",
            )
        else:
            yield tuple(row[index] for index in indices)


def _parallel(source: Path, target: Path) -> Iterator[Row]:
    left, right = lines(source), lines(target)
    rows = 0
    for (_, one), (_, other) in zip(left, right, strict=False):
        yield one.rstrip("\r\n"), other.rstrip("\r\n")
        rows += 1
    # zip has taken one line of `source` more than it gave when `target` is the shorter: count what is left of both.
    extra_source = sum(1 for _ in lines(source)) - rows
    extra_target = sum(1 for _ in right)
    if extra_source or extra_target:
        raise UserError(
            f"source and target have different lengths: {rows + extra_source} and {rows + extra_target} lines",
            f"{source} and {target}, from line {rows + 1} on",
            "line n of one must be the translation of line n of the other: find where they part",
        )


def _read_parquet(path: Path, columns: Mapping[str, str], limit: int | None) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, memory_map=True)
        table = file.read() if limit is None else _first_rows(file, limit)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"not a readable Parquet file ({str(error).splitlines()[0]})", str(path), "write or copy it again"
        ) from None
    return text_columns(table, columns, str(path))


def _first_rows(file: pq.ParquetFile, limit: int) -> pa.Table:
    batches, rows = [], 0
    for batch in file.iter_batches():
        batches.append(batch)
        rows += batch.num_rows
        if rows >= limit:
            break
    return pa.Table.from_batches(batches, file.schema_arrow).slice(0, limit)


def _collect(rows: Iterator[Row], names: tuple[str, ...], where: str, limit: int | None) -> pa.Table:
    """Rows to Arrow, a chunk at a time. Raises `UserError` when there is none."""
    schema = pa.schema([(name, pa.large_string()) for name in names])
    batches: list[pa.RecordBatch] = []
    chunk: list[Row] = []
    total = 0

    def close_chunk() -> None:
        arrays = [pa.array(column, pa.large_string()) for column in zip(*chunk, strict=True)]
        batches.append(pa.record_batch(arrays, schema=schema))
        chunk.clear()

    for row in rows:
        chunk.append(row)
        total += 1
        if len(chunk) == CHUNK_ROWS:
            close_chunk()
        if total == limit:
            break
    if total == 0:
        raise UserError("an empty file", where, "give a file that holds at least one row")
    if chunk:
        close_chunk()
    return pa.Table.from_batches(batches, schema)


@contextmanager
def _progress(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], None]]]:
    """The file as a stream of decompressed bytes, and a function that moves a progress bar to where reading is."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    with (
        path.open("rb") as raw,
        tqdm(
            total=path.stat().st_size, desc=path.name, unit="B", unit_scale=True, delay=PROGRESS_DELAY, disable=None
        ) as bar,
    ):
        stream = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
        yield cast(BinaryIO, stream), lambda: bar.update(raw.tell() - bar.n)


FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
READERS: dict[str, Callable[[Path, Mapping[str, str]], Iterator[Row]]] = {
    "jsonl": _json_lines,
    "csv": _comma_separated,
    "tsv": _tab_separated,
}
