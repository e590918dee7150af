"""The report's tables, from the records of results.json. Every cell is text, ready for Markdown, HTML or a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from softalign.reporting.arm_scores import SCORES
from softalign.reporting.claims.floor import unlearned
from softalign.reporting.claims.verdicts import NOT_DECIDED, by_interval
from softalign.reporting.comparisons import POOLED, decisive
from softalign.reporting.estimates import Estimate
from softalign.reporting.frontier import PRICES, frontier
from softalign.reporting.names import NAMES
from softalign.reporting.results import mean_of, runs_of
from softalign.reporting.runs import DIVERGED

Results = dict[str, Any]
NONE = "–"
HEADINGS = NAMES | {"perplexity": "perplexity/word"}
COSTS = {
    "n_parameters": "parameters",
    "train_seconds": "training s",
    "cpu_seconds": "training CPU s",
    "train_tokens_per_second": "training tokens/s",
    "peak_memory_mb": "peak memory MB",
    "decode_sentences_per_second": "decoding sentences/s",
}


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first `text_columns` hold names, the rest numbers."""

    caption: str
    columns: list[str]
    rows: list[list[str]]
    text_columns: int = 1


def number(value: float | int | None, signed: bool = False) -> str:
    """A number for a table: as many digits as mean something."""
    if value is None:
        return NONE
    size = abs(value)
    if not size:
        return "0"
    if size >= 1e9 and not isinstance(value, int):  # the perplexity of an arm that has come apart
        return _minus(f"{value:{'+' if signed else ''}.1e}")
    if size >= 1000 or isinstance(value, int):
        return _minus(f"{value:{'+' if signed else ''},.0f}")
    digits = 1 if size >= 10 else 2 if size >= 1 else 3
    return _minus(f"{value:{'+' if signed else ''}.{digits}f}")


def score(value: float | None, signed: bool = False) -> str:
    """A score in points: one decimal, but three where it would read as nothing, and four of next to nothing."""
    if value is None:
        return NONE
    digits = 1 if not value or abs(value) >= 0.05 else 3 if abs(value) >= 0.0005 else 4
    return _minus(f"{value:{'+' if signed else ''}.{digits}f}")


def _minus(text: str) -> str:
    """With a real minus sign, and without any sign before zero."""
    return text.lstrip("+-") if set(text) <= set("+-0.") else text.replace("-", "−")


def interval(low: float | None, high: float | None, signed: bool = True, text: Any = score) -> str:
    return NONE if low is None or high is None else f"{text(low, signed)} … {text(high, signed)}"


def effect(value: float | None) -> str:
    """An effect size: two decimals."""
    return NONE if value is None else _minus(f"{value:+.2f}")


