"""The probes of a task in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from softalign.reporting.results import runs_of
from softalign.reporting.tables import Results, Table, number

COLUMNS = (
    *("recall, shortest lags", "longest"),
    *("gradient, shortest lags", "longest", "ratio"),
    *("encoder norm, first", "last", "decoder norm, first", "last"),
    *("attention entropy", "uniform"),
    *("alignment error rate, %", "of the better baseline"),
)


def probe_table(results: Results, task: str) -> Table:
    """A row for each arm, mean over seeds: each probe at its two ends, and the alignment against the gold one. What no
    run of the task has is left out.

    Lags are those of the first and the last bucket, states those of the first and the last position that at least half
    of the rows have.
    """
    models = results["tasks"][task]["models"]
    found = {model: [_ends(run) for run in runs_of(results, task, model)] for model in models}
    runs = [ends for seeds in found.values() for ends in seeds]
    shown = [place for place in range(len(COLUMNS)) if any(ends[place] is not None for ends in runs)]
    rows = [
        [model, *(number(_mean([ends[place] for ends in seeds])) for place in shown)] for model, seeds in found.items()
    ]
    return Table(f"{task}: probes", ["arm", *(COLUMNS[place] for place in shown)], rows)


def _ends(run: dict[str, Any]) -> list[float | None]:
    """The cells of one run, in the order of COLUMNS."""
    probes = run["probes"]
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
        *_alignment(run["alignment"]),
    ]


def _alignment(found: dict[str, Any] | None) -> tuple[float | None, float | None]:
    if found is None:
        return None, None
    return 100 * found["error_rate"], 100 * min(found["diagonal_error_rate"], found["same_word_error_rate"])


def _steady(records: Sequence[dict[str, Any]]) -> list[float]:
    """The norms at the positions that at least half of the rows have."""
    most = max(record["states"] for record in records)
    return [record["norm"] for record in records if 2 * record["states"] >= most]


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean; None where a seed has none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
