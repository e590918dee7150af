"""The files of a test/ folder: predictions.jsonl, scores.json, attention.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softalign.decoding import Hypothesis
from softalign.evaluation.alignment import Counts
from softalign.evaluation.split import Split


def prediction_records(
    test: Split,
    predictions: Sequence[str],
    hypotheses: Sequence[Hypothesis],
    negative_log_likelihoods: Sequence[float],
    links: Mapping[int, dict[str, Counts]] | None = None,
) -> list[dict[str, Any]]:
    """One record for each test row, in test order.

    `log_probability`: nats, of the prediction, in the precision that it was searched in; `negative_log_likelihood`:
    nats, of the target, teacher-forced in fp32; `links`: `AlignmentScore.counts` of the row, where it has any.
    """
    return [
        {
            "row": row,
            "source": test.source[row],
            "target": test.target[row],
            "references": test.references[row],
            "prediction": predictions[row],
            "log_probability": hypotheses[row].log_probability,
            "negative_log_likelihood": float(negative_log_likelihoods[row]),
            "source_words": source_words,
            "target_words": target_words,
        }
        | ({"links": links[row]} if links and row in links else {})
        for row, (source_words, target_words) in enumerate(zip(test.source_words, test.target_words, strict=True))
    ]


def write_json(path: Path, content: Any) -> None:
    """Write plain containers as JSON. A number that JSON lacks (nan, inf) becomes null."""
    path.write_text(json.dumps(finite(content), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_json_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write one record a line, each as `write_json` does."""
    lines = [json.dumps(finite(record), ensure_ascii=False) + "\n" for record in records]
    path.write_text("".join(lines), encoding="utf-8")


def finite(value: Any) -> Any:
    """`value` with None in place of every float that JSON cannot hold."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
