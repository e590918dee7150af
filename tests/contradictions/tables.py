"""A row of a table: each cell is held against what the records say of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contradictions.cells import Bought, Cell, Lines, P, wrong
from contradictions.data_tables import FACTS, corpus_rows, fact_rows, length_rows, run_rows, signature_rows, split_rows
from contradictions.numbers import (
    METRICS,
    Record,
    comparison,
    has_diverged,
    judgement,
    mean,
    mean_score,
    overall,
    runs_of,
)
from contradictions.probes import probe_rows
from contradictions.who import reason

SCORES = METRICS | {"perplexity/word": "perplexity", "token accuracy": "token_accuracy"}
COSTS = {
    "parameters": "n_parameters",
    "training s": "train_seconds",
    "training CPU s": "cpu_seconds",
    "training tokens/s": "train_tokens_per_second",
    "peak memory MB": "peak_memory_mb",
    "decoding sentences/s": "decode_sentences_per_second",
}
PRICES = {"training, CPU seconds": "cpu_seconds", "parameters": "n_parameters"}  # and a speed, of which more is cheaper
SPEED = "decoding, sentences/s"
UNKNOWN = "no column of this table"


@dataclass(frozen=True)
class About:
    """What a table is about, as far as its caption and headings say, and the records."""

    columns: Sequence[str]
    caption: str
    results: Record
    claims: Record

    @property
    def tasks(self) -> list[str]:
        """The task of the caption, or all."""
        named = self.caption.partition(":")[0]
        return [named] if named in self.results["tasks"] else list(self.results["tasks"])

    @property
    def own_claims(self) -> list[Record]:
        """The claim of the caption, or all."""
        all_claims: list[Record] = self.claims["claims"]
        return [claim for claim in all_claims if claim["id"] == self.caption.partition(":")[0]] or all_claims

    @property
    def percent(self) -> str:
        return f"{100 * self.results['bootstrap']['confidence']:g} % interval"

    def places(self, cells: Mapping[str, Cell]) -> list[Cell]:
        """These cells as the headings have them."""
        return [cells.get(column, UNKNOWN) for column in self.columns]


def of_row(columns: Sequence[str], row: Sequence[str], caption: str, results: Record, claims: Record) -> Iterator[str]:
    """What a row says against the numbers; nothing of a table that the report has not, as one of a sample."""
    about = About(columns, caption, results, claims)
    rows = _kind(columns, caption)
    if rows is None:
        return
    candidates = rows(about, row)
    found = wrong(columns, row, candidates)
    yield from found
    if rows is _headlines and not found:
        yield from _seeds(about, row)
    if rows is _overviews and not found:
        for claim in _named_claims(about, row):
            if claim["effect"] or claim["missing"]:
                yield from reason(row[-1], claim)


Rows = Callable[[About, Sequence[str]], list[list[Cell]]]


def _kind(columns: Sequence[str], caption: str) -> Rows | None:
    """What tells which rows a table of these headings may have."""
    first = list(columns)
    kinds: list[tuple[bool, Rows]] = [
        ("better?" in first or (len(first) == 2 and first[0] == "arm" and first[1] in METRICS), _headlines),
        (first[:2] == ["claim", "verdict"], _overviews),
        ("arm" in first and bool({"verdict", "quantity", "effect is"} & {*first}), _claim_rows),
        (first[:2] == ["system", "cell"], _scores),
        (first[:3] == ["set", "arm", "rows"], _shifted),
        (first[:2] == ["arms", "metric"], _comparisons),
        (first[0] == "arm" and any("(n = " in column for column in first), _lengths),
        ("learning rate" in first, _costs),
        (first[0] == "price", _frontiers),
        (
            any(column.startswith("gradient") for column in first),
            lambda about, row: probe_rows(about.columns, _runs(about, row[0])),
        ),
        (first == ["task", "arm", "seed", "state", "reason"], _incomplete),
        (first[0] == "split", lambda about, row: split_rows(about.columns, row[0], _records(about))),
        (caption.endswith(": lengths"), lambda about, row: length_rows(about.columns, row[0], _records(about))),
        ("different words" in first, lambda about, row: corpus_rows(row[0], _records(about))),
        (first == ["task", "metric", "signature"], lambda about, row: signature_rows(about.results, SCORES)),
        (first[:4] == ["task", "arm", "seed", "git commit"], lambda about, row: run_rows(about.results)),
        (
            first == ["", ""] and caption.rpartition(": ")[2] in FACTS,
            lambda about, row: fact_rows(about.caption.rpartition(": ")[2], about.results, _records(about)),
        ),
    ]
    return next((rows for is_so, rows in kinds if is_so), None)


def _records(about: About) -> list[Record]:
    return [about.results["tasks"][task] for task in about.tasks]


def _runs(about: About, arm: str) -> list[tuple[str, list[Record]]]:
    """The runs of an arm on each task that the table may be about."""
    return [(arm, runs) for task in about.tasks if (runs := runs_of(about.results, task, arm))]


# The answer.


def _headlines(about: About, row: Sequence[str]) -> list[list[Cell]]:
    return [
        about.places(_headline(about, task, row[0], METRICS.get(about.columns[1], "")))
        for task in about.tasks
        if row[0] in about.results["tasks"][task]["models"]
        and METRICS.get(about.columns[1]) == about.results["tasks"][task]["headline_metric"]
    ]


def _compared(about: About, task: str, arm: str) -> Record | None:
    """The comparison of an arm with the one without attention; none where a training of the two diverged."""
    record = about.results["tasks"][task]
    baseline = record["baselines"].get(arm)
    if has_diverged(about.results, task, {arm, baseline}):
        return None
    return comparison(about.results, task, arm, baseline, record["headline_metric"])


def _headline(about: About, task: str, arm: str, metric: str) -> dict[str, Cell]:
    found = _compared(about, task, arm)
    own: dict[str, Cell] = {"arm": arm, about.columns[1]: mean_score(about.results, task, arm, metric, None)}
    if found is None:
        return own | dict.fromkeys(about.columns[2:], "–")
    judged = judgement(found, about.results, about.claims)
    return own | {
        "against": found["baseline"],
        "difference": found["difference"],
        f"minus {found['baseline']}": found["difference"],
        "better?": judged["verdict"],
        about.percent: (found["low"], found["high"]),
        "p (Holm)": P(judged["p_holm"]),
        "detects": found["detectable"],
        "difference over seeds": ", ".join(map(str, found["seeds"])),
    }


def _seeds(about: About, row: Sequence[str]) -> Iterator[str]:
    """Where no seeds are named, a difference is over all seeds of both arms."""
    compared = [_compared(about, task, row[0]) for task in about.tasks]
    over_all = [
        found is None
        or all(
            [run["seed"] for run in runs_of(about.results, found["task"], found[side])] == found["seeds"]
            for side in ("candidate", "baseline")
        )
        for found in compared
    ]
    if "difference over seeds" not in about.columns and not any(over_all):
        yield "the difference is over other seeds than the scores"


# The claims.


def _named_claims(about: About, row: Sequence[str]) -> list[Record]:
    """The claim whose number a row begins with, or none."""
    return [claim for claim in about.claims["claims"] if claim["id"] == re.split(r"\s", row[0])[0]]


def _overviews(about: About, row: Sequence[str]) -> list[list[Cell]]:
    return [about.places(_overview(about, claim, row)) for claim in _named_claims(about, row)]


def _overview(about: About, claim: Record, row: Sequence[str]) -> dict[str, Cell]:
    effect = claim["effect"] or {}
    return {
        "claim": f"{claim['id']}\n{claim['statement']}",
        "verdict": overall(claim["rows"]),
        "effect": effect.get("effect"),
        about.percent: (effect.get("low"), effect.get("high")),
        "p, corrected": P(effect.get("p_holm")),
        "effect is": _subject(effect, row[about.columns.index("effect is")]) if effect else "–",
        "seeds": ", ".join(map(str, claim["seeds"])) or "–",
        "data": ", ".join(map(_source, claim["data"])) or "–",
        about.columns[-1]: claim["reason"],
    }


def _subject(effect: Record, said: str) -> str:
    """Of what an effect is: the quantity, the arms and the task, and the level that it is held against, as shown."""
    against = "" if effect["against"] == effect["arm"] else f" against {effect['against']}"
    level = re.search(r"halfway( \([^)]*\))", said)
    if level and wrong(["level"], [level[1]], [[(effect["neutral"],)]]) == []:
        against += level[1]
    return f"{effect['quantity']}\n{effect['arm']}{against} on {effect['task']}"


def _source(record: Record) -> str:
    """A data set with the seed of its generator or the start of its revision."""
    seed, revision = record["generator_seed"], record["revision"]
    if seed is not None:
        return f"{record['data']} (seed {seed})"
    return f"{record['data']} ({str(revision)[:12]})" if revision else record["data"]


def _claim_rows(about: About, row: Sequence[str]) -> list[list[Cell]]:
    return [about.places(_claim_row(record)) for claim in about.own_claims for record in claim["rows"]]


def _claim_row(record: Record) -> dict[str, Cell]:
    return {
        **{key: record[key] for key in ("task", "arm", "against", "verdict", "effect")},
        "interval": (record["low"], record["high"]),
        "p": P(record["p_value"]),
        "p, corrected": P(record["p_holm"]),
        "detects": record["detectable"],
        "seeds": ", ".join(map(str, record["seeds"])) or "–",
        "effect is": record["quantity"],
        "notes": "; ".join(record["notes"]) or "–",
        "experiment": record["experiment"] or "–",
    }


# The scores.


def _scores(about: About, row: Sequence[str]) -> list[list[Cell]]:
    metrics = [SCORES[column] for column in about.columns[2:]]
    found: list[list[Cell]] = []
    for task, record in zip(about.tasks, _records(about), strict=True):
        untrained = {f"lead-{record['lead_words']}" if n == "lead" else n: s for n, s in record["untrained"].items()}
        if row[0] in untrained:
            found.append([row[0], "–", *(untrained[row[0]].get(metric) for metric in metrics)])
        for arm, runs in [(row[0], runs_of(about.results, task, row[0]))] if row[0] in record["models"] else []:
            found.append([arm, runs[0]["cell"], *(_spread(about.results, runs, metric) for metric in metrics)])
    return found


def _spread(results: Record, runs: Sequence[Record], metric: str) -> Cell:
    """The mean over seeds, their deviation, and below them the interval; of one seed that over items, if it has one."""
    values = [run["test"].get(metric) for run in runs]
    if None in values:
        return None
    if len(runs) == 1:
        over_items = runs[0]["intervals"].get(metric)
        return Lines([values[0], (over_items["low"], over_items["high"])]) if over_items else values[0]
    keys = {"task": runs[0]["task"], "model": runs[0]["model"], "metric": metric}
    record = next(record for record in results["scores"] if keys.items() <= record.items())
    spread = (float(np.mean(values)), float(np.std(values, ddof=1)))
    return Lines([spread, (record["low"], record["high"])])


def _lengths(about: About, row: Sequence[str]) -> list[list[Cell]]:
    found = []
    for task in about.tasks:
        own = [record for record in about.results["by_length"] if (record["task"], record["model"]) == (task, row[0])]
        cells: dict[str, Cell] = {
            f"{record['low']}–{record['high']} (n = {record['rows']})": Lines(
                [record["score"], (record["ci_low"], record["ci_high"])]
            )
            for record in own
        }
        found.append(about.places({"arm": row[0]} | cells))
    return found


def _shifted(about: About, row: Sequence[str]) -> list[list[Cell]]:
    found: list[list[Cell]] = []
    for _, runs in _runs(about, row[1]):
        own = [run["shifted"][row[0]] for run in runs if row[0] in run["shifted"]]
        metric = METRICS[about.columns[3]]
        cells = _fall(own, metric) if own else ["–"] * 7
        found.append([row[0], row[1], *cells])
    return found


def _fall(own: Sequence[Record], metric: str) -> list[Cell]:
    """Of one arm on one shifted set: its score, that on the rows it is held against, and what is lost."""
    values, first = [record[metric] for record in own], own[0]
    over_items = first.get("intervals", {}).get(metric)
    spread: Cell = (over_items["low"], over_items["high"]) if over_items else None
    if len(own) > 1:
        spread = float(np.std(values, ddof=1))
    head: list[Cell] = [first["n_rows"], float(np.mean(values)), spread]
    if first["base"] is None:
        return [*head, *[None] * 4]
    base = [record["base"][metric] for record in own]
    shares = [100 * (1 - value / before) for value, before in zip(values, base, strict=True) if before > 0]
    share = mean(shares) if len(shares) == len(own) else None
    return [*head, first["base"]["n_rows"], mean(base), float(np.mean(base) - np.mean(values)), share]


def _comparisons(about: About, row: Sequence[str]) -> list[list[Cell]]:
    pooled = re.search(r"pooled over seeds (.+)", about.caption)
    return [
        about.places(_test(about, record))
        for record in about.results["comparisons"]
        if record["task"] in about.tasks and (not pooled or pooled[1] == ", ".join(map(str, record["seeds"])))
    ]


def _test(about: About, record: Record) -> dict[str, Cell]:
    seeds = ", ".join(map(str, record["seeds"]))
    return {
        "arms": f"{record['candidate']} – {record['baseline']}",
        "metric": next(name for name, key in SCORES.items() if key == record["metric"]),
        "seed": seeds,
        "seeds": seeds,
        "difference": record["difference"],
        about.percent: (record["low"], record["high"]),
        "p (Holm, pairs)": P(record["p_holm"]),
        "p seeds, items": P(record["p_value"]),
        "p random.": P(record["p_randomisation"]),
        "p bootstr.": P(record["p_bootstrap"]),
        "d": record["cohens_dz"],
        "g": record["hedges_g"],
        "detects": record["detectable"],
    }


# The costs.


def _costs(about: About, row: Sequence[str]) -> list[list[Cell]]:
    return [about.places(_cost(arm, runs)) for arm, runs in _runs(about, row[0])]


def _cost(arm: str, runs: Sequence[Record]) -> dict[str, Cell]:
    means: dict[str, Cell] = {name: mean([run["cost"][key] for run in runs]) for name, key in COSTS.items()}
    return means | {
        "arm": arm,
        "learning rate": tuple(dict.fromkeys(run["learning_rate"] for run in runs)),
        "epochs": tuple(run["cost"]["epochs"] for run in runs),
        "validation loss flat": " / ".join(
            {True: "yes", False: "no"}.get(run["cost"]["flattened"], "–") for run in runs
        ),
    }


def _frontiers(about: About, row: Sequence[str]) -> list[list[Cell]]:
    return [[row[0], Bought(_unbeaten(about.results, task, row[0]))] for task in about.tasks]


def _unbeaten(results: Record, task: str, price: str) -> list[tuple[str, float, float]]:
    """The arms than which no other costs at most as much and scores at least as much and is better in one of the two,
    the cheapest first.
    """
    key = PRICES.get(price, "decode_sentences_per_second")
    arms = []
    for arm in results["tasks"][task]["models"]:
        runs = runs_of(results, task, arm)
        paid, score = (
            mean([run["cost"][key] for run in runs]),
            mean([run["test"].get(results["tasks"][task]["headline_metric"]) for run in runs]),
        )
        if paid is not None and score is not None:
            arms.append((arm, paid, score))
    sign = -1 if price == SPEED else 1
    points = [(sign * paid, -score) for _, paid, score in arms]
    unbeaten = [
        (point, arm)
        for point, arm in zip(points, arms, strict=True)
        if not any(other != point and other[0] <= point[0] and other[1] <= point[1] for other in points)
    ]
    return [arm for _, arm in sorted(unbeaten, key=lambda pair: pair[0])]


def _incomplete(about: About, row: Sequence[str]) -> list[list[Cell]]:
    return [
        [str(run[key]) for key in ("task", "model", "seed", "state", "reason")] for run in about.results["incomplete"]
    ]
