from __future__ import annotations

import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.data.columns import MAX_TEXT_BYTES
from softalign.data.readers import read_parallel, read_rows
from softalign.errors import UserError

PAIR = {"source": "de", "target": "en"}
ROWS = [("Grüße, Welt", 'a "quoted" word'), ("zwei\u2028Zeilen", "two, three"), ("", "empty source")]
EXPECTED = {"source": [row[0] for row in ROWS], "target": [row[1] for row in ROWS]}


def write(path, content: bytes):
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def jsonl(rows=ROWS):
    return "".join(json.dumps({"id": 1, "de": de, "en": en}) + "\n" for de, en in rows).encode()


def tsv(rows=ROWS):
    return "".join("\t".join(row) + "\n" for row in [("en", "de"), *((en, de) for de, en in rows)]).encode()


def as_csv(path, rows=ROWS):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("de", "en"), *rows])
    return path.read_bytes()


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("kind", [".jsonl", ".ndjson", ".json", ".csv", ".tsv"])
def test_every_text_format_gives_the_same_rows(tmp_path, kind, suffix):
    content = {".csv": as_csv(tmp_path / "x"), ".tsv": tsv()}.get(kind, jsonl())
    path = write(tmp_path / f"train{kind}{suffix}", content)
    assert read_rows(path, PAIR).to_pydict() == EXPECTED
    assert read_rows(path, PAIR, limit=2).num_rows == 2


