"""Noun phrases: article, number, adjectives, noun, genitive; pronouns and names. All agreement is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from softalign.data.phrasebook import morphology
from softalign.data.phrasebook.lexicon import Adjective, Noun, Place
from softalign.data.phrasebook.synchronous import EMPTY, Link, Pair, Word, lexical, preposition, sequence, words


@dataclass(frozen=True)
class Determiner:
    """`pattern` says how it is inflected, `adjectives` the endings that it leaves to adjectives."""

    german: str
    pattern: str  # definite | dies | ein | none
    adjectives: str  # weak | mixed | strong
    singular: str
    plural: str
    negative: bool = False

    def form(self, case: str, gender: str, number: str) -> str:
        """The German word, empty if there is none."""
        if self.pattern == "definite":
            return morphology.definite(case, gender, number)
        if self.pattern == "none" or (self.german == "ein" and number == "pl"):
            return ""
        suffix = morphology.ending(self.pattern, case, gender, number)
        return ("eur" if self.german == "euer" and suffix else self.german) + suffix

    def declension(self, number: str) -> str:
        """The kind of ending of an adjective that follows."""
        return "strong" if self.german == "ein" and number == "pl" else self.adjectives


THE = Determiner("der", "definite", "weak", "the", "the")
A = Determiner("ein", "ein", "mixed", "a", "")
NO = Determiner("kein", "ein", "mixed", "a", "any", negative=True)
THIS = Determiner("dies", "dies", "weak", "this", "these")
EVERY = Determiner("jed", "dies", "weak", "every", "every")
WHICH = Determiner("welch", "dies", "weak", "which", "which")
BARE = Determiner("", "none", "strong", "", "")
SOME = Determiner("einig", "dies", "strong", "some", "some")
MANY = Determiner("viel", "dies", "strong", "many", "many")
ALL = Determiner("all", "dies", "weak", "all", "all")


class NounPhrase(NamedTuple):
    """A noun phrase in its case, and what agrees with it; `refers` is the English pronoun for it."""

    pair: Pair
    gender: str
    number: str = "sg"
    person: int = 3
    refers: str = "it"
    case: str = "nom"
    pronoun: bool = False
    kind: str = "person"  # the noun's class
    negation: Link | None = None  # of kein, whose "not" stands with the English verb

    def followed_by(self, after: Pair) -> NounPhrase:
        """With a relative clause, say."""
        return self._replace(pair=sequence(self.pair, after))


def article(determiner: Determiner, case: str, gender: str, number: str, link: Link) -> Pair:
    """The determiner alone, agreeing with its noun."""
    german = determiner.form(case, gender, number)
    english = determiner.singular if number == "sg" else determiner.plural
    return Pair(words(german, link, "DET"), words(english, link))


def noun_phrase(
    noun: Noun,
    case: str,
    number: str = "sg",
    determiner: Determiner = THE,
    adjectives: Sequence[Adjective] = (),
    count: Pair = EMPTY,
    owner: NounPhrase | None = None,
    named_owner: str = "",
) -> NounPhrase:
    """Article, count, adjectives and noun in agreement.

    `owner` is a genitive that follows the German noun and stands as 's before the English one; `named_owner` is a
    name, before the noun on both sides. Both take the place of the English article.
    """
    link = Link()
    declension = determiner.declension(number)
    if named_owner:
        declension = "strong"
        front = possessive_name(named_owner)
    else:
        front = article(determiner, case, noun.gender, number, link)
    if owner is not None:
        front = Pair(front.german, front.english if owner.refers == "it" else genitive(owner.pair.english))
    suffix = morphology.ending(declension, case, noun.gender, number)
    described = [lexical(word.stem + suffix, word.english, "ADJ") for word in adjectives]
    head = lexical(noun.form(case, number), noun.english_form(number), "N")
    pair = sequence(front, count, *described, head)
    if owner is not None:
        pair = sequence(pair, of(owner) if owner.refers == "it" else Pair(owner.pair.german, ()))
    refers = "they" if number == "pl" else noun.english_pronoun
    return NounPhrase(
        pair, noun.gender, number, refers=refers, case=case, kind=noun.kind,
        negation=link if determiner.negative else None,
    )  # fmt: skip


def of(owner: NounPhrase) -> Pair:
    """The genitive of a thing: "of" has no German word but the case of the article, and is aligned with that."""
    first = owner.pair.german[0]
    return Pair(owner.pair.german, (Word("of", first.links), *owner.pair.english))


def genitive(side: tuple[Word, ...]) -> tuple[Word, ...]:
    """The last English word with 's."""
    last = side[-1]
    return (*side[:-1], last._replace(text=last.text + ("'" if last.text.endswith("s") else "'s")))


