"""dvc.yaml names the code that each stage depends on."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import pytest
import yaml
from project import ROOT

from softalign.training.identity import CODE

PACKAGE = "src/softalign/"
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def dependencies_of(stage: str) -> list[str]:
    """The code that a stage names, itself or through the file that another stage makes of it."""
    named: list[str] = [dependency for dependency in STAGES[stage]["deps"] if dependency.startswith(PACKAGE)]
    codes = [name for name in STAGES if name.startswith("code_of_")]
    makers = [code for code in codes if set(STAGES[code]["outs"]) & set(STAGES[stage]["deps"])]
    return [*named, *(dependency for maker in makers for dependency in dependencies_of(maker))]


def code_of(stage: str) -> list[str]:
    """Every module that a stage depends on, relative to the package."""
    named = [ROOT / dependency for dependency in dependencies_of(stage)]
    modules = [path for place in named for path in ([place] if place.is_file() else place.rglob("*.py"))]
    return [str(path.relative_to(ROOT / PACKAGE)) for path in modules]


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_every_stage_is_there(stage: str) -> None:
    named = dependencies_of(stage)
    assert named and all((ROOT / dependency).exists() for dependency in named)
    assert named == sorted(named)


def test_what_decides_the_weights_retrains() -> None:
    for pattern in CODE:
        wanted = [str(path.relative_to(ROOT / PACKAGE)) for path in (ROOT / PACKAGE).glob(pattern)]
        assert wanted and set(wanted) <= set(code_of("train"))


def test_a_checkpoint_of_other_code_is_not_resumed() -> None:
    """What DVC trains again for is in the digest of the code, but for what decides where it runs and what it costs."""
    where_and_cost = {
        "hardware/cores.py",
        "hardware/device.py",
        "hardware/memory.py",
        "training/checkpointing.py",
        "training/cost.py",
        "training/curve.py",
        "training/history.py",
        "training/meter.py",
        "training/work.py",
    }
    package = ROOT / PACKAGE
    digested = {str(path.relative_to(package)) for pattern in CODE for path in package.glob(pattern)}
    assert set(code_of("train")) - digested == where_and_cost


def test_drawing_and_scoring_do_not_retrain() -> None:
    for module in code_of("train"):
        assert not fnmatch(module, "reporting/*") and not fnmatch(module, "evaluation/*")
        assert module not in ("training/tracking.py", "training/progress.py")