def test_parquet_gives_the_same_rows(tmp_path):
    table = pa.table({"en": EXPECTED["target"], "id": [1, 2, 3], "de": EXPECTED["source"]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    assert read_rows(tmp_path / "a.parquet", PAIR).to_pydict() == EXPECTED
    assert read_rows(tmp_path / "a.parquet", PAIR, limit=2).to_pydict() == {k: v[:2] for k, v in EXPECTED.items()}


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_parallel_text_is_split_at_line_feeds_alone(tmp_path, suffix):
    source = write(tmp_path / f"train.de{suffix}", "\ufeffGrüße\r\nzwei\u2028Zeilen\x0b\n\n".encode())
    target = write(tmp_path / f"train.en{suffix}", b"hello\ntwo lines\nno line end")
    read = read_parallel(source, target)
    assert read.to_pydict() == {
        "source": ["Grüße", "zwei\u2028Zeilen\x0b", ""],
        "target": ["hello", "two lines", "no line end"],
    }


@given(st.lists(st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0"))] * 2), min_size=1))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    as_csv(path, rows)
    assert read_rows(path, PAIR).to_pydict() == {"source": [r[0] for r in rows], "target": [r[1] for r in rows]}


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = write(tmp_path / "a.csv", b"\xef\xbb\xbfde,en\r\na,b\r\n")
    assert read_rows(path, PAIR).to_pydict() == {"source": ["a"], "target": ["b"]}


def test_nested_json(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"translation": {"de": "a", "en": null}}\n\n')
    read = read_rows(path, {"source": "translation.de", "target": "translation.en"})
    assert read.to_pydict() == {"source": ["a"], "target": [""]}


BAD = {
    # a file's name and content, and what the message says; %s is the file
    "empty jsonl": ("a.jsonl", b"", r"an empty file \(%s\): "),
    "blank jsonl": ("a.jsonl", b"\n\n", r"an empty file \(%s\): "),
    "empty csv": ("a.csv", b"", r"an empty file \(%s\): "),
    "header only": ("a.csv", b"de,en\n", r"an empty file \(%s\): "),
    "empty gzip": ("a.jsonl.gz", b"", r"an empty file \(%s\): "),
    "one column": ("a.csv", b"de\na\n", r"only one column, 'de', and 'en' is needed \(%s, line 1\): "),
    "semicolons": ("a.csv", b"de;en\na;b\n", r"only one column, 'de;en', .*\(%s, line 1\): .*commas in .csv"),
    "missing column": ("a.tsv", b"de\tfr\na\tb\n", r"no column 'en'; there are: de, fr \(%s, line 1\): "),
    "missing key": (
        "a.jsonl",
        b'{"de": "a", "en": "b"}\n{"de": "a", "fr": "b"}\n',
        r"no column 'en'; there are: de, fr \(%s, line 2\): ",
    ),
    "one key": ("a.jsonl", b'{"de": "a"}\n', r"only one column, 'de', .*\(%s, line 1\): "),
    "latin 1": ("a.csv", b"de,en\nx,y\ncaf\xe9,coffee\n", r"not UTF-8 \(%s, line 3, byte 4\): .*UTF-8"),
    "latin 1 gzip": ("a.jsonl.gz", jsonl() + b'{"de": "\xe9"', r"not UTF-8 \(%s, line 4, byte 9\): "),
    "utf-16": ("a.tsv", "de\ten\n".encode("utf-16"), r"not UTF-8 \(%s, line 1, byte 1\): "),
    "nul": ("a.tsv", b"de\ten\nx\ty\0\n", r"a NUL byte \(%s, line 2, byte 4\): "),
    "escaped nul": ("a.jsonl", b'{"de": "a\\u0000", "en": "b"}\n', r"a NUL byte in column 'de' \(%s, line 1\): "),
    "half a pair": ("a.jsonl", b'{"de": "\\ud800", "en": "b"}\n', r"half of a surrogate pair .*\(%s, line 1\): "),
    "long line": ("a.tsv", b"de\ten\nx\t" + b"y" * MAX_TEXT_BYTES, r"a line of 1 MB or more \(%s, line 2\): "),
    "long cell": (
        "a.csv",
        b'de,en\nx,"' + b"y\n" * (MAX_TEXT_BYTES // 2 + 1) + b'"\n',
        r"field larger than field limit .*\(%s, line 2\): ",
    ),
    "not json": ("a.jsonl", b'{"de": "a", "en": "b"}\n{"de"\n', r"not JSON: .* at character 6 \(%s, line 2\): "),
    "huge number": ("a.jsonl", b'{"de": 1' + b"0" * 5000 + b"}\n", r"JSON that cannot be read: .*\(%s, line 1\): "),
    "json array": ("a.json", b'["a", "b"]\n', r"not an object \(%s, line 1\): .*one object a line"),
    "number": ("a.jsonl", b'{"de": 1, "en": "b"}\n', r"column 'de' holds int, not text \(%s, line 1\): "),
    "ragged": ("a.csv", b"de,en\na,b\nc,d,e\n", r"3 fields, and the header has 2 \(%s, line 3\): .*quote"),
    "short row": ("a.tsv", b"de\ten\na\n", r"1 fields, and the header has 2 \(%s, line 2\): "),
    "open quote": ("a.csv", b'de,en\na,b\n"c,d\ne,f\n', r"a row that cannot be read: .*\(%s, line 3\): "),
    "text after quote": ("a.csv", b'de,en\n"a"b,c\n', r"a row that cannot be read: .*\(%s, line 2\): "),
    "not parquet": ("a.parquet", b"de,en\na,b\n", r"not a readable Parquet file .*\(%s\): "),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_their_place(tmp_path, case):
    name, content, message = BAD[case]
    path = write(tmp_path / name, content)
    with pytest.raises(UserError, match=message % path) as caught:
        read_rows(path, PAIR)
    assert "\n" not in str(caught.value)


def test_a_parquet_file_without_rows_or_with_the_wrong_columns(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"de": pa.array([], pa.string()), "en": pa.array([], pa.string())}), path)
    with pytest.raises(UserError, match=f"no rows .{path}"):
        read_rows(path, PAIR)
    pq.write_table(pa.table({"de": ["a"], "fr": ["b"]}), path)
    with pytest.raises(UserError, match=f"no column 'en'; there are: de, fr .{path}"):
        read_rows(path, PAIR)


@pytest.mark.parametrize("damage", ["plain text", "cut", "flipped"])
def test_a_damaged_gzip_file(tmp_path, damage):
    whole = gzip.compress(jsonl([(f"Satz {i * 7919}", "x") for i in range(2000)]))
    content = {"plain text": jsonl(), "cut": whole[:-100], "flipped": whole[:200] + b"\xff" * 50 + whole[250:]}[damage]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(
        UserError, match="(not a readable gzip file|the gzip file ends early|not UTF-8|not JSON).*a.jsonl.gz"
    ):
        read_rows(path, PAIR)


@pytest.mark.parametrize(("source", "target", "lengths"), [(3, 5, "3 and 5"), (5, 3, "5 and 3"), (1, 2, "1 and 2")])
def test_parallel_files_of_different_length(tmp_path, source, target, lengths):
    one = write(tmp_path / "train.de", b"a\n" * source)
    other = write(tmp_path / "train.en", b"a\n" * target)
    match = f"different lengths: {lengths} lines .*train.de and .*train.en, from line {min(source, target) + 1} on"
    with pytest.raises(UserError, match=match):
        read_parallel(one, other)


def test_empty_parallel_files(tmp_path):
    with pytest.raises(UserError, match="an empty file .*train.de and .*train.en"):
        read_parallel(write(tmp_path / "train.de", b""), write(tmp_path / "train.en", b""))
    with pytest.raises(UserError, match="different lengths: 0 and 1 lines"):
        read_parallel(write(tmp_path / "train.de", b""), write(tmp_path / "train.en", b"x"))
