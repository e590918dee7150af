"""The open-class words, read from the CSV files beside this module, and how they are drawn.

Order in a file is rank: words are drawn by Zipf's law, so that most of a class is rare.
"""

from __future__ import annotations

import csv
import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Generic, TypeVar

from softalign.data.phrasebook import morphology

T = TypeVar("T")

# Noun classes that a verb may name together.
GROUPS = {
    "goods": ("text", "food", "device", "clothing", "tool", "furniture"),
    "thing": ("text", "device", "vehicle", "clothing", "tool", "furniture"),
    "any": ("person", "animal", "text", "vehicle", "tool", "clothing", "furniture", "plant"),
    "known": ("person", "text", "event", "tool"),
    "beings": ("person", "animal"),
    "awaited": ("vehicle", "person", "text"),
    "cleaned": ("opening", "furniture", "vehicle", "device"),
    "painted": ("furniture", "opening", "vehicle"),
    "payable": ("food", "text", "tool", "clothing"),
    "cuttable": ("food", "plant"),
    "climbed": ("plant", "furniture"),
    "hung": ("clothing", "tool"),
}
CLAUSAL = ("dass", "ob", "zu")  # verbs that take a clause
MODES = ("past", "present", "future")
# Adjective classes -> the noun classes that they fit.
FITS = {
    "any": ("person", "animal", "text", "food", "device", "vehicle", "clothing", "furniture", "tool", "plant", "place",
            "opening"),
    "thing": ("text", "device", "vehicle", "clothing", "furniture", "tool", "opening"),
    "animate": ("person", "animal"),
}  # fmt: skip


@dataclass(frozen=True)
class Noun:
    """`english_pronoun` is he | she | it; `kind` its class in the file."""

    kind: str
    german: str
    gender: str
    plural: str
    genitive: str
    weak: bool
    english: str
    english_plural: str
    english_pronoun: str

    def form(self, case: str, number: str) -> str:
        """The German form."""
        return morphology.noun_form(self.german, self.plural, self.gender, self.weak, self.genitive, case, number)

    def english_form(self, number: str) -> str:
        """The English form."""
        return self.english if number == "sg" else self.english_plural


@dataclass(frozen=True)
class Place:
    """A noun with the prepositions for "where" and "where to"."""

    noun: Noun
    at: str
    english_at: str
    to: str


@dataclass(frozen=True)
class Adjective:
    """`stem` is the German form before an ending."""

    german: str
    stem: str
    english: str
    kind: str


@dataclass(frozen=True)
class Role:
    """A complement of a verb: its case, or preposition and case, the nouns that fit, the English preposition."""

    case: str
    preposition: str
    kinds: tuple[str, ...]
    english_preposition: str


@dataclass(frozen=True)
class Verb:
    """`particle` splits off in German main clauses; `rest` are the English words after the one that is inflected."""

    german: str  # infinitive without particle
    particle: str
    third: str
    past: str
    participle: str
    auxiliary: str
    reflexive: bool
    english: str
    rest: str
    english_past: str
    english_participle: str
    subjects: tuple[str, ...]
    roles: tuple[Role, ...]
    place: str  # may go with "where" (at), must (always), must go with "where to" (to), or neither
    stative: bool  # takes no modal and no zu: "wants to need"


class Zipf(Generic[T]):
    """Draws items with a probability that falls as 1 / (rank + shift)."""

    def __init__(self, items: Sequence[T], shift: float = 4.0) -> None:
        self.items = list(items)
        self.cumulative = list(accumulate(1 / (rank + shift) for rank in range(len(self.items))))

    def draw(self, generator: random.Random) -> T:
        """One item."""
        return self.items[bisect_right(self.cumulative, generator.random() * self.cumulative[-1])]


def _rows(name: str) -> list[dict[str, str]]:
    text = files("softalign.data.phrasebook").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _plural(singular: str, code: str) -> str:
    return singular + code[1:] if code.startswith("-") else code


