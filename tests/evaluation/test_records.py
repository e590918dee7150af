import json
import math

import numpy as np

from softalign.evaluation.records import finite, write_json, write_json_lines


def test_numbers_that_json_lacks_become_null(tmp_path):
    write_json(tmp_path / "a.json", {"x": math.nan, "y": [math.inf, 1.5], "z": {"t": "ü", "n": 3, "b": True}})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"x": None, "y": [None, 1.5], "z": {"t": "ü", "n": 3, "b": True}}
    assert "ü" in text


def test_one_record_a_line_even_with_line_ends_in_the_text(tmp_path):
    records = [{"prediction": "a\nb\u2028c"}, {"prediction": ""}]
    write_json_lines(tmp_path / "a.jsonl", records)
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines[-1] == ""
    assert [json.loads(line) for line in lines[:-1]] == records


def test_numbers_that_json_cannot_hold_become_none():
    content = {"a": [math.inf, 1.5, {"b": math.nan}], "c": np.float64(2), 3: np.int64(4), "d": (np.float64(math.nan),)}
    assert finite(content) == {"a": [None, 1.5, {"b": None}], "c": 2.0, "3": 4, "d": [None]}
    json.dumps(finite(content), allow_nan=False)
