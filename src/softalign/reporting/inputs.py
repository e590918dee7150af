"""The files that the report is made of: what each must hold, and reading it.

train/cost.json and train/history.csv are held against what training writes, the others against what is read of them.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from softalign.config import ModelConfig
from softalign.errors import UserError
from softalign.training.failure import Failure
from softalign.training.history import EPOCH_COLUMNS, read_table

Score = float | None  # None: it was not finite, or has no meaning
Count = Annotated[int, Field(ge=0, lt=2**31)]
REMEDY = "run dvc repro"
Positive = Field(gt=0)  # what a cost per token is divided by, or a ratio of costs
Some = Field(min_length=1)


class Origin(BaseModel):
    """train/run.json: what was trained."""

    task: str
    model: str
    cell: str
    seed: int
    data: str
    fingerprint: str


class Data(BaseModel):
    name: str
    source: dict[str, Any]


class Optimization(BaseModel):
    lr: float


class Configuration(BaseModel):
    """train/config.yaml."""

    data: Data
    model: ModelConfig
    optimization: Optimization


class Resolved(BaseModel):
    """resolved/<task>/<arm>.yaml."""

    model: ModelConfig


class FailedTraining(BaseModel):
    """What train/failure.json says beside `Failure`."""

    config: dict[str, Any] = {}


class LinkCounts(BaseModel):
    """Links that are right, that were predicted, and of the gold alignment, by who links."""

    attention: tuple[Count, Count, Count]
    diagonal: tuple[Count, Count, Count]
    same_word: tuple[Count, Count, Count]


class Item(BaseModel):
    """A row of test/predictions.jsonl and of those of shifted test sets."""

    row: Count
    source: str
    target: str
    references: Annotated[list[str], Some]
    prediction: str
    negative_log_likelihood: Score
    source_words: Count
    target_words: Count
    test_row: Count | None = None  # of noise: the row of the test set that it was made of
    links: LinkCounts | None = None


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
    source_words: float
    tokens: Annotated[int, Positive]
    seconds: Annotated[float, Positive]


class ActivationBucket(BaseModel):
    low: int
    high: int
    source_words: float
    tokens: Annotated[int, Positive]
    bytes: Annotated[int, Positive]


class GradientBucket(BaseModel):
    low: int
    high: int
    tokens: int
    norm: Score
    relative: Score


class MeanNorm(BaseModel):
    place: int
    states: int
    norm: Score


class StateNorms(BaseModel):
    encoder: Annotated[list[MeanNorm], Some]
    encoder_by_lag: list[MeanNorm]  # none where every source is empty
    decoder: Annotated[list[MeanNorm], Some]


class Entropy(BaseModel):
    entropy: Score
    uniform: Score


class Probes(BaseModel):
    recall_by_lag: list[ScoredBucket] | None
    gradient_norm: Annotated[list[GradientBucket], Some]
    state_norm: StateNorms
    attention_entropy: Entropy | None


class Alignment(BaseModel):
    error_rate: float
    entropy: float
    entropy_uniform: float
    diagonal_error_rate: float
    same_word_error_rate: float
    baseline: Literal["diagonal", "same_word"]


class DecodingCost(BaseModel):
    decode_seconds: float
    decode_sentences_per_second: float
    scoring_by_length: Annotated[list[TimedBucket], Some]
    decoding_by_length: Annotated[list[TimedBucket], Some]
    activations_by_length: Annotated[list[ActivationBucket], Some]


class Gap(BaseModel):
    train_perplexity: Score
    validation_perplexity: Score
    test_perplexity: Score


class Training(BaseModel):
    """Which training was scored."""

    fingerprint: str
    code: str | None


class Task(BaseModel):
    headline_metric: str
    lead_words: int


class ScoringSettings(BaseModel):
    """What an evaluation was asked for."""

    task: Task
    data: dict[str, Any]
    decoding: dict[str, Any]
    evaluation: dict[str, Any]


class ItemScores(BaseModel, extra="allow"):
    """What was scored on some items, by metric, and the number of these."""

    __pydantic_extra__: dict[str, Score]
    n_rows: Count


class ShiftedScores(ItemScores):
    intervals: dict[str, Interval]
    base: ItemScores | None


class Scores(BaseModel):
    """test/scores.json."""

    training: Training
    settings: ScoringSettings
    test: dict[str, Score]
    intervals: dict[str, Interval]
    shifted: dict[str, ShiftedScores] = {}
    signatures: dict[str, str]
    by_length: list[ScoredBucket]
    alignment: Alignment | None
    probes: Probes
    cost: DecodingCost
    gap: Gap


class AttentionMap(BaseModel):
    """An entry of test/attention.json."""

    row: int
    kind: str
    source_tokens: list[str]
    target_tokens: list[str]
    weights: list[list[float]]  # (T, S)

    @model_validator(mode="after")
    def is_of_its_tokens(self) -> AttentionMap:
        shape = [len(self.source_tokens)] * len(self.target_tokens)
        if not shape or [len(row) for row in self.weights] != shape:
            raise ValueError("the weights do not fit the tokens")
        return self


class CorpusSide(BaseModel):
    words: Count
    vocabulary: Count
    seen_once: Count


class UnseenShare(BaseModel):
    source: float
    target: float


class CorpusStatistics(BaseModel):
    """What is told of a generated corpus."""

    source: CorpusSide
    target: CorpusSide
    templates: Count
    test_words_unseen: UnseenShare
    test_templates_unseen: float


class Provenance(BaseModel):
    """data/raw/<task>/provenance.json."""

    data: str
    kind: str
    statistics: CorpusStatistics | None = None


class SplitRows(BaseModel, extra="allow"):
    """Rows of a split, by what became of them."""

    __pydantic_extra__: dict[str, int]
    kept: Count


class Splits(BaseModel, extra="allow"):
    __pydantic_extra__: dict[str, SplitRows]
    train: SplitRows


class PreparedReport(BaseModel):
    """data/prepared/<task>/report.json."""

    splits: Splits
    vocabulary: dict[str, Any]
    lengths: dict[str, dict[str, dict[str, float]]]


class ShiftedReport(BaseModel):
    """data/shifted/<task>/report.json."""

    splits: dict[str, dict[str, int]]


def read_json(path: Path, form: Any, remedy: str | None = None) -> Any:
    """The plain content of a file of the type `form`. Raises `UserError` where it is missing or of another."""
    return _parsed(_text(path, remedy), form, str(path), remedy or REMEDY)


def read_json_lines(path: Path, form: Any) -> list[dict[str, Any]]:
    """As `read_json`, of every line."""
    rows = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            rows.append(_parsed(line, form, f"{path}, line {number}", REMEDY))
    if not rows:
        raise UserError("the file is empty", str(path), REMEDY)
    return rows


def read_yaml(path: Path, form: Any) -> dict[str, Any]:
    """As `read_json`, of YAML."""
    try:
        text = json.dumps(yaml.safe_load(_text(path)))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise UserError(f"not plain YAML: {' '.join(str(error).split())}", str(path), REMEDY) from None
    return dict(_parsed(text, form, str(path), REMEDY))


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of train/history.csv, one an epoch."""
    try:
        with _readable(path):
            rows = read_table(path)
    except (TypeError, ValueError, csv.Error) as error:
        raise UserError(f"not a table of numbers: {error}", str(path), REMEDY) from None
    absent = [column for column in EPOCH_COLUMNS if column not in (rows[0] if rows else ())]
    if absent or not all(math.isfinite(row["epoch"]) for row in rows):
        raise UserError(f"no {absent[0] if absent else 'epoch'}", str(path), REMEDY)
    return rows


def read_failure(path: Path) -> Failure:
    """train/failure.json, in the place of all else."""
    try:
        with _readable(path):
            return Failure.read(path)
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(f"does not say why the training stopped: {error!r}", str(path), REMEDY) from None


def _parsed(text: str, form: Any, where: str, remedy: str) -> Any:
    try:
        _adapter(form).validate_json(text, strict=True)
        return json.loads(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise UserError(f"{key}: {first['msg']}" if key else first["msg"], where, remedy) from None
    except ValueError as error:
        raise UserError(f"not valid JSON: {error}", where, remedy) from None


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _text(path: Path, remedy: str | None = None) -> str:
    with _readable(path, remedy):
        return path.read_text(encoding="utf-8")


@contextmanager
def _readable(path: Path, remedy: str | None = None) -> Iterator[None]:
    """Raise `UserError` where the block cannot read the text of `path`."""
    remedy = remedy or REMEDY
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("its file is missing", str(path), remedy) from None
    except UnicodeDecodeError:
        raise UserError("not UTF-8", str(path), remedy) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", str(path), remedy) from None
