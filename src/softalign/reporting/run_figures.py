"""The figures of one run, for its folder and for MLflow: loss curves, quality by length, attention maps."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from softalign.config import Config
from softalign.reporting import figures


def write_run_figures(run: Path, config: Config) -> None:
    """Draw what train/ and test/ of `run` hold into test/figures/*.png."""
    arm: dict[str, Any] = {"model": config.model.name, "seed": config.seed}
    with (run / "train" / "history.csv").open(encoding="utf-8", newline="") as lines:
        epochs = [arm | {key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]
    scores = json.loads((run / "test" / "scores.json").read_text(encoding="utf-8"))
    drawn = {"loss-curves": figures.loss_curves(epochs)}
    if scores["by_length"]:
        buckets = [arm | bucket for bucket in scores["by_length"]]
        drawn["quality-by-length"] = figures.quality_by_length(buckets, config.evaluation.confidence)
    for entry in json.loads((run / "test" / "attention.json").read_text(encoding="utf-8")):
        drawn[f"attention-{entry['row']}"] = figures.attention_heat_map(
            entry["weights"], entry["source_tokens"], entry["target_tokens"]
        )
    folder = run / "test" / "figures"
    folder.mkdir(exist_ok=True)
    for name, figure in drawn.items():
        (folder / f"{name}.png").write_bytes(figures.to_png(figure))
