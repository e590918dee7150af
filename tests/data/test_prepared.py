"""From raw Parquet to the folder that training reads: complete, checked, the same every time."""

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from softalign import progress
from softalign.config import CleaningConfig, DataConfig, FilesSource, TokenizerConfig
from softalign.data import prepared as module
from softalign.data.prepared import load_prepared, prepare
from softalign.data.tokenizer import Tokenizer
from softalign.errors import UserError

CONFIG = DataConfig(
    name="numbers",
    source=FilesSource(path="numbers", source_column="de", target_column="en"),
    cleaning=CleaningConfig(max_source_words=4, max_target_words=4),
    tokenizer=TokenizerConfig(vocabulary_size=280, shared=False),
)
GERMAN = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]
ENGLISH = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
FILES = {
    *("train.arrow", "validation.arrow", "test.arrow"),
    *("source_tokenizer.json", "target_tokenizer.json", "report.json", "data.yaml"),
}


def rows(first: int, last: int) -> dict[str, list[Any]]:
    """Rows whose source spells a number of digits; no two ranges share one."""
    numbers = [[int(digit) for digit in str(number)] for number in range(first, last)]
    return {
        "source": [" ".join(GERMAN[digit] for digit in digits) for digits in numbers],
        "target": [" ".join(ENGLISH[digit] for digit in digits) for digits in numbers],
    }


def write_raw(folder: Path, **splits: dict[str, list[Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"train": rows(0, 300), "validation": rows(300, 340), "test": rows(340, 400)} | splits
    for split, content in columns.items():
        pq.write_table(pa.table(content), folder / f"{split}.parquet")
    (folder / "provenance.json").write_text(json.dumps({"data": "numbers", "revision": "abc123"}))
    return folder


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_raw(tmp_path / "raw")


def test_what_is_written(raw: Path, tmp_path: Path) -> None:
    report = prepare(raw, tmp_path / "data" / "prepared", CONFIG)
    assert {path.name for path in (tmp_path / "data" / "prepared").iterdir()} == FILES
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["prepared"]
    data = load_prepared(tmp_path / "data" / "prepared", CONFIG)
    assert data.report == report
    assert not data.shared_vocabulary
    assert {split: len(table) for split, table in data.splits.items()} == {"train": 300, "validation": 40, "test": 60}
    assert report["revision"] == "abc123"
    assert report["vocabulary"]["source"] == len(data.source_tokenizer)
    assert report["vocabulary"]["target"] == len(data.target_tokenizer)
    row = data.splits["train"].slice(15, 1).to_pylist()[0]
    assert (row["source"], row["target"]) == ("zwei sechs", "two six")
    assert row["references"] == ["two six"]
    assert row["alignment"] == ""
    for table in data.splits.values():
        for row in table.to_pylist():
            assert row["source_ids"] == data.source_tokenizer.encode(row["source"])
            assert data.target_tokenizer.decode(row["target_ids"]) == row["target"]


def test_the_numbers_of_the_report(raw: Path, tmp_path: Path) -> None:
    leaking = rows(299, 342)  # 1 row of training, 40 as they should be, 2 of test
    write_raw(raw, validation={key: [*texts, *texts[5:7], ""] for key, texts in leaking.items()})
    report = prepare(
        raw, tmp_path / "prepared", replace(CONFIG, cleaning=CleaningConfig(max_source_words=3, max_target_words=3))
    )
    assert report["splits"]["validation"] == {
        "read": 46, "empty": 1, "too_long": 0, "untrained_length": 0, "duplicate": 2, "leaked": 3, "kept": 40,
        "truncated": 0,
    }  # fmt: skip
    # Of 0 to 299 ten have one digit, ninety two and two hundred three.
    words = report["lengths"]["train"]["source_words"]
    assert words == {
        "min": 1, "lower_quartile": 2, "median": 3, "upper_quartile": 3, "p95": 3, "max": 3,
        "mean": 2.63, "total": 790,
    }  # fmt: skip


def test_the_same_input_gives_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    def digests(name: str) -> dict[str, str]:
        prepare(raw, tmp_path / name, CONFIG)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / name).iterdir()}

    assert digests("one") == digests("two")


def test_the_fingerprint_follows_the_data(raw: Path, tmp_path: Path) -> None:
    first = prepare(raw, tmp_path / "prepared", CONFIG)["fingerprint"]
    write_raw(raw, test=rows(341, 400))
    assert prepare(raw, tmp_path / "prepared", CONFIG)["fingerprint"] != first


