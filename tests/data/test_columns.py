from __future__ import annotations

import pyarrow as pa
import pytest

from softalign.data.columns import MAX_TEXT_BYTES, text_columns
from softalign.errors import UserError

PAIR = {"source": "de", "target": "en"}


def test_renames_and_drops_and_makes_null_empty():
    table = pa.table({"en": ["a", None], "id": [1, 2], "de": ["ä", "b"]})
    picked = text_columns(table, PAIR, "here")
    assert picked.to_pydict() == {"source": ["ä", "b"], "target": ["a", ""]}


def test_a_dot_reaches_into_nested_columns_unless_a_column_has_that_very_name():
    table = pa.table({"translation": [{"de": "a", "deep": {"en": "b"}}], "translation.de": ["flat"]})
    picked = text_columns(table, {"source": "translation.de", "target": "translation.deep.en"}, "here")
    assert picked.to_pydict() == {"source": ["flat"], "target": ["b"]}


def test_dictionary_and_large_strings_are_text():
    table = pa.table(
        {"de": pa.array(["a", "b", "a"]).dictionary_encode(), "en": pa.array(["c"] * 3, pa.large_string())}
    )
    assert text_columns(table, PAIR, "here").column("source").to_pylist() == ["a", "b", "a"]


def test_a_missing_column_names_those_there_are():
    table = pa.table({"translation": [{"de": "a", "fr": "b"}], "id": ["1"]})
    with pytest.raises(UserError, match=r"no column 'translation.en'; there are: translation.de, translation.fr, id"):
        text_columns(table, {"source": "translation.de", "target": "translation.en"}, "here")


def test_one_column_is_said_to_be_one():
    with pytest.raises(UserError, match="only one column, 'de;en', and 'de' is needed .*here.*commas"):
        text_columns(pa.table({"de;en": ["a;b"]}), PAIR, "here")


def test_no_rows():
    with pytest.raises(UserError, match="no rows .*here"):
        text_columns(pa.table({"de": pa.array([], pa.string()), "en": pa.array([], pa.string())}), PAIR, "here")


@pytest.mark.parametrize("values", [[1, 2], [["a"], ["b"]], [b"a", b"b"]])
def test_what_is_not_text_is_refused(values):
    with pytest.raises(UserError, match="column 'en' holds .*, not text .*here"):
        text_columns(pa.table({"de": ["a", "b"], "en": values}), PAIR, "here")


def test_bad_cells_are_named_by_row():
    for bad, what in (("x\0y", "a NUL byte"), ("x" * MAX_TEXT_BYTES, "a text of 1 MB or more")):
        table = pa.table({"de": ["a", "b", "c"], "en": ["a", "b", bad]})
        with pytest.raises(UserError, match=f"{what} in column 'en' .*here, row 103"):
            text_columns(table, PAIR, "here", rows_before=100)


def test_invalid_utf8_inside_a_binary_format_is_named_by_row_and_byte():
    raw = pa.array([b"ok", b"caf\xe9"], pa.binary())
    invalid = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    with pytest.raises(UserError, match="column 'en' is not UTF-8 .*here, row 2, byte 4"):
        text_columns(pa.table({"de": ["a", "b"], "en": invalid}), PAIR, "here")
