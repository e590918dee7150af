"""The text of the shifted test sets that come from outside: what an arm was not trained on, beside its test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from softalign.config import FilesSource, FilesTest, HubSource, HubTest
from softalign.data import files, hub
from softalign.data.provenance import Origin
from softalign.data.revisions import RevisionLock
from softalign.data.sources import as_dataset, columns_of
from softalign.data.splits import gather_references
from softalign.data.web import downloaded, is_address
from softalign.errors import UserError

if TYPE_CHECKING:
    import datasets


EVERY_ROW = 2**31  # a limit makes hub.fetch stream the split, where it would download the whole data set


def load_shifted_texts(
    tests: Mapping[str, Any], roots: Sequence[Path], lock: RevisionLock
) -> tuple[dict[str, datasets.Dataset], dict[str, Origin]]:
    """The rows of each of `tests` (data.shifted_tests) with their origins, by name; columns as in a test split.

    Those of the kinds `noise` and `joined` are left out: they are made of the test set, once it is clean. `roots` and
    `lock` are those of `sources.load`. Raises `UserError`, with the name of the test set, for whatever keeps one from
    being read.
    """
    found: dict[str, tuple[pa.Table, Origin]] = {}
    for name, test in tests.items():
        try:
            match test:
                case HubTest():
                    found[name] = _from_hub(test, lock)
                case FilesTest():
                    found[name] = _from_files(test, roots, lock)
        except UserError as error:
            raise UserError(
                f"shifted test set {name}: {str(error).replace('data.source', f'data.shifted_tests.{name}')}; "
                f"or leave it out, with the override ~data.shifted_tests.{name}"
            ) from error
    return (
        {name: as_dataset(table) for name, (table, _) in found.items()},
        {name: origin for name, (_, origin) in found.items()},
    )


def _from_hub(test: HubTest, lock: RevisionLock) -> tuple[pa.Table, Origin]:
    source = HubSource(
        id=test.id,
        config=test.config,
        revision=test.revision,
        source_column=test.source_column,
        target_column=test.target_column,
        group_by=test.group_by,
        train_split=test.split,
    )
    commit = hub.resolve_commit(source, lock)
    table = hub.fetch(source, commit, columns_of(source), EVERY_ROW)["train"]
    origin = Origin(kind="hub", id=test.id, config=test.config, revision=commit, licence=hub.licence(source, commit))
    return _grouped(table, test, f"{test.id}, split {test.split}"), origin


def _from_files(test: FilesTest, roots: Sequence[Path], lock: RevisionLock) -> tuple[pa.Table, Origin]:
    source = FilesSource(
        path=test.path, source_column=test.source_column, target_column=test.target_column, group_by=test.group_by
    )
    if not is_address(test.path):
        return _read(files.find_file(source, roots), source, test)
    addresses = (
        [test.path.replace("*", column) for column in (test.source_column, test.target_column)]
        if "*" in test.path
        else [test.path]
    )
    with downloaded(addresses, lock) as paths:
        return _read(files.SplitFiles(tuple(paths), parallel=len(paths) == 2), source, test)


def _read(found: files.SplitFiles, source: FilesSource, test: FilesTest) -> tuple[pa.Table, Origin]:
    table = found.read(columns_of(source))
    origin = Origin(kind="files", id=test.path, revision=files.content_hash({"test": found}))
    return _grouped(table, test, test.path), origin


def _grouped(table: pa.Table, test: HubTest | FilesTest, where: str) -> pa.Table:
    return gather_references(table, where) if test.group_by else table