def test_datasets_reads_the_files(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "prepared", CONFIG)
    for split, table in load_prepared(tmp_path / "prepared").splits.items():
        assert Dataset.from_file(str(tmp_path / "prepared" / f"{split}.arrow")).to_list() == table.to_pylist()


def test_chunks_do_not_show(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(raw, tmp_path / "whole", CONFIG)
    monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(module, "ENCODED_TOGETHER", 3)
    prepare(raw, tmp_path / "chunked", CONFIG)
    whole, chunked = (load_prepared(tmp_path / name).splits for name in ("whole", "chunked"))
    for split in whole:
        assert whole[split].to_pydict() == chunked[split].to_pydict()


def test_the_bytes_do_not_depend_on_how_many_rows_are_encoded_together(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 7)
    found = set()
    for together in (1, 3, 1000):
        monkeypatch.setattr(module, "ENCODED_TOGETHER", together)
        found.add(prepare(raw, tmp_path / str(together), CONFIG)["fingerprint"])
    assert len(found) == 1


def test_ids_are_those_of_the_tokenizers(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "prepared", CONFIG)
    data = load_prepared(tmp_path / "prepared")
    for split in data.splits.values():
        for side, tokenizer in (("source", data.source_tokenizer), ("target", data.target_tokenizer)):
            assert split[f"{side}_ids"].to_pylist() == [tokenizer.encode(text) for text in split[side].to_pylist()]


def test_progress_is_shown_as_asked(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 1e9)  # it takes no longer
    prepare(raw, tmp_path / "prepared", CONFIG)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    prepare(raw, tmp_path / "prepared", CONFIG, "none")
    assert capsys.readouterr() == ("", "")
    prepare(raw, tmp_path / "prepared", CONFIG)
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.splitlines() == [
        "train: cleaning: 300 of 300",
        "test: cleaning: 60 of 60",
        "validation: cleaning: 40 of 40",
        "source tokenizer: training: 300 of 300",
        "target tokenizer: training: 300 of 300",
        "train: encoding: 300 of 300",
        "validation: encoding: 40 of 40",
        "test: encoding: 60 of 60",
    ]


def test_tokenizers_know_the_training_split_alone(tmp_path: Path) -> None:
    one = write_raw(tmp_path / "one")
    other = write_raw(tmp_path / "other", test={"source": ["xylophon " * 3] * 5, "target": ["a b", "c", "d", "e", "f"]})
    prepare(one, tmp_path / "a", CONFIG)
    prepare(other, tmp_path / "b", CONFIG)
    for name in ("source_tokenizer.json", "target_tokenizer.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_one_vocabulary_for_both_sides(raw: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, tokenizer=TokenizerConfig(vocabulary_size=400, shared=True))
    prepare(raw, tmp_path / "prepared", config)
    source, target = (tmp_path / "prepared" / f"{side}_tokenizer.json" for side in ("source", "target"))
    assert source.read_bytes() == target.read_bytes()
    data = load_prepared(tmp_path / "prepared", config)
    assert data.shared_vocabulary and data.report["vocabulary"]["asked"] == 400
    assert "▁sechs" in data.source_tokenizer.tokens(data.source_tokenizer.encode("sechs"))
    assert "▁two" in data.source_tokenizer.tokens(data.source_tokenizer.encode("two"))


def test_references_and_alignments_are_kept(tmp_path: Path) -> None:
    test = {
        "source": ["a  b", "c"],
        "target": ["x y", "z"],
        "references": [["x y", " x\u00a0z "], ["z"]],
        "alignment": ["0-1 1-0", ""],
    }
    prepare(write_raw(tmp_path / "raw", test=test), tmp_path / "prepared", CONFIG)
    split = load_prepared(tmp_path / "prepared").splits["test"]
    assert split["references"].to_pylist() == [["x y", "x z"], ["z"]]
    assert split["alignment"].to_pylist() == ["0-1 1-0", ""]


def test_nulls_are_empty(tmp_path: Path) -> None:
    test = {"source": ["a", None, "b"], "target": ["x", "y", None], "references": [["x", None], None, None]}
    report = prepare(write_raw(tmp_path / "raw", test=test), tmp_path / "prepared", CONFIG)
    assert report["splits"]["test"]["empty"] == 2
    assert load_prepared(tmp_path / "prepared").splits["test"]["references"].to_pylist() == [["x"]]


@pytest.mark.parametrize("missing", [None, "train.parquet", "test.parquet", "provenance.json"])
def test_raw_data_that_is_missing(missing: str | None, raw: Path, tmp_path: Path) -> None:
    where = tmp_path / "nowhere"
    if missing:
        (raw / missing).unlink()
        where = raw
    with pytest.raises(UserError, match="run the download stage first"):
        prepare(where, tmp_path / "prepared", CONFIG)
    assert not (tmp_path / "prepared").exists()


def test_raw_data_that_is_damaged(raw: Path, tmp_path: Path) -> None:
    (raw / "test.parquet").write_bytes(b"not parquet")
    with pytest.raises(UserError, match=r"not a Parquet file.*test\.parquet.*download"):
        prepare(raw, tmp_path / "prepared", CONFIG)
    write_raw(raw, test={"source": ["a"], "goal": ["b"]})
    with pytest.raises(UserError, match=r"no column 'target', there is goal, source .*test\.parquet"):
        prepare(raw, tmp_path / "prepared", CONFIG)
    write_raw(raw)
    (raw / "provenance.json").write_text("{")
    with pytest.raises(UserError, match=r"provenance\.json"):
        prepare(raw, tmp_path / "prepared", CONFIG)


def test_raw_data_of_another_source_is_refused(raw: Path, tmp_path: Path) -> None:
    record = {"data": "numbers", "revision": None, "source": asdict(CONFIG.source)}
    (raw / "provenance.json").write_text(json.dumps(record))
    prepare(raw, tmp_path / "prepared", CONFIG)
    other = replace(CONFIG, source=replace(CONFIG.source, path="elsewhere"))
    with pytest.raises(UserError, match=r"another source: data.source.path differ \(.*raw\): .*download"):
        prepare(raw, tmp_path / "other", other)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("length", [0, 100])
def test_prepared_data_that_is_damaged(raw: Path, tmp_path: Path, length: int) -> None:
    prepare(raw, tmp_path / "prepared", CONFIG)
    os.truncate(tmp_path / "prepared" / "train.arrow", length)
    with pytest.raises(UserError, match=r"damaged prepared data: .*prepared\): remove the folder and run `dvc repro`"):
        load_prepared(tmp_path / "prepared", CONFIG, only=("train",))
    load_prepared(tmp_path / "prepared", CONFIG, only=("test",))


def test_a_failure_leaves_what_was_there(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "out" / "prepared", CONFIG)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / "prepared").iterdir()}
    write_raw(raw, validation={"source": ["a b c d e f"], "target": ["x"]})
    with pytest.raises(UserError, match=r"no row of the validation split is left.*max_source_words \(now 4\)"):
        prepare(raw, tmp_path / "out" / "prepared", CONFIG)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "prepared").iterdir()} == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["prepared"]


