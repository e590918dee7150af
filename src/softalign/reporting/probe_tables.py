"""The probes of a task in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from softalign.reporting.results import runs_of
from softalign.reporting.tables import Results, Table, number

RECALL = ("recall, shortest lags", "longest")
OTHERS = (
    *("gradient, shortest lags", "longest", "ratio"),
    *("encoder norm, first", "last", "decoder norm, first", "last"),
    *("attention entropy", "uniform"),
)


def probe_table(results: Results, task: str) -> Table:
    """A row for each arm, mean over seeds: each probe at its two ends.

    Lags are those of the first and the last bucket, states those of the first and the last position that at least half
    of the rows have.
    """
    models = results["tasks"][task]["models"]
    found = {model: [_ends(run["probes"]) for run in runs_of(results, task, model)] for model in models}
    recalls = any(ends[0] is not None for seeds in found.values() for ends in seeds)
    rows = []
    for model, seeds in found.items():
        cells = [number(_mean(column)) for column in zip(*seeds, strict=True)]
        rows.append([model, *(cells if recalls else cells[len(RECALL) :])])
    columns = ["arm", *(RECALL if recalls else ()), *OTHERS]
    return Table(f"{task}: probes", columns, rows)


def _ends(probes: dict[str, Any]) -> list[float | None]:
    """The cells of one run, in the order of RECALL and OTHERS."""
    recall = probes["recall_by_lag"] or [{"score": None}]
    gradient = probes["gradient_norm"]
    near, far = gradient[0]["relative"], gradient[-1]["relative"]
    entropy = probes["attention_entropy"] or {"entropy": None, "uniform": None}
    norms = [_steady(probes["state_norm"][side]) for side in ("encoder", "decoder")]
    return [
        *(recall[0]["score"], recall[-1]["score"]),
        *(near, far, far / near if near and far is not None else None),
        *(norm for own in norms for norm in (own[0], own[-1])),
        *(entropy["entropy"], entropy["uniform"]),
    ]


def _steady(records: Sequence[dict[str, Any]]) -> list[float]:
    """The norms at the positions that at least half of the rows have."""
    most = max(record["rows"] for record in records)
    return [record["norm"] for record in records if 2 * record["rows"] >= most]


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean; None where a seed has none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
