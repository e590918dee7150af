"""What evaluation left of shifted test sets, read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from softalign.config import CleaningConfig
from softalign.errors import UserError
from softalign.evaluation.scores import ItemStatistics, item_statistics
from softalign.evaluation.shifted import BY_LENGTH, FOLDER, Rows, rows_by_length
from softalign.evaluation.stored_items import PREDICTIONS, read_items


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
