"""Whether a text about the arms says what the numbers say.

It knows nothing of how the sentences and tables are made: it reads them as a reader does, and works out from
results.json and claims.json what they ought to say. A sentence with a word of judgement that it cannot hold against a
number counts as a contradiction too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np

JUDGING = re.compile(
    r"\b(better|worse|best|worst|beats?|beaten|wins?|won|loses?|lost|outperforms?|superior|inferior|supported|refuted"
    r"|proves?|proven|disproves?|faster|slower|heavier|lighter|higher|lower|improves?|helps?|hurts?|harms?)\b",
    re.IGNORECASE,
)
NUMBER = r"[+−]?[\d,]*\.?\d+"
ANSWER = re.compile(
    r"(?P<arm>\S+) is (?P<relation>better than|worse than|not told apart (?:by the corrected p-value )?from"
    r"|not judged against) (?P<other>\S+) "
    rf"on (?P<task>\w+): "
    rf"(?P<score>{NUMBER}) against (?P<others>{NUMBER}) (?P<metric>[\w-]+(?: match)?), "
    rf"a difference of (?P<difference>{NUMBER}) "
    rf"\(\d+ % interval (?P<low>{NUMBER}) … (?P<high>{NUMBER}), (?:no p, for (?P<why>[^,;)]+)|"
    rf"p [=<] (?P<p>{NUMBER}) corrected for (?P<family>\d+) comparisons), .*?\)\."
)
DETECTED = re.compile(
    rf"With (?P<seeds>\d+)(?: to (?P<most>\d+))? seeds? an arm and (?P<items>[\d,]+) test items, a true difference of "
    rf"(?P<low>{NUMBER})(?: to (?P<high>{NUMBER}))? (?P<metric>[\w-]+(?: match)?), depending on the arm, would be found"
)
FINDING = re.compile(
    r"(?P<id>C\d+) is (?P<verdict>supported|refuted|not decided)(?P<why>[^:]*): “(?P<statement>[^”]+)”\."
    rf"(?: (?P<arm>\S+)(?: against (?P<against>\S+)(?: \((?P<level>{NUMBER})\))?)? on (?P<task>\w+):"
    rf" (?P<effect>{NUMBER}) \((?P<quantity>[^)]+)\)"
    r".*?\.)?(?: In all: (?P<who>.*)\.)?$"
)
OPEN = re.compile(r"Not decided by these runs: (?P<ids>[\w, ]+)\.")
METRICS = {
    "BLEU": "bleu",
    "chrF": "chrf",
    "ROUGE-1": "rouge1",
    "ROUGE-2": "rouge2",
    "ROUGE-L": "rougeL",
    "exact match": "exact_match",
}
CLAIM_OF = {"bleu": "C1", "rougeL": "C2"}
RELATIONS = {
    "better than": "supported",
    "worse than": "refuted",
    "not told apart from": "not decided",  # the interval holds 0
    "not told apart by the corrected p-value from": "not decided",  # though the interval leaves out 0
    "not judged against": "not decided",  # whatever the interval, without a p-value
}
LEAST = 1.0  # point of a headline score: where neither arm scores as much, nothing is decided


@dataclass
class Text:
    """A document as a reader sees it: lines of prose, and tables with their headings."""

    prose: list[str] = field(default_factory=list)
    tables: list[tuple[list[str], list[list[str]]]] = field(default_factory=list)


def of_markdown(content: str) -> Text:
    text = Text()
    rows: list[list[str]] = []
    for line in [*content.split("\n"), ""]:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([cell.strip().replace("<br>", "\n").replace("\\|", "|") for cell in cells])
            continue
        if rows:
            text.tables.append((rows[0], rows[2:]))
            rows = []
        if line.strip() and not line.startswith("    "):  # an indented block is a command
            text.prose.append(line.strip("# -*"))
    return text


class _Reader(HTMLParser):
    BLOCKS = ("p", "li", "h1", "h2", "h3", "th", "td", "caption", "summary", "div")

    def __init__(self) -> None:
        super().__init__()
        self.text = Text()
        self.buffer = ""
        self.row: list[str] = []
        self.rows: list[list[str]] = []
        self.skipped = 0  # depth inside style, samples of the data, figures and commands
        self.in_table = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        skip = tag in ("style", "svg", "pre", "title") or dict(attrs).get("class") == "sample"
        if self.skipped or skip:
            self.skipped += tag not in ("meta", "br", "img", "link")
        elif tag == "br":
            self.buffer += "\n"
        elif tag in self.BLOCKS:
            self._flush(None)
        if tag == "table":
            self.in_table, self.rows = True, []

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            self.skipped -= 1
        elif tag in self.BLOCKS:
            self._flush(tag)
        elif tag == "tr":
            self.rows.append(self.row)
            self.row = []
        elif tag == "table":
            self.text.tables.append((self.rows[0], self.rows[1:]))
            self.in_table = False

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.buffer += data

    def _flush(self, tag: str | None) -> None:
        content = re.sub(r"[ \t]*\n[ \t]*", "\n", self.buffer).strip()
        self.buffer = ""
        if tag in ("th", "td") and self.in_table:
            self.row.append(content)
        elif content:
            self.text.prose.append(" ".join(content.split()))


def of_html(content: str) -> Text:
    reader = _Reader()
    reader.feed(content)
    for place, (columns, rows) in enumerate(reader.text.tables):
        if columns[0] == "":  # pandas numbers the rows of a table
            reader.text.tables[place] = columns[1:], [row[1:] for row in rows]
    return reader.text


def contradictions(text: Text, results: dict[str, Any], claims: dict[str, Any]) -> list[str]:
    """What the text and the records say against the numbers, a line each; empty where they agree."""
    return [
        *_records(results, claims),
        *(f"{line}: {why}" for line in text.prose for why in _prose(line, results, claims)),
        *(
            f"{row}: {why}"
            for columns, rows in text.tables
            for row in rows
            for why in _row(columns, row, results, claims)
        ),
    ]


# The records among themselves.


def _records(results: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    """The verdicts of claims.json follow from its numbers, and these are those of results.json."""
    alpha = 1 - results["bootstrap"]["confidence"]
    for record in results["comparisons"]:
        means = [
            _mean(results, record["task"], record[side], record["metric"], record["seeds"])
            for side in ("candidate", "baseline")
        ]
        if abs(means[0] - means[1] - record["difference"]) > 1e-6:
            yield f"a difference that is none of the scores: {record}"
    for claim in claims["claims"]:
        if claim["verdict"] != _overall(claim["rows"]):
            yield f"{claim['id']} is {_overall(claim['rows'])} by its rows, not {claim['verdict']}"
        for row in claim["rows"]:
            allowed = row_permits(claim["id"], row, alpha)
            if row["verdict"] not in allowed:
                yield f"{claim['id']} {row['arm']} on {row['task']} is {row['verdict']}, the numbers say {allowed}"
            yield from _floor(claim["id"], row, results)
            metric = {"C1": "bleu", "C2": "rougeL"}.get(claim["id"])
            found = _comparison(results, row["task"], row["arm"], row["against"], metric)
            if _diverged(results, row["task"], {row["arm"], row["against"]}):
                found = None  # shares of trainings are compared, no scores
            if found is not None and row["effect"] is not None and abs(found["difference"] - row["effect"]) > 1e-6:
                yield f"{claim['id']} has another difference of {row['arm']} and {row['against']} than results.json"


def _floor(claim: str, row: dict[str, Any], results: dict[str, Any]) -> Iterator[str]:
    """A row of these claims is open for scores that are too low where they are, and nowhere else."""
    compares_scores = claim in ("C1", "C2", "C4", "C5", "C6", "C7", "C8", "C14") and "diverged" not in row["quantity"]
    if not compares_scores or row["effect"] is None or row["missing"]:
        return
    task = results["tasks"][row["task"]]
    arms = {row["arm"], row["against"]} & {*task["models"]}
    scores = [_mean(results, row["task"], arm, task["headline_metric"], row["seeds"]) for arm in arms]
    because = row["open_because"]
    if (max(scores) < LEAST and not because) or (max(scores) >= LEAST and "below 1" in because):
        yield f"{claim} {row['arm']} on {row['task']}: the scores are {scores}"


def row_permits(claim: str, row: dict[str, Any], alpha: float) -> set[str]:
    """The verdicts that a row's effect, interval and corrected p-value permit."""
    effect, low, high = row["effect"], row["low"], row["high"]
    if (
        effect is None
        or row["missing"]
        or row["open_because"]
        or (row["p_holm"] is not None and row["p_holm"] >= alpha)
    ):
        return {"not decided"}
    if claim == "C11" or (claim == "C9" and row["quantity"].startswith("activation memory")):  # counts
        return {"supported" if effect > 0 else "refuted"}
    if claim == "C10" and low is None:
        return {"supported"} if effect > 1.25 else {"refuted"} if effect < 1 / 1.25 else {"not decided"}
    if claim == "C8":
        outside = low is None or low > 0 or high < 0
        return {"supported"} if outside else {"refuted"} if low > -1 and high < 1 else {"not decided"}
    if row["quantity"] == "share of diverged trainings":
        return {"refuted"} if effect > 0 else {"supported"}
    if low is None:
        return {"not decided"}
    above, below = low > row["neutral"], high < row["neutral"]
    if claim in ("C5", "C14"):  # an error rate, a loss: less is better
        above, below = below, above
    return {"supported"} if above else {"refuted"} if below else {"not decided"}


