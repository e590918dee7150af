from __future__ import annotations

import json
from pathlib import Path

import pytest

from softalign.config import EmbeddedSource, FilesSource
from softalign.data.revisions import RevisionLock
from softalign.data.sources import load
from softalign.errors import UserError

NO_LOCK = RevisionLock(())


def jsonl(path, rows, **more):
    path.write_text("".join(json.dumps({"source": f"s{n}", "target": f"t{n}"} | more) + "\n" for n in rows))


def files(path, **fields):
    return FilesSource(path=str(path), source_column="source", target_column="target", **fields)


@pytest.mark.parametrize("corpus", ["phrasebook", "newsbriefs", "recall", "copy", "reverse"])
def test_embedded_corpora_come_with_alignments_and_statistics(corpus):
    source = EmbeddedSource(corpus=corpus, seed=1, train_rows=40, validation_rows=10, test_rows=10)
    splits, origin = load(source, [Path.cwd()], NO_LOCK)
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 40, "validation": 10, "test": 10}
    assert set(splits["train"].column_names) == {"source", "target", "alignment", "template"}
    for row in splits["test"]:
        links = [tuple(map(int, link.split("-"))) for link in row["alignment"].split()]
        assert links
        assert all(i < len(row["source"].split()) and j < len(row["target"].split()) for i, j in links)
    assert (origin.kind, origin.id) == ("embedded", corpus)
    assert origin.statistics and origin.statistics["source"]["vocabulary"] > 0
    assert load(source, [Path.cwd()], NO_LOCK)[0]["train"].to_list() == splits["train"].to_list()


def test_an_unknown_corpus_names_the_known_ones():
    source = EmbeddedSource(corpus="phrases", seed=1, train_rows=1, validation_rows=1, test_rows=1)
    with pytest.raises(
        UserError, match="unknown corpus 'phrases'.*known: phrasebook, newsbriefs, recall, copy, reverse"
    ):
        load(source, [Path.cwd()], NO_LOCK)


def test_files_with_all_splits_are_taken_as_they_are(tmp_path):
    for split, rows in (("train", range(5)), ("validation", range(5, 7)), ("test", range(7, 10))):
        jsonl(tmp_path / f"{split}.jsonl", rows)
    splits, origin = load(files(tmp_path, train_limit=4), [Path.cwd()], NO_LOCK)
    assert [row["source"] for row in splits["train"]] == ["s0", "s1", "s2", "s3"]
    assert [row["target"] for row in splits["test"]] == ["t7", "t8", "t9"]
    assert (origin.kind, origin.id, origin.cut) == ("files", str(tmp_path), {})
    assert origin.revision and len(origin.revision) == 64


@pytest.mark.parametrize("there", [["train"], ["train", "test"], ["train", "validation"]])
def test_missing_splits_are_cut_from_train(tmp_path, there):
    for number, split in enumerate(there):
        jsonl(tmp_path / f"{split}.jsonl", range(100 * number, 100 * number + 20))
    splits, origin = load(files(tmp_path, validation_rows=3, test_rows=4, train_limit=6), [Path.cwd()], NO_LOCK)
    cut = {name: size for name, size in (("validation", 3), ("test", 4)) if name not in there}
    assert origin.cut == cut
    assert len(splits["train"]) == 6
    for name in ("validation", "test"):
        assert len(splits[name]) == cut.get(name, 20)
    sources = [row["source"] for rows in splits.values() for row in rows]
    assert len(sources) == len(set(sources))


def test_a_single_file_too_small_to_cut(tmp_path):
    jsonl(tmp_path / "all.jsonl", range(10))
    with pytest.raises(UserError, match="only 10 rows, and 1000 for validation and 1000 for test .*all.jsonl"):
        load(files(tmp_path / "all.jsonl"), [Path.cwd()], NO_LOCK)


def test_references_are_gathered_in_evaluation_splits_alone(tmp_path):
    for split in ("train", "validation", "test"):
        rows = [{"source": "x", "target": f"{split} {n}"} for n in (1, 2)]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits, _ = load(files(tmp_path, group_by="source"), [Path.cwd()], NO_LOCK)
    assert splits["train"].to_list() == [{"source": "x", "target": "train 1"}, {"source": "x", "target": "train 2"}]
    assert splits["test"].to_list() == [{"source": "x", "target": "test 1", "references": ["test 1", "test 2"]}]


def test_rows_of_one_group_are_not_torn_apart_by_a_cut(tmp_path):
    rows = [{"source": f"s{n // 3}", "target": f"t{n}"} for n in range(30)]
    (tmp_path / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = files(tmp_path / "all.jsonl", group_by="source", validation_rows=2, test_rows=3)
    splits, _ = load(source, [Path.cwd()], NO_LOCK)
    assert [len(rows) for rows in splits.values()] == [15, 2, 3]
    assert all(len(row["references"]) == 3 for row in splits["test"])
