"""Draws noun phrases and adverbials: which words, how many adjectives, which article, which time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from softalign.data.phrasebook import noun_phrases as np
from softalign.data.phrasebook import numbers
from softalign.data.phrasebook.lexicon import Adjective, Lexicon, Noun, Place, compound
from softalign.data.phrasebook.noun_phrases import NounPhrase
from softalign.data.phrasebook.synchronous import EMPTY, Pair, lexical, preposition, sequence

CASES_OF_TITLE = {"nom": "Herr", "acc": "Herrn", "dat": "Herrn"}


def set_phrase(german: str, english: str) -> Pair:
    """An adverbial out of the lexicon: word by word if both sides have as many words, else as a whole."""
    left, right = german.split(), english.split()
    if len(left) != len(right):
        return lexical(german, english)
    return sequence(*(lexical(*part) for part in zip(left, right, strict=True)))


class PhraseGrammar:
    """The rules below the clause. `negated` phrases avoid articles that nicht does not go with (some, many, every)."""

    def __init__(self, generator: random.Random, lexicon: Lexicon) -> None:
        self.generator = generator
        self.lexicon = lexicon

    def chance(self, probability: float) -> bool:
        """A coin."""
        return self.generator.random() < probability

    def pick(self, **weights: float) -> str:
        """One of the names, by weight."""
        point = self.generator.random() * sum(weights.values())
        for name, weight in weights.items():
            point -= weight
            if point < 0:
                return name
        return name

    # Nouns and what stands before them

    def noun(self, kinds: Sequence[str]) -> Noun:
        """A noun of one of the classes; some are compounds, made here."""
        kind = self.generator.choice(kinds)
        if kind in ("tool", "furniture", "device") and self.chance(0.08):
            return compound(self.lexicon.doors.draw(self.generator), self.lexicon.door_parts.draw(self.generator))
        noun = self.lexicon.nouns[kind].draw(self.generator)
        if self.chance(0.4):
            for theme, seconds in self.lexicon.compound_seconds.items():
                if noun.german in seconds:
                    return compound(self.lexicon.compound_firsts[theme].draw(self.generator), noun)
        return noun

    def adjectives(self, kind: str, odds: float = 0.42) -> list[Adjective]:
        """None, one, or two different ones."""
        fitting = self.lexicon.adjectives.get(kind)
        if fitting is None or not self.chance(odds):
            return []
        chosen = [fitting.draw(self.generator)]
        second = fitting.draw(self.generator)
        if self.chance(0.2) and second is not chosen[0]:
            chosen.append(second)
        return chosen

    def count(self) -> Pair:
        """A number of two or more, mostly spelled out and mostly below a hundred."""
        size = self.pick(small=0.35, tens=0.45, hundreds=0.15, thousands=0.05)
        low, high = {"small": (2, 12), "tens": (13, 99), "hundreds": (100, 999), "thousands": (1000, 9999)}[size]
        return numbers.count(self.generator.randint(low, high), spelled=self.chance(0.8))

    def common(
        self, kinds: Sequence[str], case: str, topic: NounPhrase | None = None, negated: bool = False,
        may_be_kein: bool = False,
    ) -> NounPhrase:  # fmt: skip
        """A noun phrase with a common noun; `topic` is whose "sein" or "ihr" it may be."""
        noun = self.noun(kinds)
        adjectives = self.adjectives(noun.kind)
        if may_be_kein and self.chance(0.55):
            return np.noun_phrase(noun, case, self.pick(sg=0.6, pl=0.4), np.NO, adjectives)
        choice = self.pick(
            the=0.34, a=0.0 if negated else 0.2, my=0.14, this=0.05, every=0.0 if negated else 0.02, the_plural=0.07,
            quantity=0.0 if negated else 0.06, number=0.0 if negated else 0.12, owner=0.06, named=0.06,
        )  # fmt: skip
        if choice == "owner":
            owner = np.noun_phrase(
                self.noun(["person", "person", "animal"]), "gen", adjectives=self.adjectives("person", 0.2)
            )
            return np.noun_phrase(noun, case, adjectives=adjectives, owner=owner)
        if choice == "named":
            names = self.lexicon.women if self.chance(0.5) else self.lexicon.men
            return np.noun_phrase(noun, case, adjectives=adjectives, named_owner=names.draw(self.generator))
        if choice == "number":
            definite = self.chance(0.2)
            determiner = np.THE if definite else np.BARE
            return np.noun_phrase(noun, case, "pl", determiner, adjectives, self.count())
        if choice == "quantity":
            determiner = self.generator.choice((np.SOME, np.MANY, np.ALL, np.A))
            return np.noun_phrase(noun, case, "pl", determiner, adjectives)
        if choice == "the_plural":
            return np.noun_phrase(noun, case, "pl", np.THE, adjectives)
        if choice == "my":
            owner_of = topic if topic is not None and self.chance(0.7) else np.personal(self.speaker(), "nom")
            return np.noun_phrase(noun, case, self.pick(sg=0.75, pl=0.25), np.possessive(owner_of), adjectives)
        determiner = {"the": np.THE, "a": np.A, "this": np.THIS, "every": np.EVERY}[choice]
        return np.noun_phrase(noun, case, "sg", determiner, adjectives)

    def speaker(self) -> str:
        """ich, du, wir or ihr."""
        return self.pick(ich=0.45, wir=0.3, du=0.17, ihr=0.08)

    def named(self, case: str) -> NounPhrase:
        """A name out of a large open list: first name, first name and surname, or title and surname."""
        gender = self.pick(f=0.5, m=0.5)
        first = (self.lexicon.women if gender == "f" else self.lexicon.men).draw(self.generator)
        surname = self.lexicon.surnames.draw(self.generator)
        form = self.pick(first=0.5, full=0.3, title=0.2)
        if form == "first":
            return np.name(first, gender, case)
        if form == "full":
            return np.name(f"{first} {surname}", gender, case)
        title = lexical("Frau", "Mrs") if gender == "f" else lexical(CASES_OF_TITLE[case], "Mr", "herr")
        return np.name(surname, gender, case, title)

    def person(self, case: str, topic: NounPhrase | None = None, negated: bool = False) -> NounPhrase:
        """Somebody: a name, a pronoun of the first or second person, a noun, or two of them."""
        form = self.pick(name=0.4, speaker=0.14, noun=0.4, two=0.06)
        if form == "name":
            return self.named(case)
        if form == "speaker":
            return np.personal(self.speaker(), case)
        if form == "two":
            first = self.named(case)
            second = self.named(case) if self.chance(0.5) else self.common(["person"], case, None, True)
            return np.coordinated(first, second)
        return self.common(["person"], case, topic, negated)

    # Where and when

    def place_phrase(self, case: str, place: Place, topic: NounPhrase | None) -> NounPhrase:
        """The noun phrase of a place, mostly definite: "im alten Park"."""
        determiner = {"the": np.THE, "a": np.A, "my": np.possessive(topic or np.personal("wir", "nom"))}[
            self.pick(the=0.78, a=0.12, my=0.1)
        ]
        return np.noun_phrase(place.noun, case, "sg", determiner, self.adjectives("place", 0.3))

    def location(self, topic: NounPhrase | None) -> Pair:
        """Where something happens: a town, or a place in the dative."""
        if self.chance(0.3):
            town = self.lexicon.towns.draw(self.generator)
            return sequence(lexical("in", "in"), lexical(town, town, "NAME"))
        place = self.lexicon.places.draw(self.generator)
        return np.location(place, self.place_phrase("dat", place, topic))

    def direction(self, topic: NounPhrase | None) -> Pair:
        """Where somebody goes: nach and a town, or a place."""
        if self.chance(0.35):
            town = self.lexicon.towns.draw(self.generator)
            return sequence(lexical("nach", "to"), lexical(town, town, "NAME"))
        place = self.lexicon.places.draw(self.generator)
        return np.direction(place, self.place_phrase(np.direction_case(place), place, topic))

    def clock(self) -> Pair:
        """um halb neun."""
        return numbers.clock(self.generator.randint(1, 12), self.generator.choice((0, 0, 1, 2, 2, 3)))

    def time(self, mode: str) -> Pair:
        """When, fitting past | present | future."""
        form = self.pick(
            adverb=0.42, weekday=0.14, clock=0.13, date=0.09, year=0.07 if mode == "past" else 0.0,
            distance=0.0 if mode == "present" else 0.12,
        )  # fmt: skip
        if form == "adverb":
            return set_phrase(*self.lexicon.adverbs["time", mode].draw(self.generator))
        if form == "weekday":
            return self.weekday(mode)
        if form == "clock":
            return self.clock()
        if form == "date":
            return numbers.date(self.generator.randint(1, 28), self.generator.randrange(12))
        if form == "year":
            return numbers.year(self.generator.randint(1890, 2025))
        return self.distance(mode)

    def telling_time(self) -> Pair:
        """A time that by itself says "future", so that the present tense can be understood so."""
        form = self.pick(adverb=0.5, weekday=0.2, distance=0.3)
        if form == "adverb":
            return set_phrase(*self.lexicon.adverbs["time", "telling"].draw(self.generator))
        return self.weekday("future", certain=True) if form == "weekday" else self.distance("future")

    def weekday(self, mode: str, certain: bool = False) -> Pair:
        """am Montag, letzten Montag, jeden Montag um halb acht."""
        day = lexical(*self.generator.choice(numbers.WEEKDAYS), "WEEKDAY")
        before = {"past": ("letzten", "last"), "present": ("jeden", "every"), "future": ("nächsten", "next")}[mode]
        front = lexical("am", "on") if not certain and self.chance(0.5) else lexical(*before)
        return sequence(front, day, self.clock() if self.chance(0.25) else EMPTY)

    def distance(self, mode: str) -> Pair:
        """vor drei Jahren, three years ago; in drei Jahren, in three years."""
        units = (
            ("Tagen", "days"),
            ("Wochen", "weeks"),
            ("Monaten", "months"),
            ("Jahren", "years"),
            ("Stunden", "hours"),
        )
        unit = lexical(*self.generator.choice(units), "UNIT")
        low, high = self.generator.choice(((2, 12), (13, 60)))
        amount = numbers.count(self.generator.randint(low, high))
        if mode == "future":
            return sequence(lexical("in", "in"), amount, unit)
        ago = lexical("vor", "ago")
        phrase = sequence(amount, unit)
        return Pair(ago.german + phrase.german, phrase.english + ago.english)

    def price(self) -> Pair:
        """zwölf Euro, 12,50 Euro."""
        if self.chance(0.5):
            return numbers.price(100 * self.generator.randint(2, 99), spelled=True)
        return numbers.price(self.generator.randint(200, 9999))

    def for_price(self) -> Pair:
        """für 12,50 Euro."""
        return preposition("für", "for", self.price())
