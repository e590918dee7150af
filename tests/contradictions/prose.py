"""A line of prose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from contradictions.numbers import (
    METRICS,
    NUMBER,
    Record,
    comparison,
    diverged_seeds,
    has_diverged,
    judgement,
    mean_score,
    overall,
    runs_of,
    shows,
    shows_p,
    value_of,
)
from contradictions.settings import of_settings
from contradictions.who import who_says_what

JUDGING = re.compile(
    r"\b(better|worse|best|worst|beats?|beaten|wins?|won|loses?|lost|outperforms?|superior|inferior|supported|refuted"
    r"|proves?|proven|disproves?|faster|slower|heavier|lighter|higher|lower|improves?|helps?|hurts?|harms?)\b",
    re.IGNORECASE,
)
METRIC = r"(?:BLEU|chrF|ROUGE-\w|exact match)"
MEASURED = re.compile(rf"{NUMBER} (?:{METRIC}|points)\b")
SEEDS = r"\d+(?:, \d+)*"
ANSWER = re.compile(
    r"(?P<control>At as many parameters: )?"
    r"(?P<arm>\S+) is (?P<relation>better than|worse than|not told apart (?:by the corrected p-value )?from"
    r"|not judged against) (?P<other>\S+) "
    rf"on (?P<task>\w+): "
    rf"(?P<score>{NUMBER}) against (?P<others>{NUMBER}) (?P<metric>{METRIC}), "
    rf"a difference of (?P<difference>{NUMBER}) "
    rf"\(\d+ % interval (?P<low>{NUMBER}) … (?P<high>{NUMBER}), (?:no p, for (?P<why>[^,;)]+)|"
    rf"p (?P<p>[=<] {NUMBER}) corrected for (?P<family>\d+) comparisons),"
    rf" (?:seed|mean over seeds) (?P<seeds>{SEEDS})\)\."
)
SCORES = re.compile(
    rf"(?P<arm>\S+) scores (?P<score>{NUMBER}) (?P<metric>{METRIC}) on (?P<task>\w+)"
    r"(?: where it got through: (?P<itself>.+), and no scores are compared|; (?P<other>.+), and no scores are compared"
    r"|; no run of (?P<unmet>\S+) with the same seed is there to compare it with"
    r"|; no arm without attention is there to compare it with)\."
)
NO_SCORE = re.compile(r"(?P<gone>\S+ diverged with .+) on (?P<task>\w+): no score\.")
DIVERGED = re.compile(rf"(?P<arm>\S+) diverged with seeds? (?P<seeds>{SEEDS})")
DETECTED = re.compile(
    r"With (?P<seeds>\d+(?: to \d+)*) seeds? an arm and (?P<items>[\d,]+) test items, a true difference of "
    rf"(?P<low>{NUMBER})(?: to (?P<high>{NUMBER}))? (?P<metric>{METRIC}), depending on the arm, would be found about "
    rf"(?P<power>{NUMBER}) % of the time; a smaller one may be there and be missed\."
)
FINDING = re.compile(
    r"(?P<id>C\d+) is (?P<verdict>supported|refuted|not decided)(?P<why>[^:]*): “(?P<statement>[^”]+)”\."
    rf"(?: (?P<arm>\S+)(?: against (?P<against>\S+)(?: \((?P<level>{NUMBER})\))?)? on (?P<task>\w+):"
    rf" (?P<effect>{NUMBER}) \((?P<quantity>[^)]+)\)(?:, interval (?P<low>{NUMBER}) … (?P<high>{NUMBER}))?"
    rf"(?:, corrected p (?P<p>(?:< )?{NUMBER}))?\.)?(?: In all: (?P<who>.*)\.)?$"
)
OPEN = re.compile(r"Not decided by these runs: (?P<ids>[\w, ]+)\.")
COARSE = re.compile(
    rf"resamples give no p-value below (?P<least>{NUMBER}), which Holm's correction for (?P<size>\d+) comparisons takes"
    rf" above (?P<alpha>{NUMBER}): (?P<ids>[\w, ]+) cannot be decided by the bootstrap"
)
FALLING = re.compile(r"so that more training may help: (?P<who>[^.]+)\.$")
RELATIONS = {
    "better than": "supported",
    "worse than": "refuted",
    "not told apart from": "not decided",  # the interval holds 0
    "not told apart by the corrected p-value from": "not decided",  # though the interval leaves out 0
    "not judged against": "not decided",  # whatever the interval, without a p-value
}


def of_line(line: str, results: Record, claims: Record) -> Iterator[str]:
    """What a line says against the numbers."""
    rest = line
    for known in _quoted(claims):
        rest = rest.replace(known, "")
    yield from of_settings(rest, results)
    for pattern, check in SENTENCES.items():
        if found := pattern.search(rest):
            yield from check(found.groupdict(), results, claims)
            rest = rest.replace(found[0], "")
            break
    unvouched = [JUDGING.search(rest), MEASURED.search(rest), re.search(r"\bdiverged with\b|^C\d+(?: is\b|: )", rest)]
    if not rest.endswith("?"):
        yield from (f"no number vouches for {found[0]!r}" for found in unvouched if found)


def _quoted(claims: Record) -> list[str]:
    """What a text may quote: the rules and the claims themselves."""
    rules = [claims["rule"], *(rule for claim in claims["claims"] for rule in claim["rules"])]
    headings = [f"{claim['id']}: {claim['statement']}" for claim in claims["claims"]]
    return sorted([*rules, *headings], key=len, reverse=True)


def _answer(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    found = comparison(results, said["task"], said["arm"], said["other"], METRICS[said["metric"]])
    if found is None:
        yield "no such comparison"
        return
    if said["control"] and results["tasks"][said["task"]]["controls"].get(said["arm"]) != said["other"]:
        yield f"{said['other']} is not its control"
    for key, model in (("score", "candidate"), ("others", "baseline")):
        own = mean_score(results, said["task"], found[model], found["metric"], found["seeds"])
        if not shows(said[key], own):
            yield f"{found[model]} scores {own}"
    judged = judgement(found, results, claims)
    p_holm, because = judged["p_holm"], judged["open_because"]
    if said["why"] is not None and (p_holm is not None or said["why"] != (because or "runs are missing")):
        yield f"p is {p_holm}, and it is open because {because!r}"
    if (said["relation"] == "not judged against") != (p_holm is None):
        yield f"p is {p_holm}, and what keeps it open is {because!r}"
    leaves_out_zero = found["low"] > 0 or found["high"] < 0
    if said["relation"] == "not told apart from" and leaves_out_zero:
        yield "the interval leaves out 0"
    if "corrected p-value" in said["relation"] and not leaves_out_zero:
        yield "the interval holds 0"
    for key in ("difference", "low", "high"):
        if not shows(said[key], found[key]):
            yield f"{key} is {found[key]}"
    if said["p"] is not None and not shows_p(said["p"], p_holm):
        yield f"p is {p_holm}"
    if said["family"] is not None and int(said["family"]) != judged["family"]:
        yield f"p is corrected for {judged['family']} comparisons"
    if _listed(said["seeds"]) != found["seeds"]:
        yield f"it is over seeds {found['seeds']}"
    verdict = RELATIONS[said["relation"]]
    if verdict != judged["verdict"]:
        yield f"it is {judged['verdict']} that it is better"
    if verdict != "not decided" and (value_of(said["difference"]) > 0) != (verdict == "supported"):
        yield "the difference has the other sign"


def _listed(seeds: str) -> list[int]:
    return [int(seed) for seed in seeds.split(", ")]


def _scores(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    """An arm that is compared with no other: its score, and why that is."""
    task, arm = said["task"], said["arm"]
    if task not in results["tasks"] or not (runs := runs_of(results, task, arm)):
        yield f"{arm} has no score on {task}"
        return
    record, metric = results["tasks"][task], METRICS[said["metric"]]
    own = mean_score(results, task, arm, metric, None)
    if metric != record["headline_metric"] or not shows(said["score"], own):
        yield f"{arm} scores {own} {metric}"
    baseline, gone = record["baselines"][arm], said["itself"] or said["other"]
    if gone:
        yield from _gone(gone, results, task, arm if said["itself"] else baseline)
    elif said["unmet"] != baseline:
        yield f"the same without attention is {baseline}"
    elif {run["seed"] for run in runs} & {run["seed"] for run in runs_of(results, task, baseline or "")}:
        yield f"{arm} and {baseline} have seeds in common"


def _no_score(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    arm = said["gone"].split()[0]
    yield from _gone(said["gone"], results, said["task"], arm)
    if runs_of(results, said["task"], arm):
        yield f"{arm} has a score"


def _gone(said: str, results: Record, task: str, arm: str | None) -> Iterator[str]:
    """With which seeds an arm is said to have diverged."""
    found, seeds = DIVERGED.fullmatch(said), diverged_seeds(results, task, arm)
    if found is None or found["arm"] != arm or _listed(found["seeds"]) != seeds:
        yield f"{arm} diverged with seeds {seeds}"


def _detected(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    """What could have been found: some task must have these numbers of items and seeds and these ends."""
    metric, told = METRICS[said["metric"]], [int(count) for count in said["seeds"].split(" to ")]
    for task, record in results["tasks"].items():
        found = [
            comparison(results, task, arm, record["baselines"][arm], metric)
            for arm in record["candidates"]
            if record["baselines"][arm] and not has_diverged(results, task, {arm, record["baselines"][arm]})
        ]
        own = [row for row in found if row is not None and row["detectable"] is not None]
        ends = sorted(row["detectable"] for row in own)
        if (
            own
            and record["test_items"] == value_of(said["items"])
            and told == sorted({len(row["seeds"]) for row in own})
            and shows(said["low"], ends[0])
            and shows(said["high"] or said["low"], ends[-1])
            and shows(said["power"], 100 * results["bootstrap"]["power"])
        ):
            return
    yield "no task could have found this"


def _finding(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    claim = next((claim for claim in claims["claims"] if claim["id"] == said["id"]), None)
    if claim is None:
        yield "there is no such claim"
        return
    applying = {row["verdict"] for row in claim["rows"] if row["applies"]}
    both, missing = {"supported", "refuted"} <= applying, len(claim["missing"])
    if ("disagree" in said["why"] and not both) or ("are open" in said["why"] and both):
        yield f"its rows {'disagree' if both else 'do not disagree'}"
    counted = re.search(r"for (\d+) runs? (?:is|are) missing", said["why"])
    if (int(counted[1]) if counted else 0) != (missing if said["verdict"] == "not decided" else 0):
        yield f"{missing} runs are missing"
    if said["statement"] != claim["statement"] or said["verdict"] != overall(claim["rows"]):
        yield f"it is {overall(claim['rows'])} that {claim['statement']}"
    if said["who"]:
        yield from who_says_what(said["who"], claim)
    elif applying != {said["verdict"]}:
        yield "not all rows say so"
    if said["effect"] is None:
        if said["verdict"] != "not decided":
            yield "on what is it decided?"
        return
    if not any(_is_effect(said, row) for row in claim["rows"]):
        yield "no row of this verdict has this effect, interval and p"


def _is_effect(said: dict[str, str], row: Record) -> bool:
    """Whether a finding names this row, with its effect, its interval and its p."""
    return (
        (row["arm"], row["task"], row["quantity"]) == (said["arm"], said["task"], said["quantity"])
        and row["against"] in (said["against"], said["arm"])
        and row["verdict"] == said["verdict"]
        and (said["level"] is None or shows(said["level"], row["neutral"]))
        and all(shows(said[key] or "–", row[key]) for key in ("effect", "low", "high"))
        and shows_p(said["p"] or "–", row["p_holm"])
    )


def _undecided(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    for claim in claims["claims"]:
        decided = {row["verdict"] for row in claim["rows"] if row["applies"]} - {"not decided"}
        if (claim["id"] in said["ids"].split(", ")) == bool(decided):
            yield f"{claim['id']} has {'' if decided else 'no '}rows that are decided"


def _falling(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    """Whose validation loss is said to fall still: all runs, all of a task, or a run by task, arm and seed."""
    runs = {f"{run['task']} {run['model']} {run['seed']}": run for run in results["runs"]}
    told: set[str] = set()
    for name in said["who"].split(", "):
        task = name.removeprefix("all of ")
        meant = {run for run in runs if name in ("all runs", run) or run.split()[0] == task != name}
        if not meant:
            yield f"who is {name!r}?"
        told |= meant
    falling = {name for name, run in runs.items() if run["cost"]["flattened"] is False}
    if told != falling:
        yield f"the loss of {sorted(falling)} still fell"


def _coarse(said: dict[str, str], results: Record, claims: Record) -> Iterator[str]:
    """Whose p-values are said to be too many for the number of resamples."""
    settings, named = results["bootstrap"], said["ids"].split(", ")
    alpha, least = 1 - settings["confidence"], 2 / (1 + settings["samples"])
    rows = {claim["id"]: claim["rows"] for claim in claims["claims"]}
    sizes = [sum(row["p_value"] is not None for row in rows.get(name, [])) for name in named]
    if not shows(said["least"], least) or not shows(said["alpha"], alpha) or int(said["size"]) != max(sizes):
        yield f"the least p-value is {least}, the level {alpha}, and the claims have {sizes} comparisons"
    if any(size * least <= alpha for size in sizes):
        yield "some of these can be decided"


SENTENCES: dict[re.Pattern[str], Callable[[dict[str, str], Record, Record], Iterator[str]]] = {
    ANSWER: _answer,
    SCORES: _scores,
    NO_SCORE: _no_score,
    DETECTED: _detected,
    FINDING: _finding,
    OPEN: _undecided,
    FALLING: _falling,
    COARSE: _coarse,
}
