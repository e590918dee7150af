"""How a brief is derived: lines with slots, the values behind the slots, and the gold alignment that falls out.

A line is a pair of texts, what the report says and what the summary then says. The markup of both:

- `{count}` is a slot: the value of the role `count`. A report may write 42 or forty-two; a summary writes numbers up to
  ten as words and the others as digits. `{who.last}` is a form of the value (see `FORMS`); `{count.a}` and `{count.b}`
  are two numbers that add up to `{count}`.
- `{count~}` and `{count~2}` are decoys, other values of the same type as the role; `{count+}` is a
  greater number, which a summary may use.
  A decoy never equals a value of a role, and shares no name with one.
- `[gutted]` is a wording that the other side of the line words in its brackets, perhaps differently.
- `<fire|blaze>` is a free choice, in reports only. ` / ` parts sentences that need not stand together in the report.
- `@where` in the summary of an event's main line is where the fact `where` goes, if the report has it; `@!who` is a
  fact that the report always has.

So the summary follows from the report: each main line and each way to tell a fact has one summary wording of its own.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import NamedTuple

from softalign.data.corpus import Example
from softalign.data.newsbriefs.lexicon import DRAW, MEN, NUMBER_WORDS, Value, spell

FACT_SHARE = 0.6  # of the facts that an event may have, how many a report tells

_MEN = frozenset(MEN)
_WORD = re.compile(r"\S+")
_MARKUP = re.compile(r"\{([^}]+)\}|\[([^\]]+)\]|<([^>]+)>")
_SENTENCE_START = re.compile(r"([.!?] )([a-z])")


@dataclass(frozen=True)
class Line:
    """One way to tell something: the units of the report, in order, and the wording in the summary."""

    report: tuple[str, ...]
    summary: str

    @classmethod
    def of(cls, report: str, summary: str) -> Line:
        return cls(tuple(report.split(" / ")), summary)


@dataclass(frozen=True)
class Event:
    """A type of event: its roles with their types, ways to tell what happened, its facts, and asides "
    "that are no facts."""

    name: str
    roles: dict[str, str]
    main: tuple[Line, ...]
    facts: dict[str, tuple[Line, ...]]
    asides: tuple[str, ...] = ()


@dataclass
class Values:
    """The values of the roles and decoys of one brief. `fixed` gives some of them; the others are drawn."""

    rng: random.Random
    roles: Mapping[str, str]
    fixed: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._values: dict[str, Value] = dict(self.fixed)
        self._names: set[str] = {name for value in self._values.values() for name in _names(value)}
        for role in self.roles:
            self[role]
        self._facts = {name for role in self.roles for name in _names(self._values[role])}

    def __getitem__(self, key: str) -> Value:
        if key not in self._values:
            self._values[key] = self._drawn(key)
            self._names.update(_names(self._values[key]))
        return self._values[key]

    def _drawn(self, key: str) -> Value:
        role = _role(key)
        draw = DRAW[self.roles.get(role) or role.rstrip("0123456789")]
        for attempt in range(200):
            value = draw(self.rng)
            if key.endswith("+"):
                actual = self._values[role]
                assert isinstance(actual, int)
                value = actual + self.rng.randint(2, 30) * (1 if actual < 100 else 100)
            # A short list (the days of the week) may run out of new decoys; they then repeat each other, never a fact.
            refused = self._names if attempt < 8 or key in self.roles else self._facts
            if refused.isdisjoint(_names(value)):
                return value
        raise ValueError(f"no value left for {key}")

    def part(self, key: str, form: str) -> int:
        """`a` or `b` of two numbers that add up to the value of `key`."""
        total, name = self[key], f"{key}~a"
        assert isinstance(total, int)
        first = self._values.setdefault(name, self.rng.randint(2, total - 2))
        assert isinstance(first, int)
        return first if form == "a" else total - first

    def decoys(self) -> dict[str, Value]:
        """What the report says beside the facts, by key."""
        return {key: value for key, value in self._values.items() if key not in self.roles}


@cache
def _role(key: str) -> str:
    return re.split(r"[~+]", key, maxsplit=1)[0]


