"""Who is said to support or refute a claim, and what is said to keep it open."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from contradictions.numbers import Record


def who_says_what(said: str, claim: Record) -> Iterator[str]:
    """Who is said to support or refute a claim, and of those whose rows disagree with how many rows."""
    found: dict[str, Counter[str]] = {}
    for row in claim["rows"]:
        if row["applies"] and not row["missing"]:
            found.setdefault(row["arm"], Counter())[row["verdict"]] += 1
    told: dict[str, Counter[str]] = {}
    for part in filter(None, said.split("; ")):
        plain = re.fullmatch(r"(refuted|supported|not decided) for (.*)", part)
        mixed = re.fullmatch(r"of the rows for (?:each of )?(\S+(?:, \S+)*) (\d.*)", part)
        if plain:  # whatever the number of rows
            told |= {arm: Counter({plain[1]: found.get(arm, Counter()).total()}) for arm in plain[2].split(", ")}
        elif mixed:
            counts = Counter({verdict: int(count) for count, verdict in re.findall(r"(\d+) ([^,]+)", mixed[2])})
            told |= {arm: counts for arm in mixed[1].split(", ")}
        else:
            yield f"who says {part!r}?"
    if told != found:
        yield f"arm by arm it is {found}"


def reason(said: str, claim: Record) -> Iterator[str]:
    """The same, with what is said to be missing and to keep rows open."""
    parts = said.split("; ")
    missing = [part for part in parts if part.startswith("missing runs: ")]
    opened = [part for part in parts if part.startswith("open for ")]
    yield from who_says_what("; ".join(part for part in parts if part not in (*missing, *opened)), claim)
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
