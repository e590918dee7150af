"""A throw-away copy of the project's pipeline files, for tests that edit conf/ or run commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIPELINE_FILES = (
    "conf",
    "src",
    "notebooks",
    "dvc.yaml",
    "params.yaml",
    "data.lock.yaml",
    ".dvc/config",
    ".dvc/plots",
    ".dvcignore",
    ".gitignore",
)


def copy_project(folder: Path) -> Path:
    """Copy what the pipeline needs into `folder` (not the outputs, not the caches)."""
    for name in PIPELINE_FILES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        else:
            shutil.copyfile(source, target)
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a command in `folder`: this Python first, the copy's src/, no outside tracking server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "MLFLOW_", "HF_"))}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return kept | {"PYTHONPATH": str(folder / "src"), "DVC_NO_ANALYTICS": "1"} | more


def run(
    folder: Path, *command: str, check: bool = True, stdin: bytes = b"", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`; with `check`, its output is shown when it fails."""
    raw = subprocess.run(command, cwd=folder, env=environment(folder, **more), capture_output=True, input=stdin)
    output, errors = (re.sub("\r\n?", "\n", stream.decode("utf-8")) for stream in (raw.stdout, raw.stderr))
    done = subprocess.CompletedProcess(raw.args, raw.returncode, output, errors)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def apply_with_dvc(folder: Path, values: Sequence[str]) -> None:
    """Let DVC's own code write the values of `dvc exp run -S` into the files of `folder`."""
    script = (
        "import sys\n"
        "from dvc.utils.cli_parse import to_path_overrides\n"
        "from dvc.utils.hydra import apply_overrides\n"
        "for path, overrides in to_path_overrides(sys.argv[1:]).items():\n"
        "    apply_overrides(path, overrides)\n"
    )
    run(folder, "python", "-c", script, *values)
