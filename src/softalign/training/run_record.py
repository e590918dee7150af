"""What MLflow is told about a run, read from the files in its folder: parameters, tags, metrics, tables."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from softalign.config import Config, DecodingConfig
from softalign.training.cost import Cost
from softalign.training.history import read_table
from softalign.training.identity import Identity, training_of
from softalign.training.points import Point, epoch_points, step_point
from softalign.typed import training_part, typed

RECORD = 3  # raised when MLflow shall be told more than before, so that finished runs are filled up


@dataclass(frozen=True)
class RunRecord:
    """One arm and seed: what training left in train/ and, where it has happened, evaluation in test/."""

    folder: Path
    identity: Identity
    config: Config
    cost: Cost
    history: list[dict[str, float]]
    steps: list[dict[str, float]]
    scores: dict[str, Any] | None
    predictions: list[dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """Read runs/<task>/<model>/<seed>/. Raises OSError, ValueError or UserError where it is not complete."""
        train, test = folder / "train", folder / "test"
        identity = Identity.read(train / "run.json")
        config = typed(yaml.safe_load((train / "config.yaml").read_text(encoding="utf-8")))
        scores = None
        if (test / "scores.json").exists():
            scores = json.loads((test / "scores.json").read_text(encoding="utf-8"))
            if scores.get("training") != training_of(train, identity.fingerprint):
                scores = None  # of an earlier training
        if scores:
            # Evaluation may have decoded in another way than the configuration had it at the time of training.
            config = replace(config, decoding=DecodingConfig(**scores["settings"]["decoding"]))
        return cls(
            folder=folder,
            identity=identity,
            config=config,
            cost=Cost(**json.loads((train / "cost.json").read_text(encoding="utf-8"))),
            history=read_table(train / "history.csv"),
            steps=read_table(train / "steps.csv"),
            scores=scores,
            predictions=_json_lines(test / "predictions.jsonl") if scores else [],
        )

    @property
    def digest(self) -> str:
        """Of the files: as long as it is what MLflow has noted, there is nothing to tell."""
        names = ["train/run.json", "train/cost.json", "train/history.csv", "test/scores.json", "test/predictions.jsonl"]
        known = hashlib.sha256(str(RECORD).encode())
        for path in (self.folder / name for name in names):
            known.update(path.name.encode() + (path.read_bytes() if path.exists() else b""))
        return known.hexdigest()[:32]

    def points(self) -> list[Point]:
        """Every point of the curves, with the time at which it was measured as far as that is known."""
        start = self.cost.finished_at - self.cost.train_seconds
        seconds = {row["step"]: row["seconds"] for row in self.history}
        last = max(seconds, default=1.0)
        rate = seconds.get(last, 0.0) / last  # seconds a step, on average
        points = [step_point(row, start + row["step"] * rate) for row in self.steps]
        for row in self.history:
            points += epoch_points(row, start + row["seconds"])
        return points


def parameters(config: Config) -> dict[str, str]:
    """What the weights depend on, flat: these can never change for a given fingerprint."""
    return flat({"task": config.task.name, **training_part(config)})


def tags(identity: Identity, config: Config) -> dict[str, str]:
    """What runs are filtered and compared by, and what may change between two evaluations of one training."""
    content = {
        "softalign.fingerprint": identity.fingerprint,
        "task": identity.task,
        "model": identity.model,
        "fusion": config.model.fusion,
        "score": config.model.score,
        "cell": identity.cell,
        "seed": identity.seed,
        "data": identity.data,
        "data_revision": identity.revision,
        "data_fingerprint": identity.data_fingerprint,
        "git_commit": identity.git_commit,
        "mlflow.source.name": "softalign",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.git.commit": (identity.git_commit or "").removesuffix("+changes"),
    }
    content |= flat({"decoding": vars(config.decoding)})
    return {key: str(value) for key, value in content.items() if value not in (None, "")}


def run_name(identity: Identity) -> str:
    return f"{identity.model}-{identity.cell}-{identity.data}-{identity.seed}"


def summary_metrics(record: RunRecord) -> dict[str, float]:
    """The single numbers of a run: cost, and where it has been evaluated test scores and alignment."""
    content: dict[str, Any] = {"cost": vars(record.cost)}
    if record.scores is not None:
        for name in ("test", "alignment", "gap"):
            content[name] = record.scores.get(name) or {}
        content["cost"] = content["cost"] | (record.scores.get("cost") or {})
        content["shifted"] = {
            name: {key: value for key, value in own.items() if key not in ("intervals", "base")}
            for name, own in record.scores.get("shifted", {}).items()
        }
    numbers = _numbers(content)
    if record.history:
        numbers["best_validation_loss"] = min(row["validation_loss"] for row in record.history)
    return numbers


def length_points(record: RunRecord) -> list[Point]:
    """The score of each bucket of source lengths, with the bucket's longest source in words as the step."""
    buckets = (record.scores or {}).get("by_length") or []
    when = record.cost.finished_at
    return [
        Point(f"test_{bucket['metric']}_by_length", float(bucket["score"]), int(bucket["high"]), when)
        for bucket in buckets
        if bucket.get("score") is not None
    ]


def table(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns, which is how mlflow.log_table takes them; lists become text."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [_cell(row.get(key)) for row in rows] for key in columns}


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested containers as dotted keys; None is written "none"."""
    result: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = "none" if value is None else str(value)
    return result


def _numbers(content: dict[str, Any], prefix: str = "") -> dict[str, float]:
    result: dict[str, float] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            result |= _numbers(value, f"{prefix}{key}.")
        elif isinstance(value, bool | int | float):
            result[f"{prefix}{key}"] = float(value)
    return result


def _cell(value: Any) -> Any:
    return "\n".join(map(str, value)) if isinstance(value, list) else value


def _json_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
