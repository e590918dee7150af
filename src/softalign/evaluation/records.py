"""The files of a test/ folder: predictions.jsonl, scores.json, attention.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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

    `log_probability`: nats, of the prediction; `negative_log_likelihood`: nats, of the target, teacher-forced; `links`:
    `AlignmentScore.counts` of the row, where it has any.
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
    path.write_text(json.dumps(_finite(content), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_json_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write one record a line, each as `write_json` does."""
    lines = [json.dumps(_finite(record), ensure_ascii=False) + "\n" for record in records]
    path.write_text("".join(lines), encoding="utf-8")


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
