from __future__ import annotations

import hashlib
import json
import os

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softalign.data import provenance
from softalign.data.provenance import Origin, write_raw
from softalign.errors import UserError

ORIGIN = Origin(kind="hub", id="owner/name", revision="a" * 40, licence="cc-by-4.0")


def splits(word="a"):
    def rows(count):
        return {"source": [f"{word}{n}" for n in range(count)], "target": ["ü"] * count}

    plain = {name: datasets.Dataset(pa.table(rows(count))) for name, count in (("train", 3), ("validation", 2))}
    test = rows(1) | {"references": [["ü", "u"]]}
    return datasets.DatasetDict(plain | {"test": datasets.Dataset(pa.table(test))})


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_and_their_record(tmp_path):
    record = write_raw(splits(), ORIGIN, "mine", tmp_path / "raw")
    assert json.loads((tmp_path / "raw" / "provenance.json").read_text()) == record
    assert record["rows"] == {"train": 3, "validation": 2, "test": 1}
    assert (record["data"], record["kind"], record["revision"]) == ("mine", "hub", "a" * 40)
    for split, digest in record["sha256"].items():
        path = tmp_path / "raw" / f"{split}.parquet"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert pq.read_table(path).to_pylist() == splits()[split].to_list()
    assert sorted(content(tmp_path / "raw")) == [
        "provenance.json",
        "test.parquet",
        "train.parquet",
        "validation.parquet",
    ]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    write_raw(splits(), ORIGIN, "mine", tmp_path / "one")
    write_raw(splits(), ORIGIN, "mine", tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_leaves_the_earlier_output(tmp_path, monkeypatch):
    target = tmp_path / "raw"
    write_raw(splits("old"), ORIGIN, "mine", target)
    before = content(target)
    write_split = provenance.write_split

    def onto_a_full_disk(rows, path):
        if path.name == "test.parquet":
            path.symlink_to("/dev/full")
        write_split(rows, path)

    monkeypatch.setattr(provenance, "write_split", onto_a_full_disk)
    with pytest.raises(UserError, match=f"no space left on disk .{target}"):
        write_raw(splits("new"), ORIGIN, "mine", target)
    assert content(target) == before
    assert os.listdir(tmp_path) == ["raw"]
