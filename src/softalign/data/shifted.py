"""The folder data/shifted/<task>: test sets that differ from what an arm was trained on, cleaned and encoded.

They lie beside the prepared data and not in it, so that a further test set trains nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from softalign.config import DataConfig, JoinedTest, NoiseTest
from softalign.data.atomic import replacing
from softalign.data.cleaning import SEEN, Cleaner, Pair
from softalign.data.joined import joined
from softalign.data.noise import noisy
from softalign.data.prepared import (
    CHUNK,
    Prepared,
    encode,
    load_prepared,
    pairs_of,
    raw_file,
    read_encoded,
    write_clean,
)
from softalign.errors import UserError
from softalign.progress import progress

REPORT = "report.json"


@dataclass(frozen=True)
class ShiftedSplit:
    """A shifted test set, ready to be decoded."""

    table: pa.Table  # columns of prepared.ENCODED
    test_rows: list[int] | None  # of noise: the row of the test set that each row was made of


def prepare_shifted(raw: Path, prepared: Path, folder: Path, config: DataConfig, form: str = "auto") -> dict[str, Any]:
    """Clean and encode the shifted test sets of `config` into `folder`, with the tokenizers of the folder `prepared`.

    They are cleaned as the test set is, and a source that occurs in training or validation is taken out. Returns the
    report: `splits` and `lengths` as in that of `prepare`, by the names of the sets. `folder` is replaced when
    everything is written. Raises `UserError` where a set is missing in `raw`, or has no row left.
    """
    data = load_prepared(prepared, config)
    counts, lengths, test_rows = {}, {}, {}
    with replacing(folder) as fresh:
        cleaner = Cleaner(config.cleaning)
        if config.shifted_tests:
            for split in SEEN:
                cleaner.remember(split, _texts(data.splits[split], "source"))
        for name, test in config.shifted_tests.items():
            match test:
                case NoiseTest():
                    test_rows[name] = _clean_noise(fresh, name, test, data, cleaner)
                case JoinedTest():
                    _clean_joined(fresh, name, test, data, cleaner)
                case _:
                    with raw_file(raw / f"{name}.parquet") as file:
                        write_clean(fresh, name, cleaner.clean(name, pairs_of(file.iter_batches(CHUNK))))
            counts[name] = cleaner.counts[name].as_dict()
            with progress(f"{name}: encoding", counts[name]["kept"], form) as advance:
                lengths[name] = encode(fresh, name, data.source_tokenizer, data.target_tokenizer, advance)
        report = {"splits": counts, "lengths": lengths}
        content = report | {"made_of": _made_of(config, data), "test_rows": test_rows}
        (fresh / REPORT).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def load_shifted(folder: Path, config: DataConfig, data: Prepared) -> dict[str, ShiftedSplit]:
    """The shifted test sets of `config` by name, as `prepare_shifted` wrote them for the prepared `data`.

    Raises `UserError` where they are missing, or were written for other data or another configuration.
    """
    if not config.shifted_tests:
        return {}
    remedy = "run `dvc repro`, or `python -m softalign.stages.download` and `prepare` with the same overrides"
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        if report["made_of"] != _made_of(config, data):
            raise UserError("the shifted test sets are of other data or another configuration", str(folder), remedy)
        return {
            name: ShiftedSplit(read_encoded(folder / f"{name}.arrow"), report["test_rows"].get(name))
            for name in config.shifted_tests
        }
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("the shifted test sets are not prepared", str(folder), remedy) from None


def _clean_noise(folder: Path, name: str, test: NoiseTest, data: Prepared, cleaner: Cleaner) -> list[int]:
    """Write the noisy rows that stay; the rows of the test set that they were made of."""
    table = data.splits["test"]
    count = min(test.rows or len(table), len(table))
    chosen = [(2 * place + 1) * len(table) // (2 * count) for place in range(count)]
    rows = list(pairs_of(table.take(chosen).to_batches()))
    sources = noisy([row.source for row in rows], test.rate, test.seed)
    drawn: list[int] = []
    kept: list[int] = []

    def pairs() -> Iterator[Pair]:
        for test_row, source, row in zip(chosen, sources, rows, strict=True):
            drawn.append(test_row)
            yield row._replace(source=source)

    def noted(cleaned: Iterable[Pair]) -> Iterator[Pair]:
        for pair in cleaned:
            kept.append(drawn[-1])  # the cleaner hands a pair on before it draws the next
            yield pair

    write_clean(folder, name, noted(cleaner.clean(name, pairs())))
    return kept


def _clean_joined(folder: Path, name: str, test: JoinedTest, data: Prepared, cleaner: Cleaner) -> None:
    rows = list(pairs_of(data.splits["test"].to_batches()))
    where = f"data.shifted_tests.{name}.sentences"
    remedy = f"lower it, or leave the set out: ~data.shifted_tests.{name}"
    if test.sentences > len(rows):
        raise UserError(f"the test set has {len(rows)} rows and not {test.sentences} to be joined", where, remedy)
    try:
        write_clean(folder, name, cleaner.clean(name, joined(rows, test.sentences)))
    except UserError:
        counts = cleaner.counts[name]
        if counts.too_long < counts.read:
            raise
        limits = "data.cleaning.max_source_words and max_target_words"
        raise UserError(f"{test.sentences} joined rows are always above {limits}", where, remedy) from None


def _texts(table: pa.Table, column: str) -> Iterator[str]:
    for chunk in table.column(column).chunks:
        yield from chunk.to_pylist()


def _made_of(config: DataConfig, data: Prepared) -> dict[str, Any]:
    """What decides the content of the folder."""
    tests = {name: asdict(test) for name, test in config.shifted_tests.items()}
    return {"shifted_tests": tests, "prepared": data.report["fingerprint"]}
