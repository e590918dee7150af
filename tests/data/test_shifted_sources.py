"""Where the text of shifted test sets comes from: a person's files and files of the web (the Hub: test_download)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
import yaml
from loopback_hub import LoopbackHub, Repository

from softalign.config import FilesTest, NoiseTest
from softalign.data.revisions import RevisionLock
from softalign.data.shifted_sources import load_shifted_texts
from softalign.errors import UserError

NAMES = {"source_column": "de", "target_column": "en"}
PLACE = "datasets/owner/raw/resolve/main"


@pytest.fixture
def lock(tmp_path: Path) -> RevisionLock:
    return RevisionLock((tmp_path / "data.lock.yaml",))


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A plain web server: its addresses are not those of the Hub. And a cache of one's own."""
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", tmp_path / "cache")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = LoopbackHub()
    yield server
    server.close()


def publish(web: LoopbackHub, **files: str) -> Repository:
    content = {f"{name}.gz".replace("_", "."): gzip.compress(text.encode(), mtime=0) for name, text in files.items()}
    return web.add("owner/raw", content)


def test_files_of_a_person(tmp_path: Path, lock: RevisionLock) -> None:
    (tmp_path / "other.jsonl").write_text(json.dumps({"de": "eins", "en": "one", "x": 1}) + "\n")
    (tmp_path / "more.de").write_text("zwei\ndrei\n")
    (tmp_path / "more.en").write_text("two\nthree\n")
    (tmp_path / "several.tsv").write_text("de\ten\tid\nvier\tfour\t1\nvier\tIV\t1\n")
    tests = {
        "other": FilesTest(path="other.jsonl", **NAMES),
        "more": FilesTest(path=str(tmp_path / "more"), **NAMES),
        "several": FilesTest(path="several.tsv", group_by="id", **NAMES),
        "noise": NoiseTest(rate=0.1),
    }
    splits, origins = load_shifted_texts(tests, [tmp_path / "nowhere", tmp_path], lock)
    assert {name: rows.to_list() for name, rows in splits.items()} == {
        "other": [{"source": "eins", "target": "one"}],
        "more": [{"source": "zwei", "target": "two"}, {"source": "drei", "target": "three"}],
        "several": [{"source": "vier", "target": "four", "references": ["four", "IV"]}],
    }
    assert list(origins) == ["other", "more", "several"]
    assert all(origin.revision and len(origin.revision) == 64 for origin in origins.values())


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("absent.jsonl", "no such file"),
        ("", "a folder, and one file is needed"),
        ("half.jsonl", "no column 'en'; there are: de"),
    ],
)
def test_a_set_that_cannot_be_read_is_named_with_a_way_out(
    tmp_path: Path, lock: RevisionLock, path: str, says: str
) -> None:
    (tmp_path / "half.jsonl").write_text('{"de": "eins", "fr": "un"}\n')
    with pytest.raises(UserError) as caught:
        load_shifted_texts({"mine": FilesTest(path=path, **NAMES)}, [tmp_path], lock)
    line = str(caught.value)
    assert line.startswith("shifted test set mine: ") and says in line
    assert "~data.shifted_tests.mine" in line and "data.source." not in line


def test_parallel_files_of_the_web_are_cached_and_locked(web: LoopbackHub, tmp_path: Path, lock: RevisionLock) -> None:
    publish(web, mscoco_de="eins\nzwei\n", mscoco_en="one\ntwo\n")
    test = {"mscoco": FilesTest(path=f"{web.endpoint}/{PLACE}/mscoco.*.gz", **NAMES)}
    splits, origins = load_shifted_texts(test, [], lock)
    assert splits["mscoco"].to_list() == [{"source": "eins", "target": "one"}, {"source": "zwei", "target": "two"}]
    assert origins["mscoco"].id == test["mscoco"].path
    locked = yaml.safe_load((tmp_path / "data.lock.yaml").read_text())
    assert [address.rsplit("/", 1)[1] for address in sorted(locked)] == ["mscoco.de.gz", "mscoco.en.gz"]
    web.close()
    assert load_shifted_texts(test, [], lock)[0]["mscoco"].to_list() == splits["mscoco"].to_list()
    other = {"mscoco": FilesTest(path=f"{web.endpoint}/{PLACE}/flickr.*.gz", **NAMES)}
    with pytest.raises(UserError) as caught:
        load_shifted_texts(other, [], lock)
    line = str(caught.value)
    assert "\n" not in line and f"cannot download {web.endpoint}/{PLACE}/flickr.de.gz" in line
    assert "connect to the network" in line and "~data.shifted_tests.mscoco" in line


def test_the_columns_may_be_told_apart_by_the_folder(web: LoopbackHub, lock: RevisionLock) -> None:
    web.add("owner/raw", {"de/set.txt": b"eins\nzwei\n", "en/set.txt": b"one\ntwo\n"})
    test = {"mine": FilesTest(path=f"{web.endpoint}/{PLACE}/*/set.txt", **NAMES)}
    splits, _ = load_shifted_texts(test, [], lock)
    assert splits["mine"].to_list() == [{"source": "eins", "target": "one"}, {"source": "zwei", "target": "two"}]


def test_a_file_that_has_changed_since_it_was_locked_is_refused(
    web: LoopbackHub, tmp_path: Path, lock: RevisionLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(web, set_jsonl='{"de": "eins", "en": "one"}\n')
    test = {"mine": FilesTest(path=f"{web.endpoint}/{PLACE}/set.jsonl.gz", **NAMES)}
    assert len(load_shifted_texts(test, [], lock)[0]["mine"]) == 1
    publish(web, set_jsonl='{"de": "eins", "en": "won"}\n')
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", tmp_path / "another cache")
    with pytest.raises(UserError, match=r"is not the one that was read first .*data\.lock\.yaml"):
        load_shifted_texts(test, [], lock)


def test_a_damaged_file_is_neither_locked_nor_kept(web: LoopbackHub, tmp_path: Path, lock: RevisionLock) -> None:
    web.add("owner/raw", {"set.jsonl.gz": b"<html>log in first</html>"})
    test = {"mine": FilesTest(path=f"{web.endpoint}/{PLACE}/set.jsonl.gz", **NAMES)}
    with pytest.raises(UserError, match="shifted test set mine: not a readable gzip file"):
        load_shifted_texts(test, [], lock)
    assert not (tmp_path / "data.lock.yaml").exists()
    publish(web, set_jsonl='{"de": "eins", "en": "one"}\n')
    assert len(load_shifted_texts(test, [], lock)[0]["mine"]) == 1


def test_a_file_that_is_not_there(web: LoopbackHub, lock: RevisionLock) -> None:
    publish(web, set_jsonl="{}\n")
    with pytest.raises(UserError, match=r"shifted test set mine: cannot download .*none\.jsonl"):
        load_shifted_texts({"mine": FilesTest(path=f"{web.endpoint}/{PLACE}/none.jsonl", **NAMES)}, [], lock)
