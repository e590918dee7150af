"""The folder data/prepared/<task>: written by `prepare`, read by training and evaluation.

Rows lie in Arrow streams, which are memory-mapped on reading, and pass through in chunks on writing: neither needs
memory for all the text at once. What is kept of a row on the way is two digests. The same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from softalign.config import CleaningConfig, DataConfig
from softalign.data.atomic import replacing
from softalign.data.cleaning import Cleaner, Pair
from softalign.data.tokenizer import Tokenizer
from softalign.data.words import Words
from softalign.errors import UserError
from softalign.progress import progress

T = TypeVar("T")

SPLITS = ("train", "validation", "test")
CHUNK = 1000  # rows of a record batch
ENCODED_TOGETHER = 20  # record batches: the more, the rarer a word is encoded again

TEXT = pa.schema(
    {"source": pa.string(), "target": pa.string(), "references": pa.list_(pa.string()), "alignment": pa.string()}
)
ENCODED = TEXT.append(pa.field("source_ids", pa.list_(pa.int32()))).append(pa.field("target_ids", pa.list_(pa.int32())))


@dataclass(frozen=True)
class Prepared:
    """A task's data, ready for batches."""

    splits: dict[str, pa.Table]  # those that were asked for: columns of ENCODED, memory-mapped
    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer
    report: dict[str, Any]

    @property
    def shared_vocabulary(self) -> bool:
        """Whether both sides use one vocabulary."""
        return bool(self.report["vocabulary"]["shared"])


def prepare(raw: Path, folder: Path, config: DataConfig, form: str = "auto") -> dict[str, Any]:
    """Clean, tokenize and encode the Parquet files of `raw` into `folder`; returns the report.

    `folder` is replaced when everything is written, and untouched until then. `form` is how progress is shown. Raises
    `UserError` where `raw` is missing or incomplete, where no row of a split is left, and where the tokenizer cannot be
    trained as asked.
    """
    with replacing(folder) as fresh:
        return _write(raw, fresh, config, form)


def load_prepared(folder: Path, config: DataConfig | None = None, only: Sequence[str] = SPLITS) -> Prepared:
    """Read what `prepare` wrote, of the splits `only` these; the files of the others are not opened.

    Raises `UserError` where it is missing, or was written for other than `config`.
    """
    remedy = "run `dvc repro`, or `python -m softalign.stages.download` and `prepare` with the same overrides"
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        written_for = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
        if config is not None and written_for != _plain(config):
            differing = ", ".join(_differences(written_for, _plain(config), "data"))
            raise UserError(f"the prepared data is for another configuration: {differing} differ", str(folder), remedy)
        splits = {split: read_encoded(folder / f"{split}.arrow") for split in only}
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("no prepared data", str(folder), remedy) from None
    except pa.ArrowInvalid as error:
        raise UserError(f"damaged prepared data: {error}", str(folder), f"remove the folder and {remedy}") from None
    return Prepared(
        splits=splits,
        source_tokenizer=Tokenizer.load(folder / "source_tokenizer.json"),
        target_tokenizer=Tokenizer.load(folder / "target_tokenizer.json"),
        report=report,
    )


