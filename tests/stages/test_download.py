from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from loopback_hub import LoopbackHub
from project import copy_project, run

COMMAND = ("python", "-m", "softalign.stages.download", "task=translation")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("a project"))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_own_files_are_written_and_a_later_mistake_leaves_them(project: Path) -> None:
    corpus = project / "data" / "files"
    corpus.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        (corpus / f"{split}.tsv").write_text(f"source\ttarget\n{split} eins\tone\n", encoding="utf-8")
    done = run(project, *COMMAND, "data=files")
    assert "files: 1 train, 1 validation, 1 test rows" in done.stdout
    raw = project / "data" / "raw" / "translation"
    assert pq.read_table(raw / "test.parquet").to_pylist() == [{"source": "test eins", "target": "one"}]
    assert json.loads((raw / "provenance.json").read_text())["rows"] == {"train": 1, "validation": 1, "test": 1}

    before = content(raw)
    (corpus / "test.tsv").write_bytes(b"source\ttarget\nzwei\ttwo\ndrei\tthr\xe9e\n")
    refused = run(project, *COMMAND, "data=files", check=False)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith(f"error: not UTF-8 ({corpus / 'test.tsv'}, line 3, byte 9): ")
    assert content(raw) == before
    assert [path.name for path in raw.parent.iterdir()] == ["translation"]


def test_a_hub_data_set_and_an_unreachable_hub(project: Path, tmp_path: Path) -> None:
    hub = LoopbackHub()
    rows = [{"de": f"Satz {n}", "en": f"sentence {n}"} for n in range(4)]
    split = "".join(json.dumps(row) + "\n" for row in rows).encode()
    commit = hub.add(
        "bentrevett/multi30k", {f"{name}.jsonl": split for name in ("train", "validation", "test")}
    ).branches["main"]
    here = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    run(project, *COMMAND, "data=multi30k", "~data.shifted_tests", **here)
    raw = project / "data" / "raw" / "translation"
    record = json.loads((raw / "provenance.json").read_text())
    assert (record["data"], record["id"], record["revision"]) == ("multi30k", "bentrevett/multi30k", commit)
    assert f"bentrevett/multi30k: {commit}" in (project / "data.lock.yaml").read_text()
    run(project, *COMMAND, "data=multi30k_en_de", "~data.shifted_tests", **here)
    assert pq.read_table(raw / "test.parquet").to_pylist()[0] == {"source": "sentence 0", "target": "Satz 0"}

    before = content(raw)
    hub.close()
    refused = run(project, *COMMAND, "data=opus_books", check=False, **here)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith(
        "error: cannot reach the Hugging Face Hub for the data set Helsinki-NLP/opus_books"
    )
    assert content(raw) == before


def test_shifted_test_sets_come_along_and_one_that_is_missing_stops_before_anything_is_written(
    project: Path, tmp_path: Path
) -> None:
    hub, web = LoopbackHub(), LoopbackHub()  # the second as any web server
    rows = "".join(json.dumps({"de": f"Satz {n}", "en": f"sentence {n}"}) + "\n" for n in range(4)).encode()
    hub.add("bentrevett/multi30k", {f"{name}.jsonl": rows for name in ("train", "validation", "test")})
    commit = hub.add("owner/other", {"test.jsonl": rows, "train.jsonl": rows}).branches["main"]
    web.add("multi30k/raw", {f"test_2017_{name}.{side}.gz": gzip.compress(f"{name} {side}\n".encode())
                             for name in ("flickr", "mscoco") for side in ("de", "en")})  # fmt: skip
    here = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    there = f"{web.endpoint}/datasets/multi30k/raw/resolve/main"
    command = [
        *COMMAND,
        "data=multi30k",
        *(f"data.shifted_tests.test_2017_{name}.path={there}/test_2017_{name}.*.gz" for name in ("flickr", "mscoco")),
        "+data.shifted_tests.other={kind: hub, id: owner/other, split: test, source_column: en, target_column: de}",
    ]
    done = run(project, *command, **here)
    assert "4 test, 1 test_2017_flickr, 1 test_2017_mscoco, 4 other rows" in done.stdout
    raw = project / "data" / "raw" / "translation"
    assert pq.read_table(raw / "test_2017_mscoco.parquet").to_pylist() == [
        {"source": "mscoco de", "target": "mscoco en"}
    ]
    assert pq.read_table(raw / "other.parquet").to_pylist()[1] == {"source": "sentence 1", "target": "Satz 1"}
    origins = json.loads((raw / "provenance.json").read_text())["shifted"]
    assert origins["other"]["revision"] == commit and origins["test_2017_flickr"]["id"].startswith(there)
    assert f"owner/other: {commit}" in (project / "data.lock.yaml").read_text()

    before = content(raw)
    hub.close()
    web.close()
    run(project, *command, **here)  # from the cache
    assert content(raw) == before
    elsewhere = f"data.shifted_tests.test_2017_flickr.path={there}/elsewhere.*.gz"
    refused = run(project, *command, elsewhere, check=False, **here)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("error: shifted test set test_2017_flickr: cannot download")
    assert "~data.shifted_tests.test_2017_flickr" in refused.stderr
    assert content(raw) == before
    left_out = [argument for argument in command if "test_2017_flickr" not in argument]
    run(project, *left_out, "~data.shifted_tests.test_2017_flickr", **here)
    assert not (raw / "test_2017_flickr.parquet").exists() and (raw / "test_2017_mscoco.parquet").exists()
