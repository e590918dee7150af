"""Per-item statistics on disk, so that a comparison need not count every n-gram once more."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from softalign.evaluation.scores import SCORES, ItemStatistics

FILE = "items.npz"
PREDICTIONS = "predictions.jsonl"


def write_items(folder: Path, statistics: dict[str, ItemStatistics]) -> None:
    """Write items.npz beside the predictions.jsonl that the statistics are of. The same content gives the same bytes.

    Of each metric the values (N, K) and the signature; of predictions.jsonl its SHA-256.
    """
    arrays = {metric: items.values for metric, items in statistics.items()}
    signatures = {f"{metric} signature": np.array(items.signature) for metric, items in statistics.items()}
    np.savez(folder / FILE, predictions=np.array(_digest(folder)), **arrays, **signatures)  # type: ignore[arg-type]


def read_items(folder: Path, rows: int) -> dict[str, ItemStatistics] | None:
    """The statistics of the stored metrics for `rows` items; None where there are none of this predictions.jsonl."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as stored:
            if str(stored["predictions"]) != _digest(folder):
                return None
            found = {
                metric: ItemStatistics(stored[metric], SCORES[metric], str(stored[f"{metric} signature"]))
                for metric in SCORES
                if metric in stored
            }
    except Exception:  # absent, of another version, or damaged: NumPy and zipfile raise what they like then
        return None
    is_whole = all(items.values.ndim == 2 and len(items) == rows for items in found.values())
    return found if found and is_whole else None


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / PREDICTIONS).read_bytes()).hexdigest()