def p_value(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def seed_list(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in seeds)


def seeds_named(seeds: Sequence[int], told: str = "mean over") -> str:
    """The seeds, and what is told of them where there are several."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{told} seeds {seed_list(seeds)}"


def seeds_of_task(results: Results, task: str, told: str = "mean over") -> str:
    """`seeds_named` of a task for a caption, and whether some arm has not all of them."""
    seeds = results["tasks"][task]["seeds"]
    arms = results["tasks"][task]["models"]
    complete = all(len(runs_of(results, task, arm)) == len(seeds) for arm in arms)
    return seeds_named(seeds, told) + ("" if complete else ", of each arm those that it has")


def detects(value: float | None, form: Callable[[float], str]) -> str:
    """The detectable difference."""
    return NONE if value is None else f"≥ {form(value)}"


def outcome(comparison: dict[str, Any], confidence: float) -> str:
    """Supported: the candidate is better, its whole interval above 0 and its corrected p-value below 1 - confidence.
    Refuted: it is worse, likewise. Otherwise not decided.
    """
    estimate = Estimate(comparison["difference"], comparison["low"], comparison["high"])
    significant = comparison["p_holm"] is not None and comparison["p_holm"] + confidence < 1
    return by_interval(estimate) if significant else NOT_DECIDED


def headline_table(results: Results, task: str) -> Table:
    """The answer: the headline score of each arm, and its difference from the arm without attention.

    An arm's score is the mean over all its seeds, a difference that over the seeds that both arms have: where runs are
    missing these may be fewer, and then a column names them.
    """
    record = results["tasks"][task]
    metric = record["headline_metric"]
    confidence = results["bootstrap"]["confidence"]
    pairs = {model: headline_comparison(results, task, model) for model in record["models"]}
    against = {found["baseline"] for found in pairs.values() if found is not None}
    rows = []
    for model, found in pairs.items():
        value = score(mean_of(runs_of(results, task, model), "test", metric))
        if found is None:
            rows.append([model, value, *[NONE] * 6])
        else:
            judged = judgement(results, task, model, found)
            rows.append(
                [
                    model,
                    value,
                    found["baseline"],
                    score(found["difference"], signed=True),
                    judged["verdict"],
                    interval(found["low"], found["high"]),
                    p_value(judged["p_holm"]),
                    detects(found["detectable"], score),
                ]
            )
    percent = f"{100 * confidence:g} %"
    columns = ["arm", NAMES[metric], "against", "difference", "better?", f"{percent} interval", "p (Holm)", "detects"]
    caption = f"{task}: {NAMES[metric]} on the test set"
    seeds = {model: [run["seed"] for run in runs_of(results, task, model)] for model in record["models"]}
    if any(
        seeds[arm] != found["seeds"]
        for found in pairs.values()
        if found
        for arm in (found["candidate"], found["baseline"])
    ):
        caption += f", {seeds_of_task(results, task)}"
        columns.append("difference over seeds")
        rows = [
            [*row, NONE if found is None else seed_list(found["seeds"])]
            for row, found in zip(rows, pairs.values(), strict=True)
        ]
    if len(against) < 2:  # one arm without attention: its name into the heading
        named = against or {name for arm in record["candidates"] if (name := record["baselines"][arm])}
        if not named:
            return Table(caption, columns[:2], [row[:2] for row in rows])
        columns[2:4] = [f"minus {' or '.join(sorted(named))}"]
        rows = [[*row[:2], *row[3:]] for row in rows]
    return Table(caption, columns, rows)


def headline_comparison(results: Results, task: str, model: str, with_control: bool = False) -> dict[str, Any] | None:
    """The comparison of one arm with the arm without attention that is otherwise alike, or with its control, in the
    headline metric, over all seeds that both have. None where there is no such arm, and where a training of the two
    diverged: those that got through are the lucky ones.
    """
    record = results["tasks"][task]
    baseline = record["controls" if with_control else "baselines"].get(model)
    if any(diverged_seeds(results, task, arm) for arm in (model, baseline)):
        return None
    wanted = {"task": task, "metric": record["headline_metric"], "candidate": model, "baseline": baseline}
    found = decisive([row for row in results["comparisons"] if wanted.items() <= row.items()])
    return found[0] if found else None


def diverged_seeds(results: Results, task: str, model: str | None) -> list[int]:
    """The seeds with which trainings of an arm diverged."""
    return [
        run["seed"]
        for run in results["incomplete"]
        if (run["task"], run["model"], run["state"]) == (task, model, DIVERGED)
    ]


def judgement(results: Results, task: str, model: str, comparison: dict[str, Any]) -> dict[str, Any]:
    """Whether an arm is better by its headline score: `verdict`, and `p_holm` corrected for a `family` of so many
    comparisons. They are those of the claim that is about this score, so that the report says one thing; where there is
    no such claim, those of the comparison itself.
    """
    claimed: dict[str, Any] | None = results["tasks"][task]["better"].get(model, {}).get(comparison["baseline"])
    if claimed is not None:
        return claimed
    metric, seeds = results["tasks"][task]["headline_metric"], comparison["seeds"]
    arms = (comparison["baseline"], model)
    runs = {arm: [run for run in runs_of(results, task, arm) if run["seed"] in seeds] for arm in arms}
    because = unlearned({arm: mean_of(own, "test", metric) or 0.0 for arm, own in runs.items()}, metric)
    verdict = NOT_DECIDED if because else outcome(comparison, results["bootstrap"]["confidence"])
    p_holm = None if because else comparison["p_holm"]
    return {"verdict": verdict, "open_because": because, "p_holm": p_holm, "family": comparison["family"]}


def score_table(results: Results, task: str) -> Table:
    """All scores of all arms, and of the systems that learn nothing."""
    record = results["tasks"][task]
    own = {(row["model"], row["metric"]): row for row in results["scores"] if row["task"] == task}
    keys = [key for key in SCORES if any(metric == key for _, metric in own)]
    rows = []
    for model in record["models"]:
        run = runs_of(results, task, model)[0]
        cells = [_spread(own.get((model, key)), run["intervals"].get(key)) for key in keys]
        rows.append([model, run["cell"], *cells])
    for name, scores in record["untrained"].items():
        label = f"lead-{record['lead_words']}" if name == "lead" else name
        rows.append([label, NONE, *[score(scores.get(key)) for key in keys]])
    percent = f"{100 * results['bootstrap']['confidence']:g} %"
    if len(record["seeds"]) > 1:
        told = seeds_of_task(results, task, "mean ± standard deviation of")
        told += f"; below, the mean's {percent} interval over seeds (Student's t){if_alone(results, task)}"
    else:
        told = f"{seeds_named(record['seeds'])}: one seed shows no spread; below, {percent} intervals over test items"
    caption = f"{task}: scores on the test set, {told}"
    return Table(caption, ["system", "cell", *[HEADINGS[key] for key in keys]], rows, text_columns=2)


def if_alone(results: Results, task: str) -> str:
    """What an interval is over where an arm has one run of several; empty where none has."""
    counts = [len(runs_of(results, task, model)) for model in results["tasks"][task]["models"]]
    return ", of an arm with one run over test items" if 1 in counts else ""


def _spread(record: dict[str, Any] | None, over_items: dict[str, float] | None) -> str:
    """The mean over seeds with their standard deviation and interval; of a single seed, the score with its interval
    over items.
    """
    if record is None:
        return NONE
    text = number if record["metric"] == "perplexity" else score
    if record["deviation"] is not None:
        bounds = interval(record["low"], record["high"], signed=False, text=text)
        return f"{text(record['mean'])} ± {text(record['deviation'])}\n{bounds}"
    bounds = f"\n{interval(over_items['low'], over_items['high'], signed=False)}" if over_items else ""
    return f"{text(record['mean'])}{bounds}"


def quality_by_length_table(results: Results, task: str) -> Table:
    """The headline score of each arm in each bucket of source lengths, with its interval and the bucket's size."""
    record = results["tasks"][task]
    own = [row for row in results["by_length"] if row["task"] == task]
    sizes = {(row["low"], row["high"]): row["rows"] for row in own}
    cells = {
        (row["model"], row["low"]): f"{score(row['score'])}\n{interval(row['ci_low'], row['ci_high'], signed=False)}"
        for row in own
    }
    rows = [[model, *[cells.get((model, low), NONE) for low, _ in sizes]] for model in record["models"]]
    metric = NAMES[record["headline_metric"]]
    percent = f"{100 * results['bootstrap']['confidence']:g} %"
    covered = "test items" if len(record["seeds"]) == 1 else f"test items and seeds{if_alone(results, task)}"
    caption = f"{task}: {metric} by source words (n test rows), {seeds_of_task(results, task)}; {percent} intervals"
    return Table(
        f"{caption} over {covered}", ["arm", *[f"{low}–{high} (n = {n})" for (low, high), n in sizes.items()]], rows
    )


def comparison_table(results: Results, task: str, all_seeds: bool = True) -> Table:
    """The paired tests of a task: those that speak for all seeds, or those of the single seeds."""
    own = [row for row in results["comparisons"] if row["task"] == task]
    chosen = decisive(own) if all_seeds else [row for row in own if row not in decisive(own)]
    pooled = any(row["scope"] == POOLED for row in chosen)
    together = [list(seeds) for seeds in {tuple(row["seeds"]): None for row in chosen}]  # one, unless runs are missing
    alike = pooled and len(together) == 1
    rows = []
    for row in chosen:
        cells = {
            "arms": f"{row['candidate']} – {row['baseline']}",
            "metric": NAMES[row["metric"]],
            "seeds": seed_list(row["seeds"]),
            "difference": score(row["difference"], signed=True),
            "interval": interval(row["low"], row["high"]),
            "holm": p_value(row["p_holm"]),
            "items and seeds": p_value(row["p_value"]),
            "randomisation": p_value(row["p_randomisation"]),
            "bootstrap": p_value(row["p_bootstrap"]),
            "d": effect(row["cohens_dz"]),
            "g": effect(row["hedges_g"]),
            "detects": detects(row["detectable"], score),
        }
        hidden = {"seeds"} if alike else set() if pooled else {"items and seeds", "g"}
        rows.append([cell for key, cell in cells.items() if key not in hidden])
    settings = results["bootstrap"]
    columns = [
        "arms",
        "metric",
        *([] if alike else ["seeds" if pooled else "seed"]),
        "difference",
        f"{100 * settings['confidence']:g} % interval",
    ]
    columns += ["p (Holm, pairs)", *(["p seeds, items"] if pooled else []), "p random.", "p bootstr."]
    columns += ["d", *(["g"] if pooled else []), "detects"]
    seeds = f", pooled over seeds {seed_list(together[0])}" if alike else ""
    caption = f"{task}: paired tests, {results['tasks'][task]['test_items']:,} test items{seeds}"
    return Table(caption, columns, rows, text_columns=2 if alike else 3)


def comparison_notes(results: Results, task: str) -> list[str]:
    """What the columns of `comparison_table` are, for its decisive tests."""
    chosen = decisive([row for row in results["comparisons"] if row["task"] == task])
    if not chosen:
        return []
    settings = results["bootstrap"]
    all_pooled = [row for row in chosen if row["scope"] == POOLED]
    pooled, one_seed = bool(all_pooled), len(all_pooled) < len(chosen)
    families = sorted({row["family"] for row in chosen})
    tested = [*(["p seeds, items"] if pooled else []), *(["p random."] if one_seed else [])]
    notes = [
        f"p random.: approximate randomisation over test items, {settings['randomisation_trials']:,} trials"
        + (", an item exchanged in all seeds or in none." if pooled else "."),
        f"p bootstr.: paired bootstrap over test items, {settings['samples']:,} resamples.",
        f"p (Holm, pairs): {', with a single seed '.join(tested)}, corrected for the number of pairs of arms in a"
        f" metric ({' or '.join(str(count) for count in families)}).",
        "d: Cohen's d_z, the mean difference of an item over its standard deviation (BLEU has no items).",
        f"detects: the true difference that would be found about {100 * settings['power']:g} % of the time.",
    ]
    if pooled:
        notes.insert(0, "p seeds, items: Student's t, test items and seeds as sources of chance.")
        notes.insert(-1, "g: Hedges' g, the difference in standard deviations of a seed.")
    return notes


def cost_table(results: Results, task: str) -> Table:
    """What each arm costs, mean over seeds."""
    record = results["tasks"][task]
    rows = []
    for model in record["models"]:
        runs = runs_of(results, task, model)
        epochs = " / ".join(number(run["cost"]["epochs"]) for run in runs)
        flat = " / ".join({True: "yes", False: "no"}.get(run["cost"]["flattened"], NONE) for run in runs)
        rates = " / ".join(dict.fromkeys(f"{run['learning_rate']:.3g}" for run in runs))
        rows.append([model, *[number(mean_of(runs, "cost", key)) for key in COSTS], rates, epochs, flat])
    return Table(f"{task}: cost", ["arm", *COSTS.values(), "learning rate", "epochs", "validation loss flat"], rows)


def frontier_table(results: Results, task: str) -> Table:
    """Which arm for whom: for each price the arms that nothing beats at it, means over seeds, the cheapest first."""
    record = results["tasks"][task]
    metric, rows = record["headline_metric"], []
    for price in PRICES:
        arms = []
        for model in record["models"]:
            runs = runs_of(results, task, model)
            paid, quality = mean_of(runs, "cost", price.key), mean_of(runs, "test", metric)
            if paid is not None and quality is not None:
                arms.append((model, paid, quality))
        said = {model: f"{model} ({number(paid)}: {score(quality)})" for model, paid, quality in arms}
        rows.append([price.label, ", ".join(said[model] for model in frontier(arms, price.falls)) or NONE])
    return Table(f"{task}: which arm for whom", ["price", f"not beaten at its price (price: {NAMES[metric]})"], rows, 2)


def incomplete_table(results: Results) -> Table:
    """The runs that params.yaml names and that cannot be compared."""
    rows = [[run["task"], run["model"], str(run["seed"]), run["state"], run["reason"]] for run in results["incomplete"]]
    return Table("incomplete runs", ["task", "arm", "seed", "state", "reason"], rows, text_columns=5)


def fact_table(caption: str, content: dict[str, Any]) -> Table:
    """Names and values of nested containers, one a row."""
    return Table(caption, ["", ""], [[name, value] for name, value in _facts(content, "")], text_columns=2)


def _facts(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [fact for key, item in value.items() for fact in _facts(item, f"{name} {key}".strip().replace("_", " "))]
    if isinstance(value, list):
        return [(name, ", ".join(str(item) for item in value))]
    if isinstance(value, bool) or value is None:
        return [(name, {True: "yes", False: "no", None: NONE}[value])]
    return [(name, number(value) if isinstance(value, float) else str(value))]
