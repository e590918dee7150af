"""The figures of one run, for MLflow: loss curves, quality by length, attention maps."""

from __future__ import annotations

import json
from typing import Any

from softalign.reporting import figures
from softalign.training.run_record import RunRecord


def run_figures(record: RunRecord) -> dict[str, bytes]:
    """PNG files by name, of what train/ and test/ of a run hold; those of test/ where it has been evaluated."""
    arm: dict[str, Any] = {"model": record.identity.model, "seed": record.identity.seed}
    drawn = {"loss-curves": figures.loss_curves([arm | epoch for epoch in record.history])}
    if record.scores is not None:
        if record.scores["by_length"]:
            buckets = [arm | bucket for bucket in record.scores["by_length"]]
            confidence = record.scores["settings"]["evaluation"]["confidence"]
            drawn["quality-by-length"] = figures.quality_by_length(buckets, confidence)
        for entry in json.loads((record.folder / "test" / "attention.json").read_text(encoding="utf-8")):
            drawn[f"attention-{entry['row']}"] = figures.attention_heat_map(
                entry["weights"], entry["source_tokens"], entry["target_tokens"]
            )
    return {f"{name}.png": figures.to_png(figure) for name, figure in drawn.items()}