def _overall(rows: list[dict[str, Any]]) -> str:
    found = [row["verdict"] for row in rows if row["applies"]]
    if any(row["missing"] for row in rows) or not found:
        return "not decided"
    if all(verdict == "supported" for verdict in found):
        return "supported"
    return "refuted" if "refuted" in found and "supported" not in found else "not decided"


# A line of prose.


def _prose(line: str, results: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    rest = line
    for known in _quoted(claims):
        rest = rest.replace(known, "")
    answer, finding, undecided = ANSWER.search(rest), FINDING.search(line), OPEN.search(rest)
    detected = DETECTED.search(rest)
    if answer:
        yield from _answer(answer.groupdict(), results, claims)
    elif detected:
        yield from _detected(detected.groupdict(), results)
    elif finding:
        yield from _finding(finding.groupdict(), claims)
    elif undecided:
        for claim in claims["claims"]:
            decided = {row["verdict"] for row in claim["rows"] if row["applies"]} - {"not decided"}
            if claim["id"] in undecided["ids"].split(", ") and decided:
                yield f"{claim['id']} has rows that are decided"
    elif JUDGING.search(rest) and not rest.endswith("?"):
        yield f"no number vouches for {JUDGING.search(rest)[0]!r}"  # type: ignore[index]


def _quoted(claims: dict[str, Any]) -> list[str]:
    """What a text may quote: the rules and the claims themselves."""
    rules = [claims["rule"], *(rule for claim in claims["claims"] for rule in claim["rules"])]
    headings = [f"{claim['id']}: {claim['statement']}" for claim in claims["claims"]]
    return sorted([*rules, *headings], key=len, reverse=True)


def _answer(said: dict[str, str], results: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    found = _comparison(results, said["task"], said["arm"], said["other"], METRICS[said["metric"]])
    if found is None:
        yield "no such comparison"
        return
    for key, model in (("score", "candidate"), ("others", "baseline")):
        mean = _mean(results, said["task"], found[model], found["metric"], found["seeds"])
        if not _is(said[key], mean):
            yield f"{found[model]} scores {mean}"
    judged = _judged(found, results, claims)
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
    numbers = {key: found[key] for key in ("difference", "low", "high")} | {"p": p_holm}
    for key, number in numbers.items():
        if said[key] is not None and not _is(said[key], number) and not (key == "p" and number < 0.001):
            yield f"{key} is {number}"
    verdict = RELATIONS[said["relation"]]
    if verdict != judged["verdict"]:
        yield f"it is {judged['verdict']} that it is better"
    if verdict != "not decided" and (_value(said["difference"]) > 0) != (verdict == "supported"):
        yield "the difference has the other sign"


def _detected(said: dict[str, str], results: dict[str, Any]) -> Iterator[str]:
    """What could have been found: some task must have these numbers of items and seeds and these ends."""
    metric = METRICS[said["metric"]]
    for task, record in results["tasks"].items():
        found = [
            _comparison(results, task, arm, record["baselines"][arm], metric)
            for arm in record["candidates"]
            if record["baselines"][arm] and not _diverged(results, task, {arm, record["baselines"][arm]})
        ]
        own = [row for row in found if row is not None and row["detectable"] is not None]
        ends = sorted(row["detectable"] for row in own)
        seeds = sorted(len(row["seeds"]) for row in own)
        if (
            own
            and record["test_items"] == _value(said["items"])
            and [seeds[0], seeds[-1]] == [int(said["seeds"]), int(said["most"] or said["seeds"])]
            and _is(said["low"], ends[0])
            and _is(said["high"] or said["low"], ends[-1])
        ):
            return
    yield "no task could have found this"


def _diverged(results: dict[str, Any], task: str, arms: set[str]) -> bool:
    return any(
        run["state"] == "diverged" and run["task"] == task and run["model"] in arms for run in results["incomplete"]
    )


def _finding(said: dict[str, str], claims: dict[str, Any]) -> Iterator[str]:
    claim = next(claim for claim in claims["claims"] if claim["id"] == said["id"])
    both = {"supported", "refuted"} <= {row["verdict"] for row in claim["rows"] if row["applies"]}
    if ("disagree" in said["why"] and not both) or ("are open" in said["why"] and both):
        yield f"its rows {'disagree' if both else 'do not disagree'}"
    if said["statement"] != claim["statement"] or said["verdict"] != _overall(claim["rows"]):
        yield f"it is {_overall(claim['rows'])} that {claim['statement']}"
    if said["who"]:
        yield from _who_says_what(said["who"], claim)
    elif {row["verdict"] for row in claim["rows"] if row["applies"]} != {said["verdict"]}:
        yield "not all rows say so"
    if said["effect"] is None:
        if said["verdict"] != "not decided":
            yield "on what is it decided?"
        return
    rows = [
        row
        for row in claim["rows"]
        if (row["arm"], row["task"], row["quantity"]) == (said["arm"], said["task"], said["quantity"])
        and row["against"] in (said["against"], said["arm"])
        and row["verdict"] == said["verdict"]
        and _is(said["effect"], row["effect"])
        and (said["level"] is None or _is(said["level"], row["neutral"]))
    ]
    if not rows:
        yield "no row of this verdict has this effect"


def _who_says_what(said: str, claim: dict[str, Any]) -> Iterator[str]:
    """Who is said to support or refute a claim."""
    found: dict[str, set[str]] = {}
    for row in claim["rows"]:
        if row["applies"] and not row["missing"]:
            found.setdefault(row["arm"], set()).add(row["verdict"])
    told: dict[str, set[str]] = {}
    for part in filter(None, said.split("; ")):
        plain = re.fullmatch(r"(refuted|supported|not decided) for (.*)", part)
        mixed = re.fullmatch(r"of the rows for (?:each of )?(\S+(?:, \S+)*) (\d.*)", part)
        if plain:
            told |= {arm: {plain[1]} for arm in plain[2].split(", ")}
        elif mixed:
            told |= {arm: {count.split(" ", 1)[1] for count in mixed[2].split(", ")} for arm in mixed[1].split(", ")}
        else:
            yield f"who says {part!r}?"
    if told != found:
        yield f"arm by arm it is {found}"


def _reason(said: str, claim: dict[str, Any]) -> Iterator[str]:
    """The same, with what is said to be missing and to keep rows open."""
    parts = said.split("; ")
    missing = [part for part in parts if part.startswith("missing runs: ")]
    opened = [part for part in parts if part.startswith("open for ")]
    yield from _who_says_what("; ".join(part for part in parts if part not in (*missing, *opened)), claim)
    found = {
        (row["open_because"], row["arm"])
        for row in claim["rows"]
        if row["open_because"] and row["applies"] and claim["verdict"] == "not decided"
    }
    kept_open = [re.fullmatch(r"open for ([^:]+): (.*)", part) for part in opened]
    if {(part[2], arm) for part in kept_open if part for arm in part[1].split(", ")} != found:
        yield f"kept open are {found}"
    listed = re.fullmatch(r"(?:missing runs: )?(.*?)(?: and (\d+) more)?", "".join(missing))
    assert listed is not None
    names, more = listed.groups()
    named = names.split(", ") if names else []
    if named != claim["missing"][: len(named)] or len(named) + int(more or 0) != len(claim["missing"]):
        yield f"missing are {claim['missing']}"


# A row of a table.


def _row(columns: list[str], row: list[str], results: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    cells = dict(zip(columns, row, strict=False))
    if "better?" in columns and cells["better?"] != "–":
        if columns[2].startswith("minus "):
            cells |= {"against": columns[2].removeprefix("minus "), "difference": cells[columns[2]]}
        metric = METRICS[columns[1]]
        found = [
            record
            for task in results["tasks"]
            if (record := _comparison(results, task, cells["arm"], cells["against"], metric)) is not None
            and _is(cells["difference"], record["difference"])
            and _is(cells[columns[1]], _mean(results, task, cells["arm"], metric, None))
        ]
        if not found:
            yield "no arm has this score and difference"
        elif not any(_names_its_seeds(cells, record, results) for record in found):
            yield "the difference is over other seeds than the scores, or than those named"
        elif cells["better?"] not in {_judged(record, results, claims)["verdict"] for record in found}:
            yield f"it is {_judged(found[0], results, claims)['verdict']} that it is better"
    elif columns[:2] == ["claim", "verdict"]:
        claim = next(claim for claim in claims["claims"] if claim["id"] == re.split(r"\s", cells["claim"])[0])
        if cells["verdict"] != _overall(claim["rows"]):
            yield f"{claim['id']} is {_overall(claim['rows'])}"
        if claim["effect"] and not _is(cells["effect"], claim["effect"]["effect"]):
            yield f"the effect is {claim['effect']['effect']}"
        if claim["effect"] or claim["missing"]:
            yield from _reason(row[-1], claim)
    elif {"verdict", "quantity", "effect is"} & set(columns) and "arm" in columns:
        same = [
            (claim["id"], record)
            for claim in claims["claims"]
            for record in claim["rows"]
            if [record[key] for key in ("task", "arm", "against")] == [cells[key] for key in ("task", "arm", "against")]
            and record["quantity"] == cells["effect is"]
        ]
        if not any(
            cells["verdict"] == record["verdict"] and _is(cells["effect"], record["effect"]) for _, record in same
        ):
            yield f"no row of claims.json says so: {[(name, r['verdict'], r['effect']) for name, r in same]}"


def _names_its_seeds(cells: dict[str, str], record: dict[str, Any], results: dict[str, Any]) -> bool:
    """Whether a row of the headline names the seeds of its difference, or it is over all seeds of both arms."""
    if "difference over seeds" in cells:
        return cells["difference over seeds"] == ", ".join(map(str, record["seeds"]))
    arms = (record["candidate"], record["baseline"])
    own = [
        [run["seed"] for run in results["runs"] if (run["task"], run["model"]) == (record["task"], arm)] for arm in arms
    ]
    return own == [record["seeds"]] * 2


# Numbers.


def _judged(comparison: dict[str, Any], results: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """Whether an arm is better: what the claim about the score says, with its correction; where no claim is, what the
    comparison's own numbers do.
    """
    keys = (comparison["task"], comparison["candidate"], comparison["baseline"])
    rows = [
        row
        for claim in claims["claims"]
        if claim["id"] == CLAIM_OF.get(comparison["metric"])
        for row in claim["rows"]
        if _keys(row) == keys
    ]
    if rows:
        return {key: rows[0][key] for key in ("verdict", "p_holm", "open_because")}
    task, metric, seeds = comparison["task"], comparison["metric"], comparison["seeds"]
    if max(_mean(results, task, arm, metric, seeds) for arm in keys[1:]) < LEAST:
        name = next(name for name, key in METRICS.items() if key == metric)
        return {"verdict": "not decided", "p_holm": None, "open_because": f"both score below {LEAST:g} {name}"}
    low, high, p = comparison["low"], comparison["high"], comparison["p_holm"]
    is_sure = p is not None and p < 1 - results["bootstrap"]["confidence"] and low is not None and low * high > 0
    verdict = ("supported" if low > 0 else "refuted") if is_sure else "not decided"
    return {"verdict": verdict, "p_holm": p, "open_because": ""}


def _keys(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["task"], row["arm"], row["against"]


def _comparison(
    results: dict[str, Any], task: str, arm: str, against: str, metric: str | None
) -> dict[str, Any] | None:
    """The comparison over most seeds."""
    found = [
        record
        for record in results["comparisons"]
        if (record["task"], record["candidate"], record["baseline"], record["metric"]) == (task, arm, against, metric)
    ]
    return max(found, key=lambda record: len(record["seeds"]), default=None)


def _mean(results: dict[str, Any], task: str, arm: str, metric: str, seeds: list[int] | None) -> float:
    return float(
        np.mean(
            [
                run["test"][metric]
                for run in results["runs"]
                if (run["task"], run["model"]) == (task, arm) and (seeds is None or run["seed"] in seeds)
            ]
        )
    )


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _is(text: str, value: float | None) -> bool:
    """Whether `text` is `value` to the digits that it shows."""
    if value is None or not re.fullmatch(NUMBER, text):
        return value is None and text == "–"
    digits = len(text.partition(".")[2])
    return abs(_value(text) - value) <= 0.5 * 10**-digits + 1e-9