@cache
def _names(value: Value) -> frozenset[str]:
    """What two values must not share: the number, the capitalised words, or all of a common noun phrase."""
    if isinstance(value, int):
        return frozenset((str(value),))
    return frozenset(word for word in value.split() if word[0].isupper() and word != "The") or frozenset((value,))


def article(noun: str) -> str:
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def bare(phrase: str) -> str:
    return re.sub(r"^(a|an|the) ", "", phrase)


def _is_man(person: str) -> bool:
    return person.split()[0] in _MEN


FORMS: dict[str, Callable[[str], str]] = {
    "last": lambda v: v.split()[-1],
    "title": lambda v: ("Mr " if _is_man(v) else "Ms ") + v.split()[-1],
    "they": lambda v: "he" if _is_man(v) else "she",
    "them": lambda v: "him" if _is_man(v) else "her",
    "their": lambda v: "his" if _is_man(v) else "her",
    "man": lambda v: "man" if _is_man(v) else "woman",
    "an": article,
    "the": lambda v: "the " + bare(v),
    "bare": bare,
}
_PRONOUNS = {"they", "them", "their", "man"}


class Span(NamedTuple):
    """Characters `start` to `end` express `fact`; `value` replaces what the words say where they give a part of it."""

    start: int
    end: int
    fact: str
    value: str | None = None


class Text(NamedTuple):
    text: str
    spans: tuple[Span, ...] = ()

    def places(self) -> dict[str, dict[str, list[int]]]:
        """For each fact, and each atom of what it says, the whitespace words that express it."""
        starts = [match.start() for match in _WORD.finditer(self.text)]
        found: dict[str, dict[str, list[int]]] = {}
        for span in self.spans:
            index = bisect_right(starts, span.start) - 1
            for word in self.text[span.start : span.end].split():
                part = span.value if span.value is not None else atom(word)
                found.setdefault(span.fact, {}).setdefault(part, []).append(index)
                index += 1
        return found


@cache
def atom(word: str) -> str:
    """What two aligned words have in common: lower-cased, without punctuation, numbers as digits."""
    plain = re.sub(r"'s$|[^\w'-]", "", word.lower())
    return str(NUMBER_WORDS[plain]) if plain in NUMBER_WORDS else plain


def join(texts: Sequence[Text], separator: str) -> Text:
    whole = ""
    spans: list[Span] = []
    for index, text in enumerate(texts):
        whole += separator if index else ""
        spans += [Span(s.start + len(whole), s.end + len(whole), s.fact, s.value) for s in text.spans]
        whole += text.text
    return Text(whole, tuple(spans))


def align(source: Text, target: Text) -> str:
    """Pharaoh pairs of the words that express the same part of the same fact.

    Of a wording in brackets, words that both sides have are aligned with each other, and those left over with all
    that are left over on the other side.
    """
    pairs: set[tuple[int, int]] = set()
    told = source.places()
    for fact, parts in target.places().items():
        origin = told.get(fact, {})
        for part in parts.keys() & origin.keys():
            pairs.update(product(origin[part], parts[part]))
        if fact.startswith("["):
            left = [i for part in origin.keys() - parts.keys() for i in origin[part]]
            right = [j for part in parts.keys() - origin.keys() for j in parts[part]]
            pairs.update(product(left, right))
    return " ".join(f"{i}-{j}" for i, j in sorted(pairs))


@cache
def _parsed(template: str) -> tuple[tuple[str, str, str, str], ...]:
    """(text before, slot, wording, choice) for each piece of markup, and the text after the last."""
    parts, at = [], 0
    for match in _MARKUP.finditer(template):
        slot, wording, choice = match.groups()
        parts.append((template[at : match.start()], slot or "", wording or "", choice or ""))
        at = match.end()
    return (*parts, (template[at:], "", "", ""))


