"""The files of a run that the report reads: what each must hold, and reading it.

Keys that no part of the report asks for are left as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from softalign.errors import UserError
from softalign.training.history import EPOCH_COLUMNS, read_table

Score = float | None  # None: it was not finite, or has no meaning


class Origin(BaseModel):
    """train/run.json: what was trained."""

    task: str
    model: str
    cell: str
    seed: int
    data: str


class Task(BaseModel):
    headline_metric: str
    lead_words: int


class Data(BaseModel):
    name: str
    source: dict[str, Any]


class Optimization(BaseModel):
    lr: float


class Configuration(BaseModel):
    """train/config.yaml."""

    task: Task
    data: Data
    model: dict[str, Any]
    optimization: Optimization


class Item(BaseModel):
    """A row of test/predictions.jsonl and of those of shifted test sets."""

    source: str
    references: Annotated[list[str], Field(min_length=1)]
    prediction: str
    negative_log_likelihood: Score
    source_words: int
    target_words: int


class Interval(BaseModel):
    low: Score
    high: Score


class ScoredBucket(BaseModel):
    low: int
    high: int
    rows: int
    metric: str
    score: Score
    ci_low: Score
    ci_high: Score


class TimedBucket(BaseModel):
    low: int
    high: int
    tokens: int
    seconds: float


class GradientBucket(BaseModel):
    low: int
    high: int
    norm: Score
    relative: Score


class PositionNorm(BaseModel):
    position: int
    rows: int
    norm: Score


class StateNorms(BaseModel):
    encoder: list[PositionNorm]
    decoder: list[PositionNorm]


class Entropy(BaseModel):
    entropy: Score
    uniform: Score


class Probes(BaseModel):
    recall_by_lag: list[ScoredBucket] | None
    gradient_norm: Annotated[list[GradientBucket], Field(min_length=1)]
    state_norm: StateNorms
    attention_entropy: Entropy | None


class Alignment(BaseModel):
    error_rate: float
    entropy: float
    entropy_uniform: float
    diagonal_error_rate: float
    same_word_error_rate: float
    baseline: str
    difference: float
    difference_low: float
    difference_high: float


class DecodingCost(BaseModel):
    decode_seconds: float
    decode_sentences_per_second: float
    scoring_by_length: list[TimedBucket]
    decoding_by_length: list[TimedBucket]


class Scores(BaseModel):
    """test/scores.json."""

    test: dict[str, Score]
    intervals: dict[str, Interval]
    shifted: dict[str, dict[str, Any]] = {}
    signatures: dict[str, str]
    by_length: list[ScoredBucket]
    alignment: Alignment | None
    probes: Probes
    cost: DecodingCost
    gap: dict[str, Score]


class AttentionMap(BaseModel):
    """An entry of test/attention.json."""

    row: int
    kind: str
    source_tokens: list[str]
    target_tokens: list[str]
    weights: list[list[float]]


class Failure(BaseModel):
    """train/failure.json, in the place of all else."""

    step: int
    gradient_norm: float | str | None = None  # nan and inf are strings
    last_checkpoint: str | None = None


def read_json(path: Path, form: Any) -> Any:
    """The plain content of a file of the type `form`. Raises `UserError` where it is missing or of another."""
    text = _text(path)
    _check(text, form, str(path), path)
    return json.loads(text)


def read_json_lines(path: Path, form: Any) -> list[dict[str, Any]]:
    """As `read_json`, of every line."""
    rows = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            _check(line, form, f"{path}, line {number}", path)
            rows.append(json.loads(line))
    if not rows:
        raise UserError("the file is empty", str(path), _remedy(path))
    return rows


def read_yaml(path: Path, form: Any) -> dict[str, Any]:
    """As `read_json`, of YAML."""
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise UserError(f"not valid YAML: {error}", str(path), _remedy(path)) from None
    _check(json.dumps(content, default=str), form, str(path), path)
    return dict(content)


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of train/history.csv, one an epoch."""
    _text(path)
    try:
        rows = read_table(path)
    except (TypeError, ValueError) as error:
        raise UserError(f"not a table of numbers: {error}", str(path), _remedy(path)) from None
    absent = [column for column in EPOCH_COLUMNS if column not in (rows[0] if rows else ())]
    if absent:
        raise UserError(f"no {absent[0]}", str(path), _remedy(path))
    return rows


def _check(text: str, form: Any, where: str, path: Path) -> None:
    try:
        _adapter(form).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = _dotted(first["loc"])
        raise UserError(f"{key}: {first['msg']}" if key else first["msg"], where, _remedy(path)) from None


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _dotted(steps: Sequence[int | str]) -> str:
    return ".".join(str(step) for step in steps)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("a run has not been finished: its file is missing", str(path), _remedy(path)) from None
    except UnicodeDecodeError:
        raise UserError("not UTF-8", str(path), _remedy(path)) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", str(path), _remedy(path)) from None


def _remedy(path: Path) -> str:
    stage = "train" if path.parent.name == "train" else "evaluate"
    return f"run dvc repro, or python -m softalign.stages.{stage} with the run's task, model and seed"
