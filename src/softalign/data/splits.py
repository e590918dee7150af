"""Making validation and test splits, and rows with several references."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from softalign.errors import UserError


def cut(table: pa.Table, sizes: dict[str, int], seed: int, where: str) -> dict[str, pa.Table]:
    """Draw the splits named in `sizes` out of `table` at random; what remains is `train`, in its old order.

    Rows with the same value in the column `group`, where there is one, stay together: a size then counts groups.
    The draw depends on the seed and the number of rows (or groups) alone.
    Raises `UserError` when a size is below one, or when nothing would remain for training.
    """
    if any(size < 1 for size in sizes.values()):
        raise UserError(
            f"a split of {min(sizes.values())} rows is to be cut",
            where,
            "set data.source.validation_rows and test_rows to 1 or more",
        )
    key = _keys(table)
    units = int(key.max()) + 1
    if sum(sizes.values()) >= units:
        wanted = " and ".join(f"{size} for {name}" for name, size in sizes.items())
        raise UserError(
            f"only {units} rows, and {wanted} are to be cut",
            where,
            "lower data.source.validation_rows and data.source.test_rows, or give more rows",
        )
    # RandomState, not Generator: its stream is frozen, so a newer numpy draws the same test set.
    order = np.random.RandomState(seed).permutation(units)
    split_of = np.full(units, -1)
    start = 0
    for index, size in enumerate(sizes.values()):
        split_of[order[start : start + size]] = index
        start += size
    parts = {"train": -1} | {name: index for index, name in enumerate(sizes)}
    return {name: table.take(pa.array(np.flatnonzero(split_of[key] == index))) for name, index in parts.items()}


def gather_references(table: pa.Table, where: str) -> pa.Table:
    """Rows with the same `group` become one, at the place of the first, with all targets in `references`.

    Columns after: source, target (the first reference), references (list of strings).
    Raises `UserError` when rows of one group have different sources.
    """
    key = _keys(table)
    references: list[list[str]] = [[] for _ in range(int(key.max()) + 1)]
    first: list[int] = []
    sources = table.column("source").to_pylist()
    for row, (group, target) in enumerate(zip(key, table.column("target").to_pylist(), strict=True)):
        if not references[group]:
            first.append(row)
        elif sources[row] != sources[first[group]]:
            raise UserError(
                "two rows are in one group and have different sources",
                f"{where}, rows {first[group] + 1} and {row + 1}",
                "set data.source.group_by to a column that is the same exactly where the source is",
            )
        references[group].append(target)
    return pa.table(
        {
            "source": table.column("source").take(pa.array(first)),
            "target": pa.array([group[0] for group in references], pa.large_string()),
            "references": pa.array(references, pa.list_(pa.large_string())),
        }
    )


def _keys(table: pa.Table) -> np.ndarray:
    """Group number of every row, counted from 0 in order of appearance; without groups, the row number."""
    if "group" not in table.column_names:
        return np.arange(table.num_rows)
    encoded = pc.dictionary_encode(table.column("group").combine_chunks())
    return np.asarray(encoded.indices)
