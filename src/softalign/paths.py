"""Where every file of the project lies, from the project's root down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softalign.errors import UserError


def project_root(start: Path | None = None) -> Path:
    """The nearest folder upwards from `start` (default: the working directory) that holds dvc.yaml and conf/.

    Raises `UserError` where there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "conf").is_dir():
            return folder
    raise UserError(
        "not inside a softalign project", str(start), "change into the folder that holds dvc.yaml and conf/"
    )


@dataclass(frozen=True)
class Layout:
    """The paths that stages read and write; all of them under `root`.

    `by_hand` names a run that a person started, which lies in outputs/<by_hand> and leaves DVC's runs/ alone.
    """

    root: Path
    by_hand: str | None = None

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def tuned(self, data: str, arm: str) -> Path:
        """The learning rate that a search found for an arm: read through the defaults list of conf/config.yaml."""
        return self.conf / "tuned" / data / f"{arm}.yaml"

    def tuning(self, data: str) -> Path:
        """Every trial of the searches on `data`."""
        return self.root / "docs" / "tuning" / f"{data}.csv"

    def resolved_data(self, task: str) -> Path:
        return self.root / "resolved" / task / "data.yaml"

    def resolved(self, task: str, model: str) -> Path:
        return self.root / "resolved" / task / f"{model}.yaml"

    def raw(self, task: str) -> Path:
        return self.root / "data" / "raw" / task

    def prepared(self, task: str) -> Path:
        return self.root / "data" / "prepared" / task

    def shifted(self, task: str) -> Path:
        return self.root / "data" / "shifted" / task

    def run(self, task: str, model: str, seed: int) -> Path:
        """The folder of one arm and seed: train/ inside is what training left, test/ what evaluation did."""
        if self.by_hand:
            return self.root / "outputs" / self.by_hand
        return self.root / "runs" / task / model / str(seed)

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def store(self) -> Path:
        """The project that owns the MLflow store: DVC runs queued experiments in copies below .dvc/tmp."""
        for folder in self.root.parents:
            if folder.name == ".dvc" and (folder.parent / "dvc.yaml").is_file():
                return folder.parent
        return self.root
