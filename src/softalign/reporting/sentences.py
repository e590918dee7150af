"""The sentences of the report and of the notebooks: each is made from the records of results.json and claims.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softalign.reporting import tables
from softalign.reporting.claim_tables import effect_interval, is_difference, opponent
from softalign.reporting.claims.divergence import SHARE
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, by_interval
from softalign.reporting.estimates import Estimate
from softalign.reporting.names import NAMES
from softalign.reporting.results import mean_of, runs_of

ONE_SEED = (
    "One seed an arm: the intervals and p-values cover the choice of test items; how much another seed would change"
    " is not covered."
)
SEVERAL_SEEDS = (
    "Intervals of differences cover the choice of test items and of seeds, by Student's t with the degrees of freedom"
    " that the seeds allow: with two or three seeds an arm, few, and the intervals are wide."
)
TWO_SEEDS = (
    "Two seeds an arm are too few to see how much seeds matter: where they matter in one arm alone, a 95 % interval may"
    " cover as little as 87 %."
)
FALLING = (
    "The last quarter of the epochs still took a percent or more off the validation perplexity, or there was one epoch"
    " alone, so that more training may help: {}."
)
FEW_ROWS = 1000  # training rows below which no arm can learn its task
FEW_ITEMS = 50  # test items below which a fifth of them is a handful, and resamples say little of others
A_TRIAL = "{}: with so little the pipeline is tried out, and the scores and verdicts say nothing about the arms."
CORRECTED = (
    "p (Holm) is two-sided and corrected for the number of comparisons: verdicts, and what is said of one arm beside"
    " another, for all rows of the claim that is about this score; “p (Holm, pairs)”, and what is said where no claim"
    " is, for every pair of arms in a task and metric. The intervals are not corrected. The scores of two arms are told"
    " apart where the interval leaves out 0 and p (Holm) is below {level:g}; of what else a claim may be about, its own"
    " rule says what decides."
)
DETECTS = (
    "“detects” is the true difference (the true distance from what a claim's effect is held against) that as many test"
    " items and seeds would find in about {power:g} % of all repetitions, in a single test before correction."
)
COARSE = (
    "{} resamples give no p-value below {}, which Holm's correction for {} comparisons takes above {}: {} cannot be"
    " decided by the bootstrap; raise evaluation.bootstrap_samples."
)
BY_STUDENT = ("C9",)  # whose p-values are Student's t with one seed too
LEFT_OUT = "Missing or incomplete: {} of the {} runs that params.yaml names, which the report lists."
EMBEDDED = (
    "The generated corpora come from grammars: diagnostic instruments, not natural text. Differences on them"
    " need not carry over."
)
RELATION = {SUPPORTED: "better than", REFUTED: "worse than", NOT_DECIDED: "not told apart from"}
NOT_JUDGED = "not judged against"  # whatever the interval, for no p-value is there
NOT_BY_P = "not told apart by the corrected p-value from"  # though the interval leaves out 0
# Bad news first.
ORDER = {REFUTED: 0, NOT_DECIDED: 1, SUPPORTED: 2}


def answers(results: dict[str, Any], task: str) -> list[str]:
    """One sentence for each arm that never got through, one for each with attention that did, those that lose first,
    one for each that has a control, and one on what could have been found.
    """
    record = results["tasks"][task]
    diverged = {run["model"] for run in results["incomplete"] if tables.diverged_seeds(results, task, run["model"])}
    arms = sorted(record["candidates"], key=lambda arm: _place(results, task, arm))
    return [
        *(f"{_diverged(results, task, arm)} on {task}: no score." for arm in sorted(diverged - {*record["models"]})),
        *(answer(results, task, arm) for arm in arms),
        *(beside for arm in arms if (beside := answer_beside_control(results, task, arm))),
        *detected(results, task),
    ]


def _place(results: dict[str, Any], task: str, arm: str) -> int:
    if tables.diverged_seeds(results, task, arm):
        return -1
    found = tables.headline_comparison(results, task, arm)
    return len(ORDER) if found is None else ORDER[tables.judgement(results, task, arm, found)["verdict"]]


def answer(results: dict[str, Any], task: str, arm: str) -> str:
    """One sentence in numbers: an arm's headline score against that of the arm without attention."""
    found = tables.headline_comparison(results, task, arm)
    return _uncompared(results, task, arm) if found is None else _compared(results, found)


def answer_beside_control(results: dict[str, Any], task: str, arm: str) -> str | None:
    """The same against the arm without attention that has as many parameters; None where the two are not compared."""
    found = tables.headline_comparison(results, task, arm, with_control=True)
    return None if found is None else f"At as many parameters: {_compared(results, found)}"