def _noun(kind: str, row: dict[str, str]) -> Noun:
    gender, _, pronoun = row["gender"].partition(":")
    weak = gender == "mw"
    gender = gender[0]
    if kind == "person" and not pronoun:
        pronoun = {"m": "he", "f": "she", "n": "it"}[gender]
    plural = _plural(row["german"], row["plural"])
    genitive = morphology.genitive_singular(row["german"], plural, gender)
    if row["german"] == "Bus":
        genitive = "Busses"
    english_plural = row["plural_en"] or morphology.english_plural(row["english"])
    return Noun(
        kind, row["german"], gender, plural, genitive, weak, row["english"], english_plural, pronoun or "it"
    )  # fmt: skip


def _nouns() -> list[Noun]:
    nouns = []
    for row in _rows("nouns"):
        noun = _noun(row["class"], row)
        nouns.append(noun)
        if row["feminine"]:
            feminine = noun.german + "in" if row["feminine"] == "+" else row["feminine"]
            if row["feminine"] == "+" and noun.german.endswith("e"):
                feminine = noun.german[:-1] + "in"
            nouns.append(
                Noun(
                    "person", feminine, "f", feminine + "nen", feminine, False, noun.english, noun.english_plural, "she"
                )
            )
    return nouns


def _roles(text: str) -> tuple[Role, ...]:
    roles = []
    for part in text.split():
        if part in CLAUSAL:
            continue
        governs, _, rest = part.partition(":")
        kind, _, english = rest.partition(">")
        german, _, case = governs.rpartition("+")
        roles.append(Role(case, german, GROUPS.get(kind, (kind,)), english))
    return tuple(roles)


def _verb(row: dict[str, str]) -> Verb:
    reflexive = row["german"].startswith("sich ")
    particle, _, infinitive = row["german"].removeprefix("sich ").rpartition("|")
    third, past, participle = morphology.weak_forms(particle, infinitive)
    english, _, rest = row["english"].partition(" ")
    english_past = row["past"] or morphology.english_past(english)
    return Verb(
        german=infinitive,
        particle=particle,
        third=row["third"] or third,
        past=row["preterite"] or past,
        participle=row["participle"] or participle,
        auxiliary=row["aux"] or "haben",
        reflexive=reflexive,
        english=english,
        rest=rest,
        english_past=english_past,
        english_participle=row["participle_en"] or english_past,
        subjects=GROUPS.get(row["subject"], (row["subject"],)),
        roles=_roles(row["objects"]),
        place=row["place"],
        stative=bool(row["stative"]),
    )


@dataclass(frozen=True)
class Lexicon:
    """Everything that is drawn, by class."""

    nouns: dict[str, Zipf[Noun]]
    places: Zipf[Place]
    adjectives: dict[str, Zipf[Adjective]]  # by the noun class that they fit
    verbs: dict[
        str, Zipf[Verb]
    ]  # by what they take: "" noun phrases only; dass, ob, zu a clause; thing: not by persons
    adverbs: dict[tuple[str, str], Zipf[tuple[str, str]]]  # by kind and mode; telling: future only
    women: Zipf[str]
    men: Zipf[str]
    surnames: Zipf[str]
    towns: Zipf[str]
    compound_firsts: dict[str, Zipf[tuple[str, str]]]
    compound_seconds: dict[str, frozenset[str]]
    doors: Zipf[tuple[str, str]]
    door_parts: Zipf[Noun]

    def noun(self, german: str) -> Noun:
        """The noun of that name, for tests and notebooks. Raises `KeyError`."""
        for zipf in self.nouns.values():
            for noun in zipf.items:
                if noun.german == german:
                    return noun
        for place in self.places.items:
            if place.noun.german == german:
                return place.noun
        raise KeyError(german)

    def place(self, german: str) -> Place:
        """The place of that name. Raises `KeyError`."""
        return _only(place for place in self.places.items if place.noun.german == german)

    def adjective(self, german: str) -> Adjective:
        """The adjective of that name. Raises `KeyError`."""
        return _only(word for zipf in self.adjectives.values() for word in zipf.items if word.german == german)

    def verb(self, german: str) -> Verb:
        """The first verb with that infinitive, particle included. Raises `KeyError`."""
        return _only(
            verb for zipf in self.verbs.values() for verb in zipf.items if verb.particle + verb.german == german
        )