def test_a_vocabulary_of_words_may_lose_rare_ones(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw", train={"source": ["eins", "zwei", "drei"], "target": ["one", "one", "three"]})
    words = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, kind="word"))
    prepare(raw, tmp_path / "prepared", words)
    data = load_prepared(tmp_path / "prepared", words)
    rows = data.splits["train"].to_pylist()
    assert [data.target_tokenizer.decode(row["target_ids"]) for row in rows] == ["one", "one", "<unk>"]
    assert len(data.target_tokenizer) == 3 + 2  # "one" and the unknown word


def test_a_tokenizer_that_loses_text_stops_prepare(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faithful = Tokenizer.decode_batch
    monkeypatch.setattr(Tokenizer, "decode_batch", lambda self, rows: [text.lower() for text in faithful(self, rows)])
    write_raw(raw, train={"source": ["a", "b"], "target": ["fine", "Lost"]})
    with pytest.raises(UserError, match="turns 'Lost' into 'lost'"):
        prepare(raw, tmp_path / "prepared", CONFIG)


def test_prepared_data_of_another_configuration_is_refused(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "prepared", CONFIG)
    other = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, vocabulary_size=290))
    with pytest.raises(UserError, match=r"another configuration: data\.tokenizer\.vocabulary_size .*dvc repro"):
        load_prepared(tmp_path / "prepared", other)


def test_prepared_data_that_is_missing(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no prepared data .*dvc repro"):
        load_prepared(tmp_path / "prepared", CONFIG)
    prepare(raw, tmp_path / "prepared", CONFIG)
    (tmp_path / "prepared" / "test.arrow").unlink()
    with pytest.raises(UserError, match="no prepared data"):
        load_prepared(tmp_path / "prepared", CONFIG)
