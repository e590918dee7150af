"""What a training is: the hashes by which it is found again, on disk and in MLflow."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from softalign.config import Config
from softalign.data.atomic import replace_text
from softalign.errors import UserError
from softalign.typed import training_part

CODE = (
    "models/**/*.py",
    "data/batching.py",
    "data/datamodule.py",
    "data/encoded.py",
    "training/checkpoint_callbacks.py",
    "training/fit.py",
    "training/module.py",
    "training/reproducible.py",
    "training/schedule.py",
    "hardware/denormals.py",
    "hardware/precision.py",
    "hardware/second_thread.py",
)
CODE_FILE = ".code"  # beside run.json: the digest of the code that trains, or trained


@dataclass(frozen=True)
class Identity:
    """Which training this is and what it was trained on; run.json holds these fields."""

    fingerprint: str  # of everything that the weights depend on but the code: two trainings that share it are one
    data_fingerprint: str  # of the prepared data
    revision: str | None  # of the data set, where it has one
    git_commit: str | None  # with "+changes" where the work tree differs from it; None outside a git repository
    task: str
    model: str
    cell: str
    seed: int
    data: str

    @property
    def label(self) -> str:
        return f"{self.task}/{self.model} seed {self.seed}"

    def write(self, path: Path) -> None:
        replace_text(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Identity:
        """Raises `FileNotFoundError` where there is none, `UserError` where it is damaged."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise UserError("not what training wrote", str(path), "train the model again") from None


def identify(config: Config, prepared: Path) -> Identity:
    """The identity of training `config` on the prepared data. Raises `UserError` where there are none."""
    report = data_report(prepared)
    content = {"task": config.task.name, **training_part(config), "data_fingerprint": report["fingerprint"]}
    return Identity(
        fingerprint=digest(content),
        data_fingerprint=report["fingerprint"],
        revision=report.get("revision"),
        git_commit=git_commit(prepared),
        task=config.task.name,
        model=config.model.name,
        cell=config.model.cell,
        seed=config.seed,
        data=config.data.name,
    )


def data_report(prepared: Path) -> dict[str, Any]:
    """What `prepare` wrote about its data. Raises `UserError` where there is nothing, or nothing that can be read."""
    path = prepared / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(report["fingerprint"], str):
            raise TypeError
    except FileNotFoundError:
        raise UserError("no prepared data", str(prepared), "run dvc repro, or the stage prepare first") from None
    except (ValueError, KeyError, TypeError):
        raise UserError("not a report of the stage prepare", str(path), "run the stage prepare again") from None
    return dict(report)


def digest(content: Any) -> str:
    """SHA-256 of plain containers, whatever the order of their keys; the first 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def code_digest() -> str:
    """Of the code that decides the weights: a checkpoint of other code is not resumed."""
    package = Path(__file__).resolve().parents[1]
    files = sorted(path for pattern in CODE for path in package.glob(pattern))
    return digest([[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files])


def training_of(train: Path, fingerprint: str) -> dict[str, str | None]:
    """What tells the training in the folder `train` from others: two that share it have the same weights.

    `fingerprint` is that of its run.json; `code` is None where nobody noted it.
    """
    path = train / CODE_FILE
    code = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    return {"fingerprint": fingerprint, "code": code}


def git_commit(folder: Path) -> str | None:
    """The commit checked out around `folder`, "+changes" appended where tracked files differ from it."""

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")
