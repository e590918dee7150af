"""Text pairs from the Hub, from a person's own files or from an embedded corpus: all end in the same DatasetDict.

    splits, origin = load(config.data.source, [layout.root], RevisionLock.of(layout))
    splits["train"][0]  # {"source": ..., "target": ...}

Columns: source and target (str); `references` (list of str, the first of which is the target) in evaluation splits
whose rows were grouped; `alignment` and `template` in embedded corpora.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from softalign.config import EmbeddedSource, FilesSource, HubSource
from softalign.data import files, hub
from softalign.data.provenance import Origin
from softalign.data.revisions import RevisionLock
from softalign.data.splits import cut, gather_references
from softalign.errors import UserError

if TYPE_CHECKING:
    import datasets

Source = EmbeddedSource | HubSource | FilesSource


def load(source: Source, roots: Sequence[Path], lock: RevisionLock) -> tuple[datasets.DatasetDict, Origin]:
    """The splits train, validation and test of a source, and what identifies them.

    `roots` are where a relative path of a `FilesSource` may start; `lock` holds the revisions of Hub data sets.
    Raises `UserError` for anything that is wrong with the source, with the place and what to do.
    """
    match source:
        case EmbeddedSource():
            splits, origin = _load_embedded(source)
        case HubSource():
            splits, origin = _load_hub(source, lock)
        case FilesSource():
            splits, origin = _load_files(source, roots)
    return splits, replace(origin, source=asdict(source))


def _load_embedded(source: EmbeddedSource) -> tuple[datasets.DatasetDict, Origin]:
    from softalign.data import newsbriefs, phrasebook
    from softalign.data.corpus import statistics
    from softalign.data.probes import recall, sequences

    corpora = {
        "phrasebook": phrasebook.generate,
        "newsbriefs": newsbriefs.generate,
        "recall": recall.generate,
        "copy": sequences.generate_copy,
        "reverse": sequences.generate_reverse,
    }
    if source.corpus not in corpora:
        raise UserError(f"unknown corpus {source.corpus!r}", "data.source.corpus", f"known: {', '.join(corpora)}")
    examples = corpora[source.corpus](source)
    tables = {
        split: pa.table(
            {
                name: pa.array([getattr(row, name) for row in rows], pa.large_string())
                for name in ("source", "target", "alignment", "template")
            }
        )
        for split, rows in examples.items()
    }
    origin = Origin(
        kind="embedded", id=source.corpus, licence="MIT, as softalign itself", statistics=statistics(examples)
    )
    return _as_dataset_dict(tables), origin


def _load_hub(source: HubSource, lock: RevisionLock) -> tuple[datasets.DatasetDict, Origin]:
    commit = hub.resolve_commit(source, lock)
    complete = source.validation_split is not None and source.test_split is not None
    # What is cut is cut from all rows, so that the test set does not depend on how much is trained on.
    tables = hub.fetch(source, commit, columns_of(source), source.train_limit if complete else None)
    tables, sizes = _finish(tables, source, source.id)
    origin = Origin(
        kind="hub",
        id=source.id,
        config=source.config,
        revision=commit,
        licence=hub.licence(source, commit),
        cut=sizes,
    )
    return _as_dataset_dict(tables), origin


def _load_files(source: FilesSource, roots: Sequence[Path]) -> tuple[datasets.DatasetDict, Origin]:
    found = files.find_splits(source, roots)
    complete = len(found) == 3
    tables = {}
    for split, paths in found.items():
        limit = source.train_limit if split == "train" and complete else None
        tables[split] = paths.read(columns_of(source), limit)
    tables, sizes = _finish(tables, source, source.path)
    origin = Origin(kind="files", id=source.path, revision=files.content_hash(found), cut=sizes)
    return _as_dataset_dict(tables), origin


def columns_of(source: HubSource | FilesSource) -> dict[str, str]:
    """The names that the columns of `source` get here, and those that they have there."""
    columns = {"source": source.source_column, "target": source.target_column}
    return columns | ({"group": source.group_by} if source.group_by else {})


def _finish(
    tables: dict[str, pa.Table], source: HubSource | FilesSource, where: str
) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """Cut the splits that are missing, limit the training rows, group references; and the sizes of what was cut."""
    sizes = {"validation": source.validation_rows, "test": source.test_rows}
    sizes = {split: rows for split, rows in sizes.items() if split not in tables}
    if sizes:
        tables |= cut(tables["train"], sizes, source.split_seed, where)
    if source.train_limit is not None:
        tables["train"] = tables["train"].slice(0, source.train_limit)
    # Training rows stay pairs: every reference is something to learn from.
    tables["train"] = tables["train"].select(["source", "target"])
    if source.group_by:
        for split in ("validation", "test"):
            tables[split] = gather_references(tables[split], f"{where}, split {split}")
    return tables, sizes


def _as_dataset_dict(tables: dict[str, pa.Table]) -> datasets.DatasetDict:
    import datasets

    return datasets.DatasetDict({split: as_dataset(tables[split]) for split in ("train", "validation", "test")})


def as_dataset(table: pa.Table) -> datasets.Dataset:
    """`table` as a `Dataset`, which, left to itself, makes its fingerprint from a copy of all the text in memory."""
    import datasets
    from datasets.fingerprint import generate_random_fingerprint

    return datasets.Dataset(table, fingerprint=generate_random_fingerprint())
