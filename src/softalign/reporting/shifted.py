"""What evaluation left of shifted test sets: read back, and the loss of each arm from the test set to each of them.

S seeds, R resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from softalign.config import CleaningConfig, EvaluationConfig
from softalign.errors import UserError
from softalign.evaluation.scores import ItemStatistics, item_statistics
from softalign.evaluation.shifted import BY_LENGTH, FOLDER, Rows, rows_by_length
from softalign.evaluation.significance import resampled_scores
from softalign.evaluation.stored_items import PREDICTIONS, read_items
from softalign.reporting.estimates import Replicates

if TYPE_CHECKING:
    from softalign.reporting.comparisons import Scored


@dataclass(frozen=True)
class ShiftedSet:
    """A shifted test set as one run was scored on it.

    Its items are predictions of its own or some rows of the test set. `base` are the rows of the test set that it is
    compared with: None for all of them.
    """

    predictions: list[dict[str, Any]] | None
    stored: dict[str, ItemStatistics] | None  # of the predictions; None where they are to be counted again
    rows: Rows | None
    base: Rows | None

    @property
    def is_paired(self) -> bool:
        """Whether item n was made of item n of the base."""
        return self.predictions is not None and self.base is not None

    @property
    def identity(self) -> list[Any]:
        """What two runs must have in common to be compared."""
        if self.predictions is None:
            return [] if self.rows is None else self.rows.tolist()
        return [(item["source"], item["references"]) for item in self.predictions]

    def statistics(self, test: ItemStatistics, metric: str) -> tuple[ItemStatistics, ItemStatistics]:
        """Those of the base and of the shifted items, given those of the test set."""
        base = test if self.base is None else test.select(self.base)
        if self.rows is not None:
            return base, test.select(self.rows)
        if self.stored is not None:
            return base, self.stored[metric]
        items = self.predictions or []
        texts, references = [item["prediction"] for item in items], [item["references"] for item in items]
        return base, item_statistics(texts, references, [metric])[metric]


def read_shifted(
    test: Path,
    scores: dict[str, Any],
    config: dict[str, Any],
    predictions: list[dict[str, Any]],
    read: Callable[[Path], list[dict[str, Any]]],
) -> dict[str, ShiftedSet]:
    """The shifted sets that `scores` names, from the folder test/ of a run, its train/config.yaml and its predictions.

    `read` gives the records of a predictions.jsonl, and raises what is to be raised where it is missing or damaged.
    """
    found = {}
    for name in scores.get("shifted", {}):
        if name in BY_LENGTH:
            words = [int(item["source_words"]) for item in predictions]
            trained, others = rows_by_length(words, _cleaning(config))
            if name not in others:
                what = f"by its data.cleaning no source of the test set is {name} than those trained on"
                raise UserError(what, "train/config.yaml", "run dvc repro")
            found[name] = ShiftedSet(None, None, others[name], trained)
        else:
            folder = test / FOLDER / name
            items = read(folder / PREDICTIONS)
            made_of = [row for item in items if (row := item.get("test_row")) is not None]
            if made_of and max(made_of) >= len(predictions):
                raise UserError(f"test_row: there are {len(predictions)} test rows", str(folder), "run dvc repro")
            base = np.array(made_of, dtype=np.intp) if made_of else None
            found[name] = ShiftedSet(items, read_items(folder, len(items)), None, base)
    return found


def _cleaning(config: dict[str, Any]) -> CleaningConfig:
    try:
        return CleaningConfig(**config["data"]["cleaning"])
    except (KeyError, TypeError):
        raise UserError("data.cleaning is not that of this version", "train/config.yaml", "run dvc repro") from None


@dataclass(frozen=True)
class Losses:
    """An arm on a shifted set, for each seed and resample, in points of 100."""

    score: Replicates  # on the set
    points: Replicates  # lost from the set's base to the set
    share: Replicates  # the same in per cent of the score on the base; nan where that is 0


def losses(scored: Scored, model: str, name: str, metric: str, evaluation: EvaluationConfig) -> Losses:
    """What an arm loses of its score from the base of the set `name` to the set itself.

    Items of both are resampled, the same ones for every arm: together where each was made of one of the base, else
    independently.
    """
    base, shifted = [], []
    is_paired = False
    for run in scored.runs.of(model):
        own = run.shifted[name]
        is_paired = own.is_paired
        one, other = own.statistics(scored.items[model, run.seed][metric], metric)
        base.append(one)
        shifted.append(other)
    samples, seed = evaluation.bootstrap_samples, evaluation.bootstrap_seed
    before = Replicates(_points(base), resampled_scores(base, samples, seed))
    after = Replicates(_points(shifted), resampled_scores(shifted, samples, seed if is_paired else seed + 1))
    points = Replicates(before.points - after.points, before.resampled - after.resampled)
    share = Replicates(_share(points.points, before.points), _share(points.resampled, before.resampled))
    return Losses(after, points, share)


def _points(statistics: list[ItemStatistics]) -> np.ndarray:
    return np.array([items.corpus_score() for items in statistics])


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return 100 * np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
