"""params.yaml is read strictly: a mistake is one line that says what would be right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from hypothesis import example, given
from hypothesis import strategies as st
from project import ROOT

from softalign.errors import UserError
from softalign.params import in_hydras_grammar, read_params

PARAMS = ROOT / "params.yaml"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"model": ["vanilla"]}, "unknown key 'model'.*did you mean 'models'"),
        ({"tasks": "translation"}, "tasks must be a list"),
        ({"seeds": ["1"]}, "seeds must be a list of int"),
        ({"seeds": [1, 1]}, "each once"),
        ({"models": []}, "at least one"),
        ({"data": "phrasebook"}, "data must map"),
        ({"data": {"translation": 3}}, "data must map"),
        ({"seeds": [-1]}, "at least 0 and below"),
        ({"seeds": [2**32]}, "at least 0 and below"),
        ({"experiment": ["smoke"]}, "experiment must be null or a file"),
    ],
)
def test_a_mistake_in_params(tmp_path: Path, edit: dict[str, object], says: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(PARAMS.read_text()) | edit))
    with pytest.raises(UserError, match=says):
        read_params(path)


def test_params_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for content, says in ((b"tasks: [", "cannot read"), (b"\xff\xfe\x00", "cannot read"), (b"- a", "not a mapping")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=says):
            read_params(path)
    with pytest.raises(UserError, match="cannot read"):
        read_params(tmp_path / "absent.yaml")
    path.write_text("tasks: [translation]\n")
    with pytest.raises(UserError, match="'models' is missing"):
        read_params(path)


def test_a_task_without_data() -> None:
    with pytest.raises(UserError, match="no data for the task 'translation'"):
        replace(read_params(PARAMS), data={}).base_overrides("translation")
    with pytest.raises(UserError, match="unknown task 'translatoin' .params.yaml: tasks.*did you mean 'translation'"):
        replace(read_params(PARAMS), data={}).base_overrides("translatoin")


def as_hydra_reads(text: str) -> Any:
    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value.text if isinstance(value, QuotedString) else value

    return plain(OverridesParser.create().parse_override(f"key={text}").value())


TEXTS = st.text() | st.text("\\\"'ab ,=[]{}:$~1-", max_size=6)


@given(st.none() | st.integers() | TEXTS | st.lists(TEXTS | st.integers() | st.none(), max_size=3))
@example("null")
@example("None")
@example("True")
@example("nan")
@example("1e5")
@example("")
@example("Übung")
@example("a\\b")
@example('a\\"')
@example("data.source.path='my files'")
@example(["vanilla-gru", "optimization.lr=0.002", "~tuned", 3, None])
def test_hydra_reads_back_what_is_written_in_its_grammar(value: Any) -> None:
    found = as_hydra_reads(in_hydras_grammar(value))
    assert found == value and type(found) is type(value)


def test_plain_names_and_numbers_need_no_quotes() -> None:
    assert in_hydras_grammar(["vanilla-as_bahdanau", 3, "multi30k", None]) == "[vanilla-as_bahdanau,3,multi30k,null]"
