"""Note the digests of the code that a stage of dvc.yaml names, in one file for all the stages that rest on it.

python -m softalign.stages.code code_of_train

After every stage DVC writes dvc.lock anew, with each dependency of each stage, and reads it again. Where a hundred
trainings name twenty files of code each, that takes longer than a small training; so they name this one file.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from softalign.data.atomic import replace_text
from softalign.errors import UserError, reported
from softalign.paths import Layout, project_root


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", help="a stage of dvc.yaml that has deps and one output")
    with reported():
        root = Layout(project_root()).root
        note(root, str(parser.parse_args(arguments).stage))


def note(root: Path, stage: str) -> None:
    """Write the output of `stage`: a line for each file that it depends on, as sha256sum does."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    if stage not in stages:
        raise UserError(f"no stage {stage!r}", "dvc.yaml", f"there are: {', '.join(stages)}")
    (output,) = stages[stage]["outs"]
    lines = [f"{_digest(root / name)}  {name}" for name in sorted(_files(root, stages[stage]["deps"]))]
    replace_text(root / output, "\n".join(lines) + "\n")


def _files(root: Path, dependencies: Sequence[str]) -> Iterator[str]:
    for dependency in dependencies:
        place = root / dependency
        if not place.exists():
            raise UserError("no such file or folder", dependency, "restore it, or take it out of dvc.yaml")
        for path in [place] if place.is_file() else place.rglob("*"):
            name = path.relative_to(root)
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & {*name.parts}:  # as .dvcignore has it
                yield name.as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
