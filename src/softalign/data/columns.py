"""From whatever columns a table has to `source`, `target` and `group`, as clean text."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from softalign.errors import UserError

MAX_TEXT_BYTES = 1_000_000  # a line or a cell this long is a damaged file, not a sentence or an article


def text_columns(table: pa.Table, columns: Mapping[str, str], where: str, rows_before: int = 0) -> pa.Table:
    """The columns of `table` that `columns` names (new name -> name there), as strings; null becomes "".

    A name is looked up as it is first, and then as a path into nested columns: `translation.de`.
    `where` names the file or split in messages, `rows_before` is how many of its rows lie before `table`.
    Raises `UserError` for no rows, for a column that is missing (and names those there are), is not text, or holds a
    NUL byte, invalid UTF-8 or a text of 1 MB or more.
    """
    if table.num_rows == 0:
        raise UserError("no rows", where, "give a file or split that holds at least one")
    picked = {new: _text(_column(table, name, where), name, where, rows_before) for new, name in columns.items()}
    return pa.table(picked)


def column_names(schema: pa.Schema) -> list[str]:
    """Every name that `text_columns` accepts: nested ones with dots."""

    def leaves(name: str, kind: pa.DataType) -> list[str]:
        if pa.types.is_struct(kind):
            return [leaf for field in kind for leaf in leaves(f"{name}.{field.name}", field.type)]
        return [name]

    return [leaf for field in schema for leaf in leaves(field.name, field.type)]


def missing_column(name: str, there: list[str], where: str) -> UserError:
    """The error for a column that is not there; a table with one column has most likely another separator."""
    if len(there) == 1:
        return UserError(
            f"only one column, {there[0]!r:.80}, and {name!r} is needed",
            where,
            "give source and target a column each (commas in .csv, tabs in .tsv, a key in each line of .jsonl)",
        )
    listed = ", ".join(there)
    return UserError(
        f"no column {name!r}; there are: {listed}",
        where,
        "set data.source.source_column and data.source.target_column (and group_by) to these",
    )


def _column(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    if name in table.column_names:
        return table.column(name)
    head, *path = name.split(".")
    if head in table.column_names and path:
        column = table.column(head)
        kind = column.type
        for part in path:
            if not pa.types.is_struct(kind) or kind.get_field_index(part) < 0:
                raise missing_column(name, column_names(table.schema), where)
            kind = kind.field(part).type
        return pc.struct_field(column, path)
    raise missing_column(name, column_names(table.schema), where)


def _text(column: pa.ChunkedArray, name: str, where: str, rows_before: int) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_null(column.type)):
        raise UserError(
            f"column {name!r} holds {column.type}, not text", where, "choose a text column, or a part of it as in a.b"
        )
    column = column.cast(pa.large_string())
    if column.null_count:  # filling copies, and a column may be a memory-mapped one that is larger than memory
        column = pc.fill_null(column, "")
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise UserError(
            f"column {name!r} is not UTF-8", f"{where}, {_first_undecodable(column, rows_before)}", "save it as UTF-8"
        ) from None
    for bad, what, remedy in (
        (pc.greater_equal(pc.binary_length(column), MAX_TEXT_BYTES), "a text of 1 MB or more", "remove the row"),
        (pc.match_substring(column, "\0"), "a NUL byte", "the file is damaged or binary: repair or remove the row"),
    ):
        row = pc.index(bad, True).as_py()
        if row >= 0:
            raise UserError(f"{what} in column {name!r}", f"{where}, row {rows_before + row + 1}", remedy)
    return column


def _first_undecodable(column: pa.ChunkedArray, rows_before: int) -> str:
    for row, value in enumerate(column.cast(pa.large_binary()), start=rows_before + 1):
        try:
            value.as_py().decode("utf-8")
        except UnicodeDecodeError as error:
            return f"row {row}, byte {error.start + 1}"
    return "row unknown"