def possessive_name(text: str) -> Pair:
    """Annas, Anna's; Jonas', Jonas's."""
    return lexical(text + ("'" if text[-1] in "sxzß" else "s"), text + "'s", "NAME")


def name(text: str, gender: str, case: str = "nom", title: Pair = EMPTY) -> NounPhrase:
    """A person's name, the same in both languages."""
    parts = [lexical(part, part, "NAME") for part in text.split()]
    return NounPhrase(sequence(title, *parts), gender, refers="he" if gender == "m" else "she", case=case)


def personal(key: str, case: str) -> NounPhrase:
    """ich, du, wir, ihr."""
    forms = morphology.PRONOUNS[key]
    german = {"nom": forms[0], "acc": forms[1], "dat": forms[2]}[case]
    english = forms[4] if case == "nom" else forms[5]
    pair = lexical(german, english, "PRON")
    return NounPhrase(pair, "m", forms[8], forms[7], refers=key, case=case, pronoun=True)


def pronoun(referent: NounPhrase, case: str) -> NounPhrase:
    """er, sie, es for something mentioned before: German gender, but English he, she, it, they by what it is."""
    if referent.refers in morphology.PRONOUNS:
        return personal(referent.refers, case)
    german = morphology.THIRD["pl" if referent.number == "pl" else referent.gender][("nom", "acc", "dat").index(case)]
    english = morphology.ENGLISH_THIRD[referent.refers][0 if case == "nom" else 1]
    return referent._replace(pair=lexical(german, english, "PRON"), case=case, pronoun=True, negation=None)


def possessive(referent: NounPhrase) -> Determiner:
    """mein, dein, sein, ihr as an article."""
    if referent.refers in morphology.PRONOUNS:
        forms = morphology.PRONOUNS[referent.refers]
        return Determiner(forms[3], "ein", "mixed", forms[6], forms[6])
    german = morphology.THIRD["pl" if referent.number == "pl" else referent.gender][3]
    english = morphology.ENGLISH_THIRD[referent.refers][2]
    return Determiner(german, "ein", "mixed", english, english)


def nobody(case: str) -> NounPhrase:
    """niemand."""
    german = {"nom": "niemand", "acc": "niemanden", "dat": "niemandem"}[case]
    return NounPhrase(lexical(german, "nobody"), "m", refers="he", case=case)


def coordinated(first: NounPhrase, second: NounPhrase) -> NounPhrase:
    """Two noun phrases joined by und: a plural."""
    pair = sequence(first.pair, lexical("und", "and"), second.pair)
    return NounPhrase(pair, "m", "pl", refers="they", case=first.case)


def location(place: Place, noun_phrase: NounPhrase) -> Pair:
    """Where: the place in the dative."""
    return preposition(place.at, place.english_at, noun_phrase.pair)


def direction(place: Place, noun_phrase: NounPhrase) -> Pair:
    """Where to: accusative after in, an, auf; dative after zu."""
    return preposition(place.to, "to", noun_phrase.pair)


def direction_case(place: Place) -> str:
    """The case that `direction` needs."""
    return "dat" if place.to == "zu" else "acc"
