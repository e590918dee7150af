"""params.yaml is read strictly: a mistake is one line that says what would be right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from project import ROOT

from softalign.errors import UserError
from softalign.params import read_params

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
        ({"seeds": [-1]}, "must not be negative"),
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