def _compared(results: dict[str, Any], found: dict[str, Any]) -> str:
    """One sentence for a comparison of two arms."""
    task, arm = found["task"], found["candidate"]
    judged = tables.judgement(results, task, arm, found)
    relation = RELATION[judged["verdict"]]
    if judged["p_holm"] is None:
        relation = NOT_JUDGED
    elif judged["verdict"] == NOT_DECIDED != by_interval(Estimate(found["difference"], found["low"], found["high"])):
        relation = NOT_BY_P
    own, others = (_headline_score(results, task, model, found["seeds"]) for model in (arm, found["baseline"]))
    return (
        f"{arm} is {relation} {found['baseline']} on {task}: {own} against {others}"
        f" {NAMES[found['metric']]}, a difference of {tables.score(found['difference'], signed=True)}"
        f" ({100 * results['bootstrap']['confidence']:g} % interval {tables.interval(found['low'], found['high'])},"
        f" {_corrected(judged)}, {tables.seeds_named(found['seeds'])})."
    )


def _uncompared(results: dict[str, Any], task: str, arm: str) -> str:
    """An arm whose score no other is held against, and why not."""
    record = results["tasks"][task]
    score = f"{arm} scores {_headline_score(results, task, arm)} {NAMES[record['headline_metric']]} on {task}"
    baseline = record["baselines"][arm]
    if tables.diverged_seeds(results, task, arm):
        return f"{score} where it got through: {_diverged(results, task, arm)}, and no scores are compared."
    if baseline and tables.diverged_seeds(results, task, baseline):
        return f"{score}; {_diverged(results, task, baseline)}, and no scores are compared."
    if baseline:
        return f"{score}; no run of {baseline} with the same seed is there to compare it with."
    return f"{score}; no arm without attention is there to compare it with."


def _diverged(results: dict[str, Any], task: str, arm: str) -> str:
    seeds = tables.diverged_seeds(results, task, arm)
    return f"{arm} diverged with seed{'s' if len(seeds) > 1 else ''} {tables.seed_list(seeds)}"


def _corrected(judged: dict[str, Any]) -> str:
    if judged["p_holm"] is None:
        return f"no p, for {judged['open_because'] or 'runs are missing'}"
    shown = tables.p_value(judged["p_holm"])
    return f"p {shown if shown.startswith('<') else f'= {shown}'} corrected for {judged['family']} comparisons"


def detected(results: dict[str, Any], task: str) -> list[str]:
    """One sentence on what the comparison with the arm without attention could have found; none without such an arm."""
    record = results["tasks"][task]
    found = [tables.headline_comparison(results, task, model) for model in record["models"]]
    own = sorted((row for row in found if row and row["detectable"] is not None), key=lambda row: row["detectable"])
    if not own:
        return []
    ends = list(dict.fromkeys(tables.score(row["detectable"]) for row in (own[0], own[-1])))
    seeds = " to ".join(str(count) for count in sorted({len(row["seeds"]) for row in own}))
    return [
        f"With {seeds} seed{'s' if seeds != '1' else ''} an arm and {record['test_items']:,} test items, a true"
        f" difference of {' to '.join(ends)} {NAMES[record['headline_metric']]}, depending on the arm, would be found"
        f" about {100 * results['bootstrap']['power']:g} % of the time; a smaller one may be there and be missed."
    ]


def _headline_score(results: dict[str, Any], task: str, arm: str, seeds: Sequence[int] | None = None) -> str:
    """The mean over these seeds, or all."""
    runs = [run for run in runs_of(results, task, arm) if seeds is None or run["seed"] in seeds]
    return tables.score(mean_of(runs, "test", results["tasks"][task]["headline_metric"]))


