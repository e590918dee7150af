"""Shifted test sets: cleaned and encoded as the prepared data is, which they change nothing of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softalign.config import CleaningConfig, DataConfig, FilesSource, FilesTest, JoinedTest, NoiseTest, TokenizerConfig
from softalign.data.prepared import load_prepared, prepare
from softalign.data.shifted import load_shifted, prepare_shifted
from softalign.errors import UserError

CONFIG = DataConfig(
    name="numbers",
    source=FilesSource(path="numbers", source_column="de", target_column="en"),
    cleaning=CleaningConfig(max_source_words=6, max_target_words=6, lowercase=True),
    tokenizer=TokenizerConfig(vocabulary_size=280, shared=False),
    shifted_tests={
        "other": FilesTest(path="other", source_column="de", target_column="en"),
        "noise": NoiseTest(rate=0.3, seed=1, rows=8),
        "joined": JoinedTest(sentences=2),
    },
)


def pairs(prefix: str, rows: int, **more: list[Any]) -> dict[str, list[Any]]:
    return {
        "source": [f"{prefix} zahl {n}" for n in range(rows)],
        "target": [f"number {n}" for n in range(rows)],
    } | more


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    alignment = {"alignment": ["1-0 2-1"] * 20}
    other = {
        "source": ["Ganz  Anders", "train zahl 3", "ganz anders", "test zahl 1", "validation zahl 2", "neu"],
        "target": ["quite different"] * 5 + [""],
    }
    tables = {"train": pairs("train", 50), "validation": pairs("validation", 10)}
    for split, content in (tables | {"test": pairs("test", 20, **alignment), "other": other}).items():
        pq.write_table(pa.table(content), folder / f"{split}.parquet")
    (folder / "provenance.json").write_text("{}")
    return folder


@pytest.fixture
def folder(raw: Path, tmp_path: Path) -> Path:
    prepare(raw, tmp_path / "prepared", CONFIG)
    prepare_shifted(raw, tmp_path / "prepared", tmp_path / "shifted", CONFIG)
    return tmp_path / "shifted"


def test_they_are_cleaned_like_the_test_set_and_counted(raw: Path, tmp_path: Path, folder: Path) -> None:
    report = prepare_shifted(raw, tmp_path / "prepared", folder, CONFIG)
    assert report["splits"]["other"] == {
        "read": 6, "empty": 1, "too_long": 0, "untrained_length": 0, "duplicate": 1, "leaked": 2, "kept": 2,
        "truncated": 0,
    }  # fmt: skip
    found = load_shifted(folder, CONFIG, load_prepared(tmp_path / "prepared", CONFIG))["other"]
    assert found.test_rows is None
    assert found.table["source"].to_pylist() == ["ganz anders", "test zahl 1"]
    assert found.table["references"].to_pylist() == [["quite different"]] * 2


def test_they_are_encoded_with_the_tokenizers_of_the_training_split(tmp_path: Path, folder: Path) -> None:
    data = load_prepared(tmp_path / "prepared", CONFIG)
    for shifted in load_shifted(folder, CONFIG, data).values():
        for row in shifted.table.to_pylist():
            assert row["source_ids"] == data.source_tokenizer.encode(row["source"])
            assert row["target_ids"] == data.target_tokenizer.encode(row["target"])


def test_noise_is_made_of_rows_of_the_test_set_that_it_names(tmp_path: Path, folder: Path) -> None:
    data = load_prepared(tmp_path / "prepared", CONFIG)
    noise = load_shifted(folder, CONFIG, data)["noise"]
    assert noise.test_rows == [1, 3, 6, 8, 11, 13, 16, 18]  # in the middle of each eighth
    before = data.splits["test"].take(noise.test_rows).to_pylist()
    after = noise.table.to_pylist()
    assert [row["source"] for row in after] != [row["source"] for row in before]
    for one, other in zip(before, after, strict=True):
        assert len(one["source"].split()) == len(other["source"].split())
        for column in ("target", "references", "alignment", "target_ids"):
            assert one[column] == other[column]


def test_joined_rows_are_neighbours_of_the_test_set_and_those_too_long_go(raw: Path, tmp_path: Path) -> None:
    test = pairs("test", 7)
    test["source"][2] += " mit mehr"  # 5 words: 8 with those of its neighbour, where 6 are allowed
    pq.write_table(pa.table(test), raw / "test.parquet")
    prepare(raw, tmp_path / "prepared", CONFIG)
    report = prepare_shifted(raw, tmp_path / "prepared", tmp_path / "shifted", CONFIG)
    counts = report["splits"]["joined"]
    assert (counts["read"], counts["too_long"], counts["kept"]) == (3, 1, 2)  # the seventh row has no neighbour
    found = load_shifted(tmp_path / "shifted", CONFIG, load_prepared(tmp_path / "prepared", CONFIG))["joined"]
    assert found.test_rows is None  # compared with the whole test set
    assert found.table["source"].to_pylist() == ["test zahl 0 test zahl 1", "test zahl 4 test zahl 5"]
    assert found.table["target"].to_pylist() == ["number 0 number 1", "number 4 number 5"]


def test_more_sentences_to_join_than_there_are(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "prepared", CONFIG)
    config = replace(CONFIG, shifted_tests={"long": JoinedTest(sentences=21)})
    with pytest.raises(UserError, match=r"20 rows and not 21 .*data\.shifted_tests\.long\.sentences\): lower it"):
        prepare_shifted(raw, tmp_path / "prepared", tmp_path / "shifted", config)


def test_joined_rows_that_are_all_too_long(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "prepared", CONFIG)
    config = replace(CONFIG, shifted_tests={"long": JoinedTest(sentences=3)})  # 9 words, where 6 are allowed
    with pytest.raises(UserError, match=r"3 joined rows are always above .*shifted_tests\.long\.sentences\): lower it"):
        prepare_shifted(raw, tmp_path / "prepared", tmp_path / "shifted", config)


def test_joined_rows_that_go_for_several_reasons(raw: Path, tmp_path: Path) -> None:
    train, test = pairs("train", 50), pairs("test", 4)
    train["source"][0] = "test zahl 0 test zahl 1"
    test["source"][2] += " mit mehr"
    for split, content in (("train", train), ("test", test)):
        pq.write_table(pa.table(content), raw / f"{split}.parquet")
    prepare(raw, tmp_path / "prepared", CONFIG)
    with pytest.raises(UserError, match=r"no row of the joined split is left \(2 read: .* 1 too long, .* 1 leaked"):
        prepare_shifted(raw, tmp_path / "prepared", tmp_path / "shifted", CONFIG)


def test_noise_that_spells_a_training_source_leaks_and_the_others_keep_their_rows(raw: Path, tmp_path: Path) -> None:
    test = {"source": ["ab", "cd", "ef"], "target": ["x", "y", "z"]}
    pq.write_table(pa.table(test), raw / "test.parquet")
    config = replace(CONFIG, shifted_tests={"noise": NoiseTest(rate=0.999, seed=0)})
    prepare(raw, tmp_path / "prepared", config)
    prepare_shifted(raw, tmp_path / "prepared", tmp_path / "one", config)
    everything = load_shifted(tmp_path / "one", config, load_prepared(tmp_path / "prepared"))["noise"]
    assert everything.test_rows == [0, 1, 2]
    train = pairs("train", 50)
    train["source"][0] = everything.table["source"][1].as_py()
    pq.write_table(pa.table(train), raw / "train.parquet")
    prepare(raw, tmp_path / "prepared", config)
    report = prepare_shifted(raw, tmp_path / "prepared", tmp_path / "two", config)
    found = load_shifted(tmp_path / "two", config, load_prepared(tmp_path / "prepared"))["noise"]
    assert report["splits"]["noise"]["leaked"] == 1
    assert found.test_rows == [0, 2]
    assert found.table["target"].to_pylist() == ["x", "z"]


def test_the_prepared_data_does_not_depend_on_them(raw: Path, tmp_path: Path) -> None:
    prepare(raw, tmp_path / "with", CONFIG)
    prepare(raw, tmp_path / "without", replace(CONFIG, shifted_tests={}))
    for path in (tmp_path / "with").iterdir():
        assert path.read_bytes() == (tmp_path / "without" / path.name).read_bytes()
    assert load_prepared(tmp_path / "with", replace(CONFIG, shifted_tests={})).report["fingerprint"]


def test_without_any_there_is_a_report_and_nothing_to_load(raw: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, shifted_tests={})
    prepare(raw, tmp_path / "prepared", config)
    assert prepare_shifted(raw, tmp_path / "prepared", tmp_path / "shifted", config)["splits"] == {}
    assert [path.name for path in (tmp_path / "shifted").iterdir()] == ["report.json"]
    data = load_prepared(tmp_path / "prepared", config)
    assert load_shifted(tmp_path / "shifted", config, data) == load_shifted(tmp_path / "nowhere", config, data) == {}


def test_sets_of_another_configuration_or_of_other_data_are_refused(tmp_path: Path, folder: Path) -> None:
    data = load_prepared(tmp_path / "prepared", CONFIG)
    other = replace(CONFIG, shifted_tests={"noise": NoiseTest(rate=0.1)})
    with pytest.raises(UserError, match="other data or another configuration.*dvc repro"):
        load_shifted(folder, other, data)
    with pytest.raises(UserError, match="other data or another configuration"):
        load_shifted(folder, CONFIG, replace(data, report=data.report | {"fingerprint": "x"}))
    with pytest.raises(UserError, match="not prepared .*nowhere.*dvc repro"):
        load_shifted(tmp_path / "nowhere", CONFIG, data)


def test_raw_text_that_is_missing_leaves_what_was_there(raw: Path, tmp_path: Path, folder: Path) -> None:
    before = json.loads((folder / "report.json").read_text())
    (raw / "other.parquet").unlink()
    with pytest.raises(UserError, match=r"no raw data .*other\.parquet.*download"):
        prepare_shifted(raw, tmp_path / "prepared", folder, CONFIG)
    assert json.loads((folder / "report.json").read_text()) == before
