"""Shifted test sets: how an arm does on inputs that differ from those it was trained on.

Some come with the data (another source of text, noise); two are rows of the test set itself, which training was kept
from because they are shorter or longer than data.cleaning lets it see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softalign.config import CleaningConfig, Config
from softalign.data.cleaning import has_trained_length
from softalign.data.shifted import ShiftedSplit
from softalign.decoding import Hypothesis
from softalign.evaluation.arm import Arm
from softalign.evaluation.perplexity import word_perplexity
from softalign.evaluation.prediction import predict
from softalign.evaluation.records import prediction_records, write_json_lines
from softalign.evaluation.scores import ItemStatistics, corpus_scores, item_statistics, metrics_of
from softalign.evaluation.significance import bootstrap_intervals
from softalign.evaluation.split import Split, split_of
from softalign.evaluation.stored_items import PREDICTIONS, write_items
from softalign.evaluation.teacher_forcing import negative_log_likelihoods
from softalign.progress import progress

FOLDER = "shifted"  # in test/, with a folder for each set that was decoded
BY_LENGTH = SHORTER, LONGER = "shorter", "longer"  # than what training saw: rows of the test set, not decoded again

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class ScoredItems:
    """N items, what an arm wrote for each, and what of it is counted."""

    texts: Sequence[str]
    references: Sequence[Sequence[str]]
    target_words: Sequence[int]
    negative_log_likelihoods: NDArray[np.float64]  # (N,)
    statistics: Mapping[str, ItemStatistics]

    def select(self, rows: Rows) -> ScoredItems:
        """Some of the items alone."""
        return ScoredItems(
            [self.texts[row] for row in rows],
            [self.references[row] for row in rows],
            [self.target_words[row] for row in rows],
            self.negative_log_likelihoods[rows],
            {metric: items.select(rows) for metric, items in self.statistics.items()},
        )

    def scores(self, config: Config) -> dict[str, Any]:
        """Corpus scores in points of 100, perplexity per word, exact match (of embedded corpora), number of rows."""
        told = config.data.source.kind == "embedded" or "exact_match" in self.statistics
        exact = item_statistics(self.texts, self.references, ["exact_match"])["exact_match"]
        return {
            **corpus_scores(dict(self.statistics)),
            "perplexity": word_perplexity(self.negative_log_likelihoods.tolist(), self.target_words),
            "exact_match": exact.corpus_score() if told else None,
            "n_rows": len(self.texts),
        }

    def intervals(self, config: Config) -> dict[str, dict[str, float]]:
        """The bootstrap interval of each corpus score."""
        evaluation = config.evaluation
        resampling = evaluation.bootstrap_samples, evaluation.confidence, evaluation.bootstrap_seed
        found = bootstrap_intervals(list(self.statistics.values()), *resampling)
        return {
            metric: {"low": each.low, "high": each.high} for metric, each in zip(self.statistics, found, strict=True)
        }


@dataclass(frozen=True)
class Decoded:
    """A shifted test set that an arm has decoded."""

    name: str
    split: Split
    test_rows: list[int] | None  # of noise: the row of the test set that each row was made of
    hypotheses: list[Hypothesis]
    scored: ScoredItems


def decode_shifted(arm: Arm, shifted: Mapping[str, ShiftedSplit], config: Config, label: str) -> list[Decoded]:
    """Beam search over each shifted test set, once, and the likelihood of its targets."""
    return [_decode(arm, name, found, config, label) for name, found in shifted.items()]


def _decode(arm: Arm, name: str, shifted: ShiftedSplit, config: Config, label: str) -> Decoded:
    split = split_of(shifted.table)
    with progress(f"{label}: {name}", 2 * len(split), config.trainer.progress) as advance:
        hypotheses = predict(arm.searcher, split.rows, config.decoding, arm.device, advance).hypotheses
        texts = arm.tokenizers[1].decode_batch([hypothesis.tokens for hypothesis in hypotheses])
        values = negative_log_likelihoods(arm.model, split.rows, config.decoding.batch_size, arm.device, advance)
    statistics = item_statistics(texts, split.references, metrics_of(config.task.headline_metric))
    scored = ScoredItems(texts, split.references, split.target_words, values, statistics)
    return Decoded(name, split, shifted.test_rows, hypotheses, scored)


def shifted_scores(
    decoded: Sequence[Decoded], test: ScoredItems, source_words: Sequence[int], config: Config
) -> dict[str, dict[str, Any]]:
    """The scores of each shifted test set by its name, and of what each is to be compared with, its `base`.

    `base` are scores on rows of the test set: all of them; for noise the rows that it was made of; for `shorter` and
    `longer` those of the lengths that training saw. `source_words` (N,) are those of the N rows of the test set, whose
    `test` is.
    """
    records = {}
    for each in decoded:
        base = test if each.test_rows is None else test.select(np.array(each.test_rows, dtype=np.intp))
        records[each.name] = _record(each.scored, base, config)
    trained, others = rows_by_length(source_words, config.data.cleaning)
    for name, rows in others.items():
        records[name] = _record(test.select(rows), test.select(trained), config)
    return records


def _record(shifted: ScoredItems, base: ScoredItems, config: Config) -> dict[str, Any]:
    return {
        **shifted.scores(config),
        "intervals": shifted.intervals(config),
        "base": base.scores(config) if len(base.texts) else None,
    }


def rows_by_length(source_words: Sequence[int], config: CleaningConfig) -> tuple[Rows, dict[str, Rows]]:
    """The rows whose sources have a length that training saw; those `shorter` and those `longer`, where there are."""
    words = np.asarray(source_words)
    trained = np.array([has_trained_length(count, config) for count in source_words], dtype=bool)
    low = config.train_min_source_words or 0
    outside = {
        SHORTER: np.flatnonzero(~trained & (words < low)),
        LONGER: np.flatnonzero(~trained & (words >= low)),
    }
    return np.flatnonzero(trained), {name: rows for name, rows in outside.items() if len(rows)}


def write_shifted(folder: Path, decoded: Sequence[Decoded]) -> None:
    """Write shifted/<name>/ with predictions.jsonl and items.npz of each set, as those of the test set are.

    A prediction for noise has the field `test_row`: the row of the test set that its source was made of.
    """
    for each in decoded:
        own = folder / FOLDER / each.name
        own.mkdir(parents=True)
        values = each.scored.negative_log_likelihoods.tolist()
        records = prediction_records(each.split, each.scored.texts, each.hypotheses, values)
        if each.test_rows is not None:
            records = [record | {"test_row": row} for record, row in zip(records, each.test_rows, strict=True)]
        write_json_lines(own / PREDICTIONS, records)
        write_items(own, dict(each.scored.statistics))
