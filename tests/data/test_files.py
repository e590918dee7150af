from __future__ import annotations

import gzip

import pytest

from softalign.config import FilesSource
from softalign.data.files import content_hash, find_splits
from softalign.errors import UserError

COLUMNS = {"source": "de", "target": "en"}


def source(path="corpus", **fields):
    return FilesSource(path=path, source_column="de", target_column="en", **fields)


def lay(root, **files):
    """`train__de='a'` is a file train.de."""
    folder = root / "corpus"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return folder


def names(found):
    return {split: [path.name for path in files.paths] for split, files in found.items()}


def test_a_folder_of_one_file_per_split_each_in_its_own_format(tmp_path):
    lay(tmp_path, train__jsonl__gz="x", dev__csv="x", test__de="x", test__en__gz="x", README__md="x", notes="x")
    assert names(find_splits(source(), [tmp_path])) == {
        "train": ["train.jsonl.gz"],
        "validation": ["dev.csv"],
        "test": ["test.de", "test.en.gz"],
    }


def test_shards_are_read_in_order_and_up_to_the_limit(tmp_path):
    shards = {f"train-0000{n}-of-00003__csv": f"de,en\n{n}a,x\n{n}b,x\n" for n in (2, 0, 1)}
    lay(tmp_path, **shards)
    train = find_splits(source(), [tmp_path])["train"]
    assert train.read(COLUMNS).column("source").to_pylist() == ["0a", "0b", "1a", "1b", "2a", "2b"]
    assert train.read(COLUMNS, limit=3).column("source").to_pylist() == ["0a", "0b", "1a"]


def test_a_single_file_and_the_start_of_two_names(tmp_path):
    folder = lay(tmp_path, all__tsv="de\ten\na\tb\n", news__de="c\n", news__en="d\n")
    assert names(find_splits(source("corpus/all.tsv"), [tmp_path])) == {"train": ["all.tsv"]}
    found = find_splits(source(str(folder / "news")), [tmp_path / "elsewhere"])
    assert names(found) == {"train": ["news.de", "news.en"]}
    assert found["train"].read(COLUMNS).to_pydict() == {"source": ["c"], "target": ["d"]}


def test_the_first_root_that_has_it(tmp_path):
    lay(tmp_path, train__csv="x", news__de="a", news__en="b")
    empty = tmp_path / "experiment"
    empty.mkdir()
    for path in ("corpus", "corpus/train.csv", "corpus/news"):
        (file, *_) = find_splits(source(path), [empty, tmp_path])["train"].paths
        assert file.parent == tmp_path / "corpus"
    with pytest.raises(UserError, match="no such file or folder .*experiment/nowhere"):
        find_splits(source("nowhere"), [empty, tmp_path])


def test_parallel_text_can_be_grouped_by_its_source(tmp_path):
    lay(tmp_path, train__de="a\n", train__en="b\n")
    read = find_splits(source(), [tmp_path])["train"].read(COLUMNS | {"group": "de"})
    assert read.to_pydict() == {"source": ["a"], "target": ["b"], "group": ["a"]}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no training split; the folder holds: nothing .*corpus.*name it train"),
        ({"test__csv": "", "old__csv": ""}, "no training split; the folder holds: old.csv, test.csv"),
        ({"train__de": ""}, "train.de has no parallel file train.en"),
        ({"train__csv": "", "test__en": ""}, "test.en has no parallel file test.de"),
        ({"train__csv": "", "train__tsv": ""}, "more than one file for the split 'train': train.csv, train.tsv"),
        ({"train__csv": "", "val__csv": "", "dev__csv": ""}, "more than one file for the split 'validation'"),
        ({"train__csv": "", "train__de": "", "train__en": ""}, "more than one file for the split 'train'"),
        (
            {f"{name}__{side}": "" for name in ("train", "valid", "dev") for side in ("de", "en")},
            "more than one file for the split 'validation': valid.de, valid.en, dev.de, dev.en",
        ),
        ({"train-00000-of-00003__csv": "", "train-00002-of-00003__csv": ""}, "not all parts of the split 'train'"),
        (
            {"train-00000-of-00002__csv": "", "train-00000-of-00002__tsv": ""},
            "or more: train-00000-of-00002.csv, train-00000-of-00002.tsv",
        ),
        (
            {"train__de": "", "train__en": "", "dev__de": "", "val__de": "", "val__en": ""},
            "dev.de has no parallel file dev.en .*take the other out",
        ),
    ],
)
def test_a_folder_that_is_not_clear(tmp_path, files, message):
    lay(tmp_path, **files)
    with pytest.raises(UserError, match=message):
        find_splits(source(), [tmp_path])


def test_nobodys_home_is_none(tmp_path):
    with pytest.raises(UserError, match="no such home directory .~nobody-of-this-name/corpus"):
        find_splits(source("~nobody-of-this-name/corpus"), [tmp_path])


def test_no_such_path_and_no_such_format(tmp_path):
    with pytest.raises(UserError, match="no such file or folder .*corpus.*data.source.path"):
        find_splits(source(), [tmp_path])
    lay(tmp_path, a__xml="")
    with pytest.raises(UserError, match="the format of a.xml is not known .*jsonl"):
        find_splits(source("corpus/a.xml"), [tmp_path])


def test_the_content_hash_sees_every_byte_and_the_split_but_not_the_place(tmp_path):
    def digest(where, **files):
        (tmp_path / where).mkdir()
        lay(tmp_path / where, **files)
        return content_hash(find_splits(source(), [tmp_path / where]))

    first = digest("a", train__csv="x", test__csv="y")
    assert digest("b", train__csv="x", test__csv="y") == first
    assert len({first, digest("c", train__csv="y", test__csv="x"), digest("d", train__csv="x", dev__csv="y")}) == 3
