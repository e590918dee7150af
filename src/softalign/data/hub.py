"""Data sets of the Hugging Face Hub: one commit, from the cache where it is there, else over the network.

`datasets` ignores `revision=` when it cannot reach the Hub, and takes the newest cached copy. Here the commit is known
before anything is read, the cache is asked for exactly that commit, and what a download brings is checked against it.
"""

from __future__ import annotations

import glob
import hashlib
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from softalign.config import HubSource
from softalign.data.columns import text_columns
from softalign.data.hub_errors import explain, unreachable
from softalign.data.revisions import RevisionLock
from softalign.errors import UserError

if TYPE_CHECKING:
    import datasets

T = TypeVar("T")
COMMIT = re.compile(r"[0-9a-f]{40}")
CONNECT_SECONDS = 5.0  # of a request to the Hub, before its first answer
REACH_SECONDS = 8.0  # of the whole first contact: name look-up, and every address in turn
STREAM_ROWS = 1000


def resolve_commit(source: HubSource, lock: RevisionLock) -> str:
    """The commit to read: the configured one, else the one that the lock holds, else the Hub's, which is then locked.

    A branch or tag as `source.revision` is resolved and locked likewise, under `id@revision`.
    Raises `UserError` when the Hub has to be asked and cannot be reached, or has no such data set or revision.
    """
    if source.revision and COMMIT.fullmatch(source.revision):
        return source.revision
    key = f"{source.id}@{source.revision}" if source.revision else source.id
    commit = lock.get(key)
    if commit is None:
        commit = ask_hub(source.id, source.revision)
        lock.set(key, commit)
    return commit


def fetch(source: HubSource, commit: str, columns: Mapping[str, str], limit: int | None = None) -> dict[str, pa.Table]:
    """The splits that `source` names, as train, validation and test, at `commit`; memory-mapped from the cache.

    `columns` maps new column names to names (or dotted paths) there. A complete cached copy is used without a
    network. Otherwise all of it is downloaded; or, given `limit`, as much of it as it takes to have so many training
    rows (and the other splits that `source` names) is streamed.
    Raises `UserError` for whatever keeps the data set from being read; nothing half-written is left in the cache.
    """
    named = {"train": source.train_split, "validation": source.validation_split, "test": source.test_split}
    wanted = {ours: theirs for ours, theirs in named.items() if theirs is not None}
    try:
        splits = _cached(source, commit)
        if splits is None and limit is not None:
            return {
                ours: _streamed(source, commit, theirs, columns, limit if ours == "train" else None)
                for ours, theirs in wanted.items()
            }
        if splits is None:
            splits = _downloaded(source, commit)
        _check_names(source, wanted.values(), list(splits))
        tables = {}
        for ours, theirs in wanted.items():
            rows = splits[theirs].with_format("arrow")[: limit if ours == "train" else None]
            tables[ours] = text_columns(rows, columns, _where(source, theirs))
        return tables
    except UserError:
        raise
    except Exception as error:  # a dozen kinds from three libraries; each becomes one line
        raise explain(source, commit, error) from error


def ask_hub(data_set: str, revision: str | None) -> str:
    """The commit of a data set's `revision` (None: its main branch), within REACH_SECONDS.

    Raises `UserError` when the Hub cannot be reached, or has no such data set or revision.
    """
    from huggingface_hub import HfApi

    def ask() -> str:
        commit = HfApi().dataset_info(data_set, revision=revision, timeout=CONNECT_SECONDS).sha
        if commit is None or not COMMIT.fullmatch(commit):
            raise ValueError(f"the answer names no commit: {commit!r}")
        return commit

    try:
        return within(REACH_SECONDS, ask)
    except Exception as error:
        raise explain(HubSource(id=data_set), revision, error, first_contact=True) from error