def findings(claims: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each claim on which some row is decided, and one for all others. What is refuted stands first,
    then what is refuted for some arms and supported for others, then what is supported, for all arms or for some.
    """
    kinds: dict[str, list[str]] = {kind: [] for kind in ("refuted", "disputed", "supported", "partly supported")}
    rest = []
    for claim in claims:
        found = {row["verdict"] for row in claim["rows"] if row["applies"]}
        if not found & {SUPPORTED, REFUTED}:
            rest.append(claim["id"])
        elif claim["verdict"] != NOT_DECIDED:
            kinds[claim["verdict"]].append(finding(claim))
        else:
            kinds["disputed" if REFUTED in found else "partly supported"].append(finding(claim))
    lines = [line for group in kinds.values() for line in group]
    return [*lines, f"Not decided by these runs: {', '.join(rest)}."] if rest else lines


def finding(claim: dict[str, Any]) -> str:
    """A claim and its verdict; if it has one, the effect that this hangs on; and who says what, where not all agree."""
    verdict = claim["verdict"]
    found = {row["verdict"] for row in claim["rows"] if row["applies"]}
    if verdict == NOT_DECIDED and claim["missing"]:
        count = len(claim["missing"])
        verdict += ", for 1 run is missing" if count == 1 else f", for {count} runs are missing"
    elif verdict == NOT_DECIDED:
        verdict += ", for its rows disagree" if {SUPPORTED, REFUTED} <= found else ", for some of its rows are open"
    parts = [f"{claim['id']} is {verdict}: “{claim['statement']}”."]
    if claim["verdict"] != NOT_DECIDED:
        parts.append(f"{_effect(claim['effect'])}.")
    if found != {claim["verdict"]}:
        parts.append(f"In all: {claim['who_says_what']}.")
    return " ".join(parts)


def _effect(effect: dict[str, Any]) -> str:
    parts = [f"{tables.number(effect['effect'], signed=is_difference(effect))} ({effect['quantity']})"]
    if effect["low"] is not None:
        parts.append(f"interval {effect_interval(effect)}")
    if effect["p_holm"] is not None:
        parts.append(f"corrected p {tables.p_value(effect['p_holm'])}")
    return f"{effect['arm']}{opponent(effect)} on {effect['task']}: {', '.join(parts)}"


def trial(results: dict[str, Any]) -> str | None:
    """Said before all else where the training or test sets are too small for any finding."""
    rows = {task: record["prepared"]["splits"]["train"]["kept"] for task, record in results["tasks"].items()}
    few = [f"{count} training rows for {task}" for task, count in rows.items() if count < FEW_ROWS]
    items = {task: record["test_items"] for task, record in results["tasks"].items()}
    few += [f"{count} test items for {task}" for task, count in items.items() if count < FEW_ITEMS]
    return A_TRIAL.format(", ".join(few)) if few else None


def caveats(results: dict[str, Any], claims: Sequence[dict[str, Any]]) -> list[str]:
    """What the numbers do not cover. Where no run is complete no interval is shown, and nothing is said of them."""
    lines = _of_intervals(results) if results["runs"] else []
    if falling := _falling(results):
        lines.append(FALLING.format(", ".join(falling)))
    lines += _coarse(results, claims)
    if results["incomplete"]:
        there = len(results["incomplete"]) + len(results["runs"])
        lines.append(LEFT_OUT.format(len(results["incomplete"]), there))
    if any(record["provenance"]["kind"] == "embedded" for record in results["tasks"].values()):
        lines.append(EMBEDDED)
    return lines


def _of_intervals(results: dict[str, Any]) -> list[str]:
    seeds = {len(record["seeds"]) for record in results["tasks"].values()}
    settings = results["bootstrap"]
    return [
        ONE_SEED if seeds == {1} else SEVERAL_SEEDS,
        *([TWO_SEEDS] if 2 in seeds else []),
        CORRECTED.format(level=round(1 - settings["confidence"], 9)),
        DETECTS.format(power=100 * settings["power"]),
    ]


def _falling(results: dict[str, Any]) -> list[str]:
    """Whose validation loss still fell at the end: all runs, all of a task, or which."""
    tasks = {task: [run for run in results["runs"] if run["task"] == task] for task in results["tasks"]}
    falling = {task: [run for run in runs if run["cost"]["flattened"] is False] for task, runs in tasks.items()}
    if results["runs"] and falling == tasks:
        return ["all runs"]
    named = []
    for task, runs in falling.items():
        each = [f"{task} {run['model']} {run['seed']}" for run in runs]
        named += [f"all of {task}"] if runs and runs == tasks[task] else each
    return named


def _coarse(results: dict[str, Any], claims: Sequence[dict[str, Any]]) -> list[str]:
    """Claims whose family is so large that the smallest p-value of the bootstrap does not survive it. With several
    seeds no p-value is the bootstrap's.
    """
    samples, alpha = results["bootstrap"]["samples"], 1 - results["bootstrap"]["confidence"]
    smallest = 2 / (1 + samples)
    families = {
        claim["id"]: sum(row["p_value"] is not None for row in claim["rows"])
        for claim in claims
        if claim["id"] not in BY_STUDENT
        and any(row["p_value"] and len(row["seeds"]) == 1 and row["quantity"] != SHARE for row in claim["rows"])
    }
    large = {claim: size for claim, size in families.items() if size * smallest > alpha}
    if not large:
        return []
    least = tables.number(smallest)
    return [COARSE.format(f"{samples:,}", least, max(large.values()), f"{alpha:g}", ", ".join(large))]