def render(template: str, values: Values, line: str = "", summary: bool = False, opening: bool = True) -> Text:
    """Fill in a template that is a side of the line named `line`; `opening`: a sentence starts with it."""
    text = ""
    spans: list[Span] = []
    for before, slot, wording, choice in _parsed(template):
        text += before
        start = len(text)
        if choice:
            text += values.rng.choice(choice.split("|"))
        elif wording:
            text += wording
            spans.append(Span(start, len(text), f"[{line}]"))
        elif slot:
            key, _, form = slot.partition(".")
            value, part = values[key], None
            if form in ("a", "b"):
                part, value = str(value), values.part(key, form)
            if isinstance(value, int):
                initial = text.endswith(". ") if text else opening
                text += write(value, initial, summary, values.rng)
            else:
                text += FORMS[form](value) if form else value
            if key.rstrip("+") in values.roles and form not in _PRONOUNS:
                spans.append(Span(start, len(text), key, part))
    if opening:
        text = text[:1].upper() + text[1:]
    if ". " in text:
        text = _SENTENCE_START.sub(lambda match: match.group().upper(), text)
    return Text(text, tuple(spans))


def write(number: int, initial: bool, summary: bool, rng: random.Random) -> str:
    """In words at the start of a sentence, up to ten in a summary, and below 100 by chance in a report; "
    "else in digits."""
    if number < 100 and (initial or (number <= 10 if summary else rng.random() < 0.5)):
        return spell(number)
    return f"{number:,}"


@dataclass(frozen=True)
class Brief:
    """A derived pair, with the values that it was derived from."""

    example: Example
    facts: dict[str, Value]
    decoys: dict[str, Value]


def derive(
    event: Event,
    rng: random.Random,
    background: Sequence[str] = (),
    asides: int = 0,
    words: int = 0,
    choice: Mapping[str, int | None] | None = None,
    fixed: Mapping[str, Value] | None = None,
) -> Brief:
    """One brief about `event`, filled up with background until it has `words` words, but for the length as it comes.

    `choice` fixes the line of `main` or of a fact (None: left out), `fixed` the values of roles and decoys.
    """
    choice = choice or {}
    values = Values(rng, event.roles, fixed or {})
    number = choice.get("main", rng.randrange(len(event.main)))
    assert number is not None
    main = event.main[number]
    told = {"main": main}
    derivation = [f"{event.name}:{number}"]
    for _, needed, fact in _slots(main.summary):
        if not fact:
            continue
        lines = event.facts[fact]
        line = (
            choice[fact]
            if fact in choice
            else rng.randrange(len(lines))
            if needed or rng.random() < FACT_SHARE
            else None
        )
        if line is not None:
            told[fact] = lines[line]
            derivation.append(f"{fact}:{line}")

    threads = [[render(unit, values, name) for unit in line.report] for name, line in told.items()]
    threads += [[render(aside, values)] for aside in rng.sample(event.asides, asides)]
    first, threads[0] = threads[0][0], threads[0][1:]
    report = [first, *_interleaved(threads, rng)]
    length = sum(len(unit.text.split()) for unit in report)
    for index, template in enumerate(background):
        if length >= words:
            break
        # Every background sentence has slots of its own.
        unit = render(_renamed(template, index), values)
        report.insert(rng.randrange(len(report) + 1), unit)
        length += len(unit.text.split())
    source, target = join(report, " "), _summary(main, told, values)
    example = Example(source.text, target.text, align(source, target), " ".join(derivation))
    return Brief(example, {role: values[role] for role in event.roles}, values.decoys())


@cache
def _renamed(template: str, index: int) -> str:
    return re.sub(r"\{(\w+)", rf"{{\g<1>{index}0", template)


def _interleaved(threads: Sequence[Sequence[Text]], rng: random.Random) -> list[Text]:
    """The units of all threads in a random order that keeps the order within each thread."""
    order = [index for index, thread in enumerate(threads) for _ in thread]
    rng.shuffle(order)
    heads = [iter(thread) for thread in threads]
    return [next(heads[index]) for index in order]


def _summary(main: Line, told: Mapping[str, Line], values: Values) -> Text:
    pieces: list[Text] = []
    written = False
    for wording, _, fact in _slots(main.summary):
        for template, line in ((wording, "main"), (told[fact].summary if fact in told else "", fact)):
            if template:
                pieces.append(render(template, values, line, summary=True, opening=not written))
                written = True
    return join(pieces, "")


@cache
def _slots(summary: str) -> tuple[tuple[str, str, str], ...]:
    """(wording, "!" where the fact must be told, fact) for each fact of a main line, and the wording after the last."""
    parts = re.split(r"@(!?)(\w+)", summary)
    return tuple(zip(parts[::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True))
