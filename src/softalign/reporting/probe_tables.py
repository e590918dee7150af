"""The probes of a task in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from softalign.reporting.results import runs_of
from softalign.reporting.tables import NONE, Results, Table, number, score

Probes = dict[str, Any]


def probe_table(results: Results, task: str) -> Table:
    """A row for each arm, mean over seeds: each probe at its two ends.

    Lags are those of the first and the last bucket, states those of the first and the last position that at least half
    of the rows have.
    """
    rows = []
    for model in results["tasks"][task]["models"]:
        probes = [run["probes"] for run in runs_of(results, task, model)]

        def mean(value: Callable[[Probes], float | None], probes: Sequence[Probes] = probes) -> float | None:
            values = [value(found) for found in probes]
            return None if any(one is None for one in values) else float(np.mean([one for one in values if one is not None]))

        near, far = (mean(lambda found, end=end: found["gradient_norm"][end]["relative"]) for end in (0, -1))
        row = [model]
        if probes[0]["recall_by_lag"]:
            row += [score(mean(lambda found, end=end: found["recall_by_lag"][end]["score"])) for end in (0, -1)]
        row += [number(near), number(far), number(far / near) if near and far is not None else NONE]
        for side in ("encoder", "decoder"):
            row += [number(mean(lambda found, side=side, end=end: _norm(found["state_norm"][side], end))) for end in (0, -1)]
        entropy = [
            mean(lambda found, key=key: (found["attention_entropy"] or {}).get(key)) for key in ("entropy", "uniform")
        ]
        rows.append([*row, *[number(value) for value in entropy]])
    columns = ["arm"]
    if results["runs"] and any(run["probes"]["recall_by_lag"] for run in results["runs"] if run["task"] == task):
        columns += ["recall, shortest lags", "longest"]
    columns += ["gradient, shortest lags", "longest", "ratio"]
    columns += ["encoder norm, first", "last", "decoder norm, first", "last", "attention entropy", "uniform"]
    return Table(f"{task}: probes", columns, rows)


def _norm(records: Sequence[dict[str, Any]], end: int) -> float:
    """The norm at one end of the positions that at least half of the rows have."""
    most = max(record["rows"] for record in records)
    return float([record["norm"] for record in records if 2 * record["rows"] >= most][end])
