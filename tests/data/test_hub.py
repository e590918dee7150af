"""The unmodified `datasets` against a Hub on this machine, in processes of their own with their own cache."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from loopback_hub import LoopbackHub

from softalign.data.hub import REACH_SECONDS, within

DOWNLOAD = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from softalign.config import HubSource
from softalign.data import hub
from softalign.data.revisions import RevisionLock
from softalign.data.sources import load
from softalign.errors import UserError

hub.CONNECT_SECONDS = 1.0  # not 5: a test waits for it
for fields in json.loads(sys.argv[1]):
    try:
        splits, origin = load(HubSource(**fields), [], RevisionLock((Path(sys.argv[2]),)))
        rows = {name: rows.to_list() for name, rows in splits.items()}
        print(json.dumps({"origin": asdict(origin), "splits": rows}))
    except UserError as error:
        print(json.dumps(str(error)))
"""
NAME = "owner/pairs"
SOURCE = {
    "id": NAME,
    "source_column": "de",
    "target_column": "en",
    "train_split": "train",
    "validation_split": "validation",
    "test_split": "test",
}


class Machine:
    """A person's machine: a cache, a lock file, and a Hub to ask."""

    def __init__(self, folder, endpoint):
        self.folder, self.endpoint = folder, endpoint
        self.lock = folder / "data.lock.yaml"

    def run(self, *sources, home="home", offline=False):
        """Load every source (fields that differ from SOURCE) in one new process: what was loaded, or the error."""
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        for name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_HUB_OFFLINE"):
            clean.pop(name, None)
        settings = {"HF_HOME": str(self.folder / home), "HF_ENDPOINT": self.endpoint, "USE_TORCH": "0"}
        settings |= {"HF_HUB_OFFLINE": "1"} if offline else {}
        wanted = json.dumps([SOURCE | fields for fields in sources])
        command = [sys.executable, "-c", DOWNLOAD, wanted, str(self.lock)]
        done = subprocess.run(command, env=clean | settings, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def load(self, home="home", offline=False, **fields):
        return self.run(fields, home=home, offline=offline)[0]

    def locked(self):
        return yaml.safe_load(self.lock.read_text()) if self.lock.exists() else {}


@pytest.fixture
def hub():
    server = LoopbackHub()
    yield server
    server.close()


@pytest.fixture
def machine(tmp_path, hub):
    return Machine(tmp_path, hub.endpoint)


def lines(*pairs, **more):
    return "".join(json.dumps({"de": de, "en": en} | more) + "\n" for de, en in pairs).encode()


def corpus(word):
    """The files of a data set whose training rows begin with `word`."""
    return {
        "README.md": b"---\nlicense: cc-by-4.0\n---\n# Pairs\n",
        "train.jsonl": lines((f"{word} eins", f"{word} one"), (f"{word} zwei", f"{word} two"), ("c", "d")),
        "validation.jsonl": lines(("v", "w")),
        "test.jsonl": lines(("t", "u")),
    }


def parquet(table, **options):
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def test_the_first_download_pins_and_later_ones_hold_to_it(hub, machine):
    repository = hub.add(NAME, corpus("old"))
    old = repository.branches["main"]
    first = machine.load()
    assert first["splits"]["train"][0] == {"source": "old eins", "target": "old one"}
    assert first["splits"]["test"] == [{"source": "t", "target": "u"}]
    assert (first["origin"]["revision"], first["origin"]["licence"]) == (old, "cc-by-4.0")
    assert machine.locked() == {NAME: old}

    new = repository.push(corpus("new"))
    assert new != old
    assert machine.load(home="another cache") == first
    assert machine.locked() == {NAME: old}
    machine.lock.unlink()
    assert machine.load()["origin"]["revision"] == new


def test_a_configured_revision_needs_no_lock_and_a_branch_is_pinned(hub, machine):
    repository = hub.add(NAME, corpus("old"))
    old = repository.branches["main"]
    repository.push(corpus("new"))
    assert machine.load(revision=old)["splits"]["train"][0]["source"] == "old eins"
    assert machine.locked() == {}

    side = repository.push(corpus("side"), branch="side")
    assert machine.load(revision="side")["origin"]["revision"] == side
    repository.push(corpus("later"), branch="side")
    assert machine.load(revision="side", home="another cache")["origin"]["revision"] == side
    assert machine.locked() == {f"{NAME}@side": side}


def test_what_is_cached_needs_no_hub_and_is_never_another_revision(hub, machine):
    repository = hub.add(NAME, corpus("old"))
    old = repository.branches["main"]
    first = machine.load()
    new = repository.push(corpus("new"))
    machine.load(revision=new)  # the newest copy in the cache, which `datasets` would take when it is offline
    asked = len(hub.requests)
    assert machine.load() == first
    assert len(hub.requests) == asked
    hub.close()
    again, limited, line = machine.run({}, {"train_limit": 1}, {"revision": "0" * 40})
    assert again == first
    assert machine.load(offline=True) == first
    assert limited["splits"]["train"] == first["splits"]["train"][:1]
    assert "cannot reach" in line and "0" * 40 in line and old not in line


def test_a_connection_lost_on_the_way_does_not_swap_the_revision(hub, machine):
    repository = hub.add(NAME, corpus("old"))
    machine.load()
    new = repository.push(corpus("new"))
    repository.forbidden = True
    line = machine.load(revision=new)
    assert NAME in line and ("interrupted" in line or "another revision" in line)


def test_unreachable(hub, machine):
    hub.close()
    line = machine.load()
    for part in (f"cannot reach the Hugging Face Hub for the data set {NAME}", machine.endpoint, "data=files"):
        assert part in line
    assert "data=phrasebook" in line and "HF_ENDPOINT" in line
    assert machine.locked() == {}
    assert "HF_HUB_OFFLINE is set" in machine.load(offline=True)


def test_a_hub_that_never_answers(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine = Machine(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert f"cannot reach the Hugging Face Hub for the data set {NAME}" in machine.load()


def test_a_hub_in_trouble(hub, machine):
    hub.status = 503
    line = machine.load()
    assert "cannot reach" in line and "503" in line


def test_the_first_contact_has_a_limit_of_its_own():
    """A name look-up can hang far longer than any socket's time-out."""
    assert REACH_SECONDS < 10
    assert within(60, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)
    never = threading.Event()
    with pytest.raises(TimeoutError, match="no answer within 0.05 s"):
        within(0.05, never.wait)
    never.set()


def test_missing_gated_and_misnamed(hub, machine):
    hub.add(NAME, corpus("x")).gated = True
    missing, misnamed, line = machine.run({"id": "owner/missing"}, {"id": "a/b/c"}, {})
    assert "the data set owner/missing does not exist, or is private" in missing
    assert "'a/b/c' is no name of a data set" in misnamed
    assert f"the data set {NAME} is gated" in line and f"{hub.endpoint}/datasets/{NAME}" in line and "HF_TOKEN" in line


def test_a_revision_that_is_gone(hub, machine):
    repository = hub.add(NAME, corpus("old"))
    machine.load()
    gone = repository.commits.popitem()[0]
    repository.push(corpus("new"))
    line = machine.load(home="another cache")
    assert f"no revision {gone}" in line and "data.lock.yaml" in line


def test_truncated_leaves_nothing_half_written(hub, machine):
    repository = hub.add(NAME, corpus("x" * 50_000))
    repository.truncated = True
    line = machine.load()
    assert f"the download of {NAME} was interrupted" in line and "run the same command again" in line
    assert not list((machine.folder / "home").rglob("*.arrow"))
    assert not [path for path in (machine.folder / "home").rglob("*.incomplete*") if path.suffix != ".lock"]
    repository.truncated = False
    assert len(machine.load()["splits"]["train"]) == 3


def test_a_missing_split_column_or_configuration_names_those_there_are(hub, machine):
    hub.add(NAME, corpus("x"))
    config, split, column, nested = machine.run(
        {"config": "de-en"}, {"validation_split": "dev"}, {"target_column": "fr"}, {"target_column": "en.x"}
    )
    assert "no split 'dev'; there are: train, validation, test" in split
    assert "no column 'fr'; there are: de, en" in column
    assert "no column 'en.x'; there are: de, en" in nested
    assert "'de-en' not found" in config and "default" in config


def test_a_data_set_without_data_and_one_with_a_script(hub, machine):
    hub.add(NAME, {"README.md": b"# nothing\n"})
    hub.add("owner/script", {"script.py": b"print('no')\n"})
    empty, script = machine.run({}, {"id": "owner/script"})
    assert f"the data set {NAME} cannot be read" in empty
    assert "scripts are no longer supported" in script


def test_bad_rows_are_named(hub, machine):
    hub.add(NAME, corpus("x") | {"test.jsonl": lines(("a", "b"), ("c", "d\0"))})
    hub.add("owner/broken", corpus("x") | {"test.jsonl": b'{"de": "a", "en"'})
    nul, broken = machine.run({}, {"id": "owner/broken"})
    assert f"a NUL byte in column 'en' ({NAME}, split test, row 2)" in nul
    assert "a file of the data set owner/broken cannot be read" in broken


def test_nested_columns_and_splits_cut_from_train_alone(hub, machine):
    rows = [{"translation": {"de": f"s{row}", "en": f"t{row}"}} for row in range(30)]
    card = b"---\nlicense: other\nconfigs:\n- config_name: de-en\n  data_files: de-en/*\n---\n"
    hub.add(NAME, {"README.md": card, "de-en/train-00000-of-00001.parquet": parquet(pa.Table.from_pylist(rows))})
    fields = {
        "config": "de-en",
        "source_column": "translation.de",
        "target_column": "translation.en",
        "validation_split": None,
        "test_split": None,
        "validation_rows": 4,
        "test_rows": 5,
    }
    whole, limited, other = machine.run(fields, fields | {"train_limit": 3}, fields | {"split_seed": 1})
    assert {name: len(split) for name, split in whole["splits"].items()} == {"train": 21, "validation": 4, "test": 5}
    assert {row["source"][1:] for split in whole["splits"].values() for row in split} == {str(n) for n in range(30)}
    assert all(row["source"][1:] == row["target"][1:] for row in whole["splits"]["test"])
    assert whole["origin"]["cut"] == {"validation": 4, "test": 5}
    assert limited["splits"] == whole["splits"] | {"train": whole["splits"]["train"][:3]}
    assert other["splits"]["test"] != whole["splits"]["test"]


def test_three_references_of_a_test_dialogue(hub, machine):
    def table(*rows):
        return ("id,dialogue,summary,topic\n" + "".join(f'{i},"{d}",{s},t\n' for i, d, s in rows)).encode()

    test = [(f"test_{n}_{k}", f"#Person1#: talk {n}\nend", f"summary {n}{k}") for n in (0, 1) for k in (1, 2, 3)]
    train = [("train_0", "same", "first"), ("train_1", "same", "second")]
    hub.add(NAME, {"train.csv": table(*train), "validation.csv": table(("dev_0", "a", "b")), "test.csv": table(*test)})
    splits = machine.load(source_column="dialogue", target_column="summary", group_by="dialogue")["splits"]
    assert splits["test"] == [
        {
            "source": f"#Person1#: talk {n}\nend",
            "target": f"summary {n}1",
            "references": [f"summary {n}{k}" for k in (1, 2, 3)],
        }
        for n in (0, 1)
    ]
    assert [row["target"] for row in splits["train"]] == ["first", "second"]


def test_a_limit_streams_and_what_was_streamed_is_cached(hub, machine):
    big = pa.table({"de": [f"{n:04} " + os.urandom(100).hex() for n in range(4000)], "en": ["x"] * 4000})
    small = parquet(pa.table({"de": ["a", "b"], "en": ["c", "d"]}))
    hub.add(
        NAME, {"train.parquet": parquet(big, row_group_size=100), "validation.parquet": small, "test.parquet": small}
    )
    first = machine.load(train_limit=150)
    assert [row["source"][:4] for row in first["splits"]["train"]] == [f"{n:04}" for n in range(150)]
    assert len(first["splits"]["test"]) == 2
    hub.close()
    again, line = machine.run({"train_limit": 150}, {"train_limit": 151})
    assert again == first
    assert "cannot reach" in line


def test_streamed_rows_are_checked_too(hub, machine):
    test = lines(*[("a", "b")] * 2500, ("c", "d\0"))
    hub.add(NAME, corpus("x") | {"test.jsonl": test})
    nul, split = machine.run({"train_limit": 2}, {"train_limit": 2, "validation_split": "dev"})
    assert f"a NUL byte in column 'en' ({NAME}, split test, row 2501)" in nul
    assert "no split 'dev'; there are: train" in split