def _write(raw: Path, folder: Path, config: DataConfig, form: str) -> dict[str, Any]:
    provenance = _provenance(raw)
    _check_source(provenance, config, raw)
    counts = _clean(raw, folder, config.cleaning, form)
    source_tokenizer, target_tokenizer = _train_tokenizers(folder, config, counts["train"]["kept"], form)
    lengths = {}
    for split in SPLITS:
        with progress(f"{split}: encoding", counts[split]["kept"], form) as advance:
            lengths[split] = encode(folder, split, source_tokenizer, target_tokenizer, advance)
    (folder / "data.yaml").write_text(
        yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    report = {
        "data": config.name,
        "revision": provenance.get("revision"),
        "splits": counts,
        "vocabulary": {
            "source": len(source_tokenizer),
            "target": len(target_tokenizer),
            "asked": config.tokenizer.vocabulary_size,
            "shared": config.tokenizer.shared,
        },
        "lengths": lengths,
        "fingerprint": _fingerprint(folder),
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def _clean(raw: Path, folder: Path, config: CleaningConfig, form: str) -> dict[str, dict[str, int]]:
    """Write <split>.clean.arrow for each split; returns the counts."""
    cleaner = Cleaner(config)
    for split in Cleaner.ORDER:
        with (
            raw_file(raw / f"{split}.parquet") as file,
            progress(f"{split}: cleaning", file.metadata.num_rows, form) as advance,
        ):
            write_clean(folder, split, cleaner.clean(split, pairs_of(file.iter_batches(CHUNK), advance)))
    return {split: cleaner.counts[split].as_dict() for split in SPLITS}


def write_clean(folder: Path, split: str, pairs: Iterable[Pair]) -> None:
    """Write <split>.clean.arrow, from which `encode` goes on."""
    with pa.OSFile(str(folder / f"{split}.clean.arrow"), "wb") as sink, pa.ipc.new_stream(sink, TEXT) as writer:
        for chunk in _chunks(pairs, CHUNK):
            columns = {name: [getattr(pair, name) for pair in chunk] for name in TEXT.names}
            writer.write_batch(pa.RecordBatch.from_pydict(columns, schema=TEXT))


def read_encoded(path: Path) -> pa.Table:
    """A split as `encode` wrote it, memory-mapped: columns of ENCODED."""
    return pa.Table.from_batches(_batches(pa.memory_map(str(path))), ENCODED)


@contextmanager
def raw_file(path: Path) -> Iterator[pq.ParquetFile]:
    """A Parquet file of data/raw. Raises `UserError` where it is missing or is not one."""
    remedy = "run the download stage first: `dvc repro`, or `python -m softalign.stages.download`"
    try:
        with pq.ParquetFile(path) as file:
            present = set(file.schema_arrow.names)
            for column in ("source", "target"):
                if column not in present:
                    raise UserError(f"no column {column!r}, there is {', '.join(sorted(present))}", str(path), remedy)
            yield file
    except FileNotFoundError:
        raise UserError("no raw data", str(path), remedy) from None
    except pa.ArrowInvalid as error:
        raise UserError(f"not a Parquet file: {error}", str(path), "run the download stage again") from None


def pairs_of(batches: Iterable[pa.RecordBatch], advance: Callable[[int], None] = lambda _: None) -> Iterator[Pair]:
    """The rows of `batches`, of their columns those of TEXT; what is missing is empty."""
    for batch in batches:
        present = batch.select([name for name in TEXT.names if name in batch.schema.names])
        # A list a column is made in a third of the time of a dictionary a row.
        columns = {name: [None] * batch.num_rows for name in TEXT.names} | present.to_pydict()
        for source, target, references, alignment in zip(*(columns[name] for name in TEXT.names), strict=True):
            yield Pair(source or "", target or "", tuple(text or "" for text in references or ()), alignment or "")
        advance(batch.num_rows)


def _train_tokenizers(folder: Path, config: DataConfig, rows: int, form: str) -> tuple[Tokenizer, Tokenizer]:
    """Train on the `rows` of the cleaned training split and write both files."""

    def trained(*columns: str) -> Tokenizer:
        with progress(f"{' and '.join(columns)} tokenizer: training", rows, form) as advance:
            return Tokenizer.train(texts(columns, advance), config.tokenizer)

    def texts(columns: Sequence[str], advance: Callable[[int], None]) -> Iterator[str]:
        for batch in _batches(pa.OSFile(str(folder / "train.clean.arrow"))):
            for column in columns:
                yield from batch.column(column).to_pylist()
            advance(batch.num_rows)

    if config.tokenizer.shared:
        source = target = trained("source", "target")
    else:
        source, target = trained("source"), trained("target")
    source.save(folder / "source_tokenizer.json")
    target.save(folder / "target_tokenizer.json")
    return source, target


def _check_round_trip(tokenizer: Tokenizer, texts: Sequence[str], ids: Sequence[Sequence[int]]) -> None:
    """Raise `UserError` for a text that the tokenizer does not give back: it could never be produced."""
    for text, back in zip(texts, tokenizer.decode_batch(ids), strict=True):
        if text != back:
            raise UserError(
                f"the tokenizer turns {text[:60]!r} into {back[:60]!r}",
                "a target of the training split",
                "this is a fault of softalign or of the tokenizers library, please report it",
            )


def encode(
    folder: Path, split: str, source: Tokenizer, target: Tokenizer, advance: Callable[[int], None]
) -> dict[str, dict[str, float]]:
    """Turn <split>.clean.arrow into <split>.arrow, with ids; returns the distribution of the lengths.

    Raises `UserError` where a training target does not come back from the ids of a tokenizer without loss.
    """
    lengths: dict[str, list[NDArray[np.int64]]] = {
        name: [] for name in ("source_words", "target_words", "source_tokens", "target_tokens")
    }
    clean = folder / f"{split}.clean.arrow"
    with pa.OSFile(str(folder / f"{split}.arrow"), "wb") as sink, pa.ipc.new_stream(sink, ENCODED) as writer:
        for batches in _chunks(_batches(pa.OSFile(str(clean))), ENCODED_TOGETHER):
            ids: list[list[pa.ListArray]] = []
            for side, tokenizer in (("source", source), ("target", target)):
                words = Words.of(pa.concat_arrays([batch.column(side) for batch in batches]))
                # No token reaches over two words: the ids of a text are those of its words.
                ids.append(words.joined(tokenizer.encode_batch(words.distinct), CHUNK))
                lengths[f"{side}_words"].append(words.lengths)
                lengths[f"{side}_tokens"] += [np.diff(rows.offsets.to_numpy()) for rows in ids[-1]]
            for batch, source_ids, target_ids in zip(batches, *ids, strict=True):
                if split == "train" and target.is_lossless:
                    _check_round_trip(target, batch.column("target").to_pylist(), target_ids.to_pylist())
                columns = [*batch.columns, source_ids, target_ids]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=ENCODED))
                advance(batch.num_rows)
    clean.unlink()
    return {name: _distribution(np.concatenate(parts)) for name, parts in lengths.items()}


