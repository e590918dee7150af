"""The probes of an arm, as a table shows them: each at its two ends."""

from __future__ import annotations

from collections.abc import Sequence

from contradictions.cells import Cell
from contradictions.numbers import Record, mean


def probe_rows(columns: Sequence[str], found: Sequence[tuple[str, Sequence[Record]]]) -> list[list[Cell]]:
    """An arm's row on each of its tasks, means over seeds."""
    names = _named(columns)
    return [
        [
            arm,
            *(mean([_probe(run).get(name) for run in runs]) for name in names[1:]),
        ]  # a heading that no probe has: none
        for arm, runs in found
    ]


def _named(columns: Sequence[str]) -> list[str]:
    """The headings, each with what it is an end of: "longest" stands after more than one."""
    names, whole = [], ""
    for column in columns:
        whole = column.partition(",")[0] if "," in column else whole
        names.append(f"{whole}, {column}" if column in ("longest", "ratio", "last") else column)
    return names


def _probe(run: Record) -> dict[str, float | None]:
    probes, alignment = run["probes"], run["alignment"]
    recall = probes["recall_by_lag"] or [{"score": None}]
    near, far = (probes["gradient_norm"][place]["relative"] for place in (0, -1))
    entropy = probes["attention_entropy"] or {}
    encoder, decoder = (_steady(probes["state_norm"][side]) for side in ("encoder", "decoder"))
    aligned = {}
    if alignment is not None:
        baseline = min(alignment["diagonal_error_rate"], alignment["same_word_error_rate"])
        aligned = {
            "alignment error rate, %": 100 * alignment["error_rate"],
            "of the better baseline": 100 * baseline,
        }
    return {
        "recall, shortest lags": recall[0]["score"],
        "recall, longest": recall[-1]["score"],
        "gradient, shortest lags": near,
        "gradient, longest": far,
        "gradient, ratio": far / near if near and far is not None else None,
        "encoder norm, first": encoder[0],
        "encoder norm, last": encoder[-1],
        "decoder norm, first": decoder[0],
        "decoder norm, last": decoder[-1],
        "attention entropy": entropy.get("entropy"),
        "uniform": entropy.get("uniform"),
        **aligned,
    }


def _steady(records: Sequence[Record]) -> list[float]:
    """The norms at the positions that at least half of the rows have."""
    most = max(record["states"] for record in records)
    return [record["norm"] for record in records if 2 * record["states"] >= most]
