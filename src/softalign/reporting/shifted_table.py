"""The table of the shifted test sets: how far each arm falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from softalign.reporting.names import NAMES
from softalign.reporting.results import runs_of
from softalign.reporting.tables import NONE, Results, Table, if_alone, interval, number, score, seeds_of_task


def shifted_table(results: Results, task: str) -> Table | None:
    """The headline score of each arm on each shifted test set, beside that on the rows of the test set which the set is
    compared with; None where there is no shifted set.
    """
    record = results["tasks"][task]
    metric = record["headline_metric"]
    by_model = {model: runs_of(results, task, model) for model in record["models"]}
    names = list(dict.fromkeys(name for runs in by_model.values() for run in runs for name in run["shifted"]))
    if not names:
        return None
    rows = []
    for name in names:
        for model, runs in by_model.items():
            own = [run["shifted"][name] for run in runs if name in run["shifted"]]
            rows.append([name, model, *(_cells(own, metric) if own else [NONE] * 7)])
    columns = ["set", "arm", "rows", NAMES[metric], "interval", "test rows", "on these", "lost, points", "lost, %"]
    percent = f"{100 * results['bootstrap']['confidence']:g} %"
    caption = f"{task}: {NAMES[metric]} on shifted test sets, {seeds_of_task(results, task)}; "
    caption += (
        f"{percent} intervals over test items"
        if len(record["seeds"]) == 1
        else f"± standard deviation{if_alone(results, task)}"
    )
    return Table(caption, columns, rows, text_columns=2)


def _cells(own: Sequence[dict[str, Any]], metric: str) -> list[str]:
    """Of one arm on one set, a record for each seed."""
    values = [found[metric] for found in own]
    if len(own) > 1:
        spread = f"± {score(float(np.std(values, ddof=1)))}"
    else:
        spread = interval(own[0]["intervals"][metric]["low"], own[0]["intervals"][metric]["high"], signed=False)
    mean, first = float(np.mean(values)), own[0]
    if first["base"] is None:
        return [number(first["n_rows"]), score(mean), spread, *[NONE] * 4]
    base = float(np.mean([found["base"][metric] for found in own]))
    # As the claim has it: the mean of the seeds' shares.
    shares = [100 * (1 - found[metric] / found["base"][metric]) for found in own if found["base"][metric] > 0]
    share = float(np.mean(shares)) if len(shares) == len(own) else None
    return [
        number(first["n_rows"]),
        score(mean),
        spread,
        number(first["base"]["n_rows"]),
        score(base),
        score(base - mean, signed=True),
        score(share, signed=True),
    ]