def _only(items: Iterable[T]) -> T:
    for item in items:
        return item
    raise KeyError("no such word")


def compound(first: tuple[str, str], head: Noun) -> Noun:
    """Küchen + Tisch -> Küchentisch, kitchen table: gender, plural and genitive are the head's."""
    german, english = first

    def join(word: str) -> str:
        return german + word.lower()

    return Noun(
        head.kind, join(head.german), head.gender, join(head.plural), join(head.genitive), head.weak,
        f"{english} {head.english}", f"{english} {head.english_plural}", head.english_pronoun,
    )  # fmt: skip


@cache
def lexicon() -> Lexicon:
    """Read the files, once."""
    nouns = _nouns()
    parts = {noun.german: noun for noun in nouns}
    kinds = {kind: Zipf([noun for noun in nouns if noun.kind == kind]) for kind in dict.fromkeys(n.kind for n in nouns)}
    places = [Place(_noun("place", row), row["at"], row["at_en"], row["to"]) for row in _rows("places")]
    kinds["place"] = Zipf([place.noun for place in places])
    adjectives = [
        Adjective(row["german"], row["stem"] or row["german"], row["english"], row["class"])
        for row in _rows("adjectives")
    ]
    fitting = {kind: Zipf([word for word in adjectives if kind in FITS.get(word.kind, (word.kind,))]) for kind in kinds}
    names = {row["kind"]: row for row in _rows("names")}

    def combined(kind: str) -> list[str]:
        """All pairs of a first and a second part, in an order that mixes both."""
        first, second = names[kind]["first"].split(), names[kind]["second"].split()
        count = len(first) * len(second)
        pairs = [(i % len(first), (i // len(first) + i) % len(second)) for i in range(count)]
        return [first[a] + second[b] for a, b in dict.fromkeys(pairs) if first[a].lower()[-3:] != second[b][:3]]

    by_kind: dict[str, list[Verb]] = {}
    for row in _rows("verbs"):
        kind = row["objects"] if row["objects"] in CLAUSAL else "" if row["subject"] == "person" else "thing"
        by_kind.setdefault(kind, []).append(_verb(row))
    adverbs = {
        (kind, mode): Zipf(
            [(r["german"], r["english"]) for r in _rows("adverbs") if r["kind"] == kind and r["tense"] in (mode, "any")]
        )
        for kind in ("time", "frequency")
        for mode in MODES
    }
    adverbs["time", "telling"] = Zipf([(r["german"], r["english"]) for r in _rows("adverbs") if r["tense"] == "future"])
    adverbs["manner", ""] = Zipf([(r["german"], r["english"]) for r in _rows("adverbs") if r["kind"] == "manner"])
    rows = _rows("compounds")
    themes = ("home", "clothing", "text")
    return Lexicon(
        nouns=kinds,
        places=Zipf(places),
        adjectives={kind: zipf for kind, zipf in fitting.items() if zipf.items},
        verbs={kind: Zipf(verbs, shift=12) for kind, verbs in by_kind.items()},
        adverbs=adverbs,
        women=Zipf(names["female"]["first"].split()),
        men=Zipf(names["male"]["first"].split()),
        surnames=Zipf(combined("surname"), shift=20),
        towns=Zipf(combined("town"), shift=20),
        compound_firsts={
            theme: Zipf([(r["german"], r["english"]) for r in rows if (r["part"], r["class"]) == ("first", theme)])
            for theme in themes
        },
        compound_seconds={
            theme: frozenset(r["german"] for r in rows if (r["part"], r["class"]) == ("second", theme))
            for theme in themes
        },
        doors=Zipf([(r["german"] + "tür", r["english"]) for r in rows if r["part"] == "door"]),
        door_parts=Zipf([parts[r["german"]] for r in rows if r["part"] == "doorpart"]),
    )
