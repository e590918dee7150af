"""What the records say of a mean, a comparison and a judgement, and whether a text shows a number."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

Record = dict[str, Any]
NUMBER = r"[+−]?[\d,]*\.?\d+(?:e[+−-]?\d+)?"
METRICS = {
    "BLEU": "bleu",
    "chrF": "chrf",
    "ROUGE-1": "rouge1",
    "ROUGE-2": "rouge2",
    "ROUGE-L": "rougeL",
    "exact match": "exact_match",
}
CLAIM_OF = {"bleu": "C1", "rougeL": "C2"}
LEAST = 1.0  # point of a headline score: where neither arm scores as much, nothing is decided


def judgement(compared: Record, results: Record, claims: Record) -> Record:
    """Whether an arm is better: what the claim about the score says, with its correction; where no claim is, what the
    comparison's own numbers do. `family` is how many p-values are corrected together.
    """
    pair = (compared["task"], compared["candidate"], compared["baseline"])
    for claim in claims["claims"]:
        for row in claim["rows"]:
            if claim["id"] == CLAIM_OF.get(compared["metric"]) and (row["task"], row["arm"], row["against"]) == pair:
                family = sum(other["p_value"] is not None for other in claim["rows"])
                return {key: row[key] for key in ("verdict", "p_holm", "open_because")} | {"family": family}
    task, metric, seeds, family = (compared[key] for key in ("task", "metric", "seeds", "family"))
    if not has_learned([mean_score(results, task, arm, metric, seeds) for arm in pair[1:]]):
        name = next(name for name, key in METRICS.items() if key == metric)
        because = f"both score below {LEAST:g} {name}"
        return {"verdict": "not decided", "p_holm": None, "open_because": because, "family": family}
    low, high, p = compared["low"], compared["high"], compared["p_holm"]
    is_sure = p is not None and p < 1 - results["bootstrap"]["confidence"] and low is not None and low * high > 0
    verdict = ("supported" if low > 0 else "refuted") if is_sure else "not decided"
    return {"verdict": verdict, "p_holm": p, "open_because": "", "family": family}


def has_learned(scores: list[float]) -> bool:
    """Whether one of the arms scores enough for a verdict."""
    return max(scores) >= LEAST


def comparison(results: Record, task: str, arm: str, against: str | None, metric: str | None) -> Record | None:
    """The comparison over most seeds."""
    found = [
        record
        for record in results["comparisons"]
        if (record["task"], record["candidate"], record["baseline"], record["metric"]) == (task, arm, against, metric)
    ]
    return max(found, key=lambda record: len(record["seeds"]), default=None)


def runs_of(results: Record, task: str, arm: str) -> list[Record]:
    return [run for run in results["runs"] if (run["task"], run["model"]) == (task, arm)]


def mean(values: list[float | None]) -> float | None:
    """The mean; None where a seed has none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def mean_score(results: Record, task: str, arm: str, metric: str, seeds: list[int] | None) -> float:
    return float(
        np.mean([run["test"][metric] for run in runs_of(results, task, arm) if seeds is None or run["seed"] in seeds])
    )


def diverged_seeds(results: Record, task: str, arm: str | None) -> list[int]:
    """The seeds with which trainings of an arm diverged."""
    return [
        run["seed"]
        for run in results["incomplete"]
        if (run["task"], run["model"], run["state"]) == (task, arm, "diverged")
    ]


def has_diverged(results: Record, task: str, arms: set[str]) -> bool:
    return any(diverged_seeds(results, task, arm) for arm in arms)


def overall(rows: list[Record]) -> str:
    """The verdict of a claim by its rows."""
    found = [row["verdict"] for row in rows if row["applies"]]
    if any(row["missing"] for row in rows) or not found:
        return "not decided"
    if all(verdict == "supported" for verdict in found):
        return "supported"
    return "refuted" if "refuted" in found and "supported" not in found else "not decided"


def value_of(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def shows(text: str, value: float | None) -> bool:
    """Whether `text` is `value` to the digits that it shows."""
    if value is None or not re.fullmatch(NUMBER, text):
        return value is None and text == "–"
    digits, _, power = text.partition("e")
    unit = 10.0 ** (int(power.replace("−", "-") or 0) - len(digits.partition(".")[2]))
    return abs(value_of(text) - value) <= 0.5 * unit + 1e-9


def shows_p(text: str, p: float | None) -> bool:
    """The same of a p-value, of which a small one is shown as a bound."""
    if text.startswith("<"):
        return text == "< 0.001" and p is not None and p < 0.001
    return shows(text.removeprefix("= "), p)
