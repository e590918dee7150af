"""Whether a run is of the settings that resolved/ names now.

A `dvc repro` that was interrupted, or that went on past a failure, leaves runs of earlier settings beside those of the
present ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from softalign.errors import UserError
from softalign.reporting.inputs import REMEDY

# What a change of runs again: the keys that dvc.yaml tracks for `train` and `evaluate`, and those that make their data.
OF_TRAINING = (
    "data.name",
    "data.source",
    "data.cleaning",
    "data.tokenizer",
    "model",
    "optimization",
    "trainer.accelerator",
    "trainer.cuda_graphs",
    "trainer.precision",
    "trainer.threads",
)
OF_EVALUATION = ("data.shifted_tests", "task", "decoding", "evaluation")
UNSET = object()


def check_settings(what: str, recorded: dict[str, Any], wanted: dict[str, Any], keys: Sequence[str]) -> None:
    """Hold the settings that a run recorded against those of resolved/<task>/<arm>.yaml, of both only `keys`.

    Raises `UserError` that says `what` was done with others and names the first that differs.
    """
    was, now = (dict(_flat(content, "", keys)) for content in (recorded, wanted))
    for key in now | was:
        before, after = was.get(key, UNSET), now.get(key, UNSET)
        if before != after:
            where = f"{key} {_shown(before)} instead of {_shown(after)}"
            raise UserError(f"{what} with other settings", where, REMEDY)


def _flat(value: Any, name: str, keys: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The dotted names and the values of the settings in or below `keys`."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}".lstrip("."), keys)
    elif any(f"{name}.".startswith(f"{key}.") for key in keys):
        yield name, value


def _shown(value: Any) -> str:
    return "unset" if value is UNSET else json.dumps(value, ensure_ascii=False).strip('"')