def within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises, or `TimeoutError` after so many seconds; `call` is then left to itself.

    A socket's own timeout does not cover the look-up of a name, and starts anew for every address of a host.
    """
    answer: queue.Queue[tuple[bool, Any]] = queue.Queue()

    def run() -> None:
        try:
            answer.put((True, call()))
        except Exception as error:
            answer.put((False, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        succeeded, value = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if not succeeded:
        raise value
    return value


def licence(source: HubSource, commit: str) -> str | None:
    """The licence that the data set's card states, by the copy of the card in the cache; None without one."""
    from huggingface_hub import DatasetCard, try_to_load_from_cache

    card = try_to_load_from_cache(source.id, "README.md", repo_type="dataset", revision=commit)
    if not isinstance(card, str):
        return None
    try:
        stated = DatasetCard.load(card).data.to_dict()
    except ValueError:  # a card whose header is not YAML
        return None
    value = stated.get("license")
    if value == "other":
        value = stated.get("license_name") or value
    return ", ".join(value) if isinstance(value, list) else value


def _cached(source: HubSource, commit: str) -> datasets.DatasetDict | None:
    """The copy of exactly this commit that `datasets` keeps, if it is complete: `datasets` names its folder last."""
    import datasets
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache

    *owner, name = source.id.split("/")
    root = Path(datasets.config.HF_DATASETS_CACHE) / "___".join([*owner, camelcase_to_snakecase(name)])
    configs = glob.escape(source.config) if source.config else "*"
    found = sorted(root.glob(f"{configs}/*/{commit}/dataset_info.json"))
    if len(found) != 1:  # none, or several configurations and no word which
        return None
    config_name, version, _ = found[0].parent.relative_to(root).parts
    builder = Cache(
        repo_id=source.id,
        dataset_name=camelcase_to_snakecase(name),
        config_name=config_name,
        version=version,
        hash=commit,
    )
    builder.download_and_prepare()
    splits = builder.as_dataset()
    assert isinstance(splits, datasets.DatasetDict)
    return splits


def _downloaded(source: HubSource, commit: str) -> datasets.DatasetDict:
    import datasets

    ask_hub(source.id, commit)  # fails sooner, and with a clearer cause, than load_dataset does
    splits = datasets.load_dataset(_address(source), source.config, revision=commit)
    for split in splits.values():
        for file in split.cache_files:
            if commit not in Path(file["filename"]).parts:
                raise unreachable(source.id, "the connection was lost, and only another revision is in the cache")
    return splits


def _streamed(source: HubSource, commit: str, split: str, columns: Mapping[str, str], limit: int | None) -> pa.Table:
    """The first rows of a split, or all; kept in the cache of `datasets` under what determines them."""
    import datasets

    facts = repr((source.id, source.config, commit, split, sorted(columns.items()), limit))
    rows = datasets.Dataset.from_generator(
        _stream,
        features=datasets.Features({name: datasets.Value("large_string") for name in columns}),
        gen_kwargs={"source": source, "commit": commit, "split": split, "columns": dict(columns), "limit": limit},
        fingerprint=hashlib.sha256(facts.encode()).hexdigest()[:32],
    )
    return rows.with_format("arrow")[:]


def _stream(
    source: HubSource, commit: str, split: str, columns: Mapping[str, str], limit: int | None
) -> Iterator[dict[str, str]]:
    import datasets

    ask_hub(source.id, commit)
    splits = datasets.load_dataset(_address(source), source.config, revision=commit, streaming=True)
    _check_names(source, [split], list(splits))
    rows = splits[split] if limit is None else splits[split].take(limit)
    before = 0
    for batch in rows.with_format("arrow").iter(STREAM_ROWS):
        yield from text_columns(batch, columns, _where(source, split), before).to_pylist()
        before += batch.num_rows


def _address(source: HubSource) -> str:
    """Never a folder of the working directory that happens to have the data set's name."""
    return f"hf://datasets/{source.id}"


def _check_names(source: HubSource, wanted: Any, there: list[str]) -> None:
    for name in wanted:
        if name not in there:
            raise UserError(
                f"no split {name!r}; there are: {', '.join(there)}",
                source.id,
                "set data.source.train_split, validation_split and test_split to these, or to null to cut one",
            )


def _where(source: HubSource, split: str) -> str:
    return f"{source.id}, split {split}"