def _distribution(lengths: NDArray[np.int64]) -> dict[str, float]:
    """Quantiles (of nearest rank), mean and sum."""
    quantiles = {"min": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "p95": 0.95, "max": 1.0}
    found: dict[str, float] = {
        name: int(np.quantile(lengths, share, method="inverted_cdf")) for name, share in quantiles.items()
    }
    return found | {"mean": round(float(lengths.mean()), 2), "total": int(lengths.sum())}


def _batches(source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow stream. What is read once is not mapped: the pages would stay in memory to the end."""
    with source, pa.ipc.open_stream(source) as reader:
        yield from reader


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def _provenance(raw: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((raw / "provenance.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(
            "no raw data",
            str(raw),
            "run the download stage first: `dvc repro`, or `python -m softalign.stages.download`",
        ) from None
    except ValueError as error:
        raise UserError(f"cannot read provenance.json: {error}", str(raw), "run the download stage again") from None


def _check_source(provenance: dict[str, Any], config: DataConfig, raw: Path) -> None:
    """Raise `UserError` where the text was read or generated for another `data.source`."""
    wanted = _plain(config)["source"]
    if (found := provenance.get("source", wanted)) != wanted:
        differing = ", ".join(_differences(found, wanted, "data.source"))
        raise UserError(
            f"the raw data is of another source: {differing} differ",
            str(raw),
            "run `dvc repro`, or `python -m softalign.stages.download` with the same overrides first",
        )


def _fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of the files that models and scores depend on."""
    digest = hashlib.sha256()
    for name in (*(f"{split}.arrow" for split in SPLITS), "source_tokenizer.json", "target_tokenizer.json"):
        with (folder / name).open("rb") as file:
            digest.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _plain(config: DataConfig) -> dict[str, Any]:
    """The configuration as YAML would give it back, without the shifted test sets, which lie in a folder of theirs."""
    plain = dict(yaml.safe_load(yaml.safe_dump(asdict(config))))
    del plain["shifted_tests"]
    return plain


def _differences(one: Any, other: Any, key: str) -> Iterator[str]:
    """The dotted keys in which two configurations differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one | other:
            yield from _differences(one.get(name), other.get(name), f"{key}.{name}")
    elif one != other:
        yield key
