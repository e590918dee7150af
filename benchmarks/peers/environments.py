"""The peers' own environments, below outputs/bench/peers: made when they are missing, and kept."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from softalign.errors import UserError

HERE = Path(__file__).parent
STAMP = ".installed"


@dataclass(frozen=True)
class Package:
    """A toolkit on the package index."""

    name: str  # of its folder, and of its file of requirements beside this one
    requirement: str

    @property
    def requirements(self) -> Path:
        return HERE / f"{self.name}.txt"


JOEYNMT = Package("joeynmt", "joeynmt==2.3.0")
OPENNMT = Package("opennmt", "OpenNMT-py==3.5.1")


def python_of(package: Package, folder: Path) -> Path:
    """The interpreter of the package's environment below `folder`, which is made first where it is missing or old.

    pip is given what the variable PIP_ARGS holds, which the Makefile passes on. Raises `UserError`, which names the
    log, where that does not succeed.
    """
    home = folder / package.name
    python = home / "bin" / "python"
    log = folder / f"{package.name}-install.log"
    wanted = _digest(package)
    if (home / STAMP).exists() and (home / STAMP).read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    more = shlex.split(os.environ.get("PIP_ARGS", ""))
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    with log.open("w", encoding="utf-8") as file:
        for what, command in {
            "making the environment": [sys.executable, "-m", "venv", str(home)],
            "installing what it needs": [*pip, *more, _torch(), "-r", str(package.requirements)],
            "installing it": [*pip, *more, "--no-deps", package.requirement],
        }.items():
            print(f"{package.requirement}: {what}", flush=True)
            if subprocess.run(command, stdout=file, stderr=subprocess.STDOUT).returncode != 0:
                raise UserError(f"{package.requirement}: {what} failed", str(log), "the log's end says why")
    (home / STAMP).write_text(wanted, encoding="utf-8")
    return python


def _torch() -> str:
    """The torch that softalign runs on, so that no side has a newer one."""
    return f"torch=={torch.__version__.partition('+')[0]}"


def _digest(package: Package) -> str:
    """Of all that decides what is in an environment."""
    parts = (package.requirements.read_text(encoding="utf-8"), package.requirement, _torch(), platform.python_version())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
