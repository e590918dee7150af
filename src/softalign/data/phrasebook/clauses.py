"""The clause: one verb with its complements, put in order by two grammars at once.

German: the finite verb is second, first or last; participles, infinitives and split particles close the clause.
English: subject, verb and object in that order, with an operator before the subject in questions.
"""

from __future__ import annotations

from typing import NamedTuple

from softalign.data.phrasebook import morphology
from softalign.data.phrasebook.lexicon import Role, Verb
from softalign.data.phrasebook.noun_phrases import NounPhrase
from softalign.data.phrasebook.synchronous import (
    COMMAS,
    EMPTY,
    Link,
    Pair,
    Side,
    Word,
    join,
    preposition,
    sequence,
    words,
)
from softalign.data.phrasebook.verb_groups import Modal, VerbGroup


class Complement(NamedTuple):
    """An object or predicate of the verb, in its case; prepositions are put in when the verb's link is known."""

    phrase: Pair
    german_preposition: str = ""
    english_preposition: str = ""
    dative: bool = False
    pronoun: bool = False
    negation: Link | None = None
    relative: bool = False  # a relative pronoun or question word: goes to the front, the English preposition stays
    predicate: bool = False  # "müde" in "ist müde": behind nicht

    def build(self, verb: Link) -> Pair:
        """With its prepositions.

        A preposition that only one language has is aligned with the verb; English "to" of a German dative with the
        word that shows the dative.
        """
        if self.german_preposition and self.english_preposition:
            return preposition(self.german_preposition, self.english_preposition, self.phrase)
        if self.german_preposition:
            bare = preposition(self.german_preposition, "", self.phrase)
            first = bare.german[0]
            return Pair((first._replace(links=(verb, *first.links[1:])), *bare.german[1:]), bare.english)
        if self.english_preposition:
            links = self.phrase.german[0].links if self.dative else (verb,)
            return Pair(self.phrase.german, (Word(self.english_preposition, links), *self.phrase.english))
        return self.phrase


def complement(role: Role, phrase: NounPhrase, relative: bool = False) -> Complement:
    """The phrase in a role that the verb gives."""
    return Complement(
        phrase=phrase.pair,
        german_preposition=role.preposition,
        english_preposition=role.english_preposition,
        dative=role.case == "dat" and not role.preposition,
        pronoun=phrase.pronoun,
        negation=phrase.negation,
        relative=relative,
    )


class Clause(NamedTuple):
    """What is said, before it is put in order. For the tenses see `VerbGroup`.

    A modal brings its own paradigm, present or preterite, and `tense` says which. In the passive `subject` undergoes.
    """

    verb: Verb
    subject: NounPhrase
    objects: tuple[Complement, ...] = ()
    tense: str = "present"
    modal: Modal | None = None
    passive: bool = False
    negated: bool = False  # by nicht; kein comes with an object
    time: Pair = EMPTY
    adverb: Pair = EMPTY  # of frequency: before the English verb
    manner: Pair = EMPTY
    place: Pair = EMPTY
    extension: Pair = EMPTY  # a clause that depends on this one; follows everything

    def main(self, front: str = "subject") -> Pair:
        """A statement, verb second. `front`: subject | time | place | object (the first one)."""
        return self._build("second", front)

    def after_clause(self) -> Pair:
        """A statement behind a fronted clause: German verb first, English unmoved."""
        return self._build("first")

    def question(self, word: Pair = EMPTY) -> Pair:
        """A question, with its question word if it has one; to ask for the subject is `main` with wer as subject."""
        return self._build("first", question=True, word=word)

    def final(self) -> Pair:
        """Subordinate order, without the conjunction; a relative object comes first."""
        return self._build("final")

    def infinitive(self) -> Pair:
        """With zu; the subject is only there for what agrees with it."""
        return self._build("zu")

    def _build(self, order: str, front: str = "", question: bool = False, word: Pair = EMPTY) -> Pair:
        finite, main = Link(), Link()
        negation = next((item.negation for item in self.objects if item.negation), Link() if self.negated else None)
        support = question or negation is not None
        agreeing = (self.subject.person, self.subject.number)
        group = VerbGroup(self.verb, self.tense, self.modal, self.passive, *agreeing, support, finite, main)
        phrases = [(item, item.build(main)) for item in self.objects]
        german = self._german(order, front, group, phrases, negation)
        english = self._english(order, front, group, phrases, negation, question)
        return sequence(word, Pair(german, english), self.extension)

    def _german(
        self, order: str, front: str, group: VerbGroup, phrases: list[tuple[Complement, Pair]], negation: Link | None
    ) -> Side:
        """Fronted phrase, finite verb, middle field, closing verb; or the verb complex at the end."""
        relative = [pair.german for item, pair in phrases if item.relative]
        here = [(item, pair.german) for item, pair in phrases if not item.relative]
        pronouns = [side for item, side in here if item.pronoun and not item.german_preposition]
        late = [side for item, side in here if item.german_preposition or item.predicate]
        plain = [side for item, side in here if not (item.pronoun or item.predicate) and not item.german_preposition]
        reflexive: Side = ()
        if self.verb.reflexive:
            form = morphology.REFLEXIVE.get((self.subject.person, self.subject.number), "sich")
            reflexive = words(form, group.main, "REFL")
        head: Side = ()
        subject, time, place = self.subject.pair.german, self.time.german, self.place.german
        if front == "subject" or order == "zu":
            head, subject = (subject if front == "subject" else ()), ()
        elif front == "time":
            head, time = time, ()
        elif front == "place":
            head, place = place, ()
        elif front == "object":
            head, plain = plain[0], plain[1:]
        not_ = words("nicht", negation, "nicht") if self.negated and negation else ()
        middle = join(
            (subject, *pronouns, reflexive, time, self.adverb.german, *plain, not_, self.manner.german, place, *late)
        )
        if order == "zu":
            return join((*relative, middle, group.german_infinitive()))
        finite, closing = group.german(final=order == "final")
        if order == "final":
            return join((*relative, middle, closing, finite))
        return join((*relative, head, finite, middle, closing))

    def _english(
        self, order: str, front: str, group: VerbGroup, phrases: list[tuple[Complement, Pair]], negation: Link | None,
        question: bool,
    ) -> Side:  # fmt: skip
        """Fronted phrase, subject, verb, objects (those without a preposition first), manner, place, time."""
        relative: list[Side] = []
        direct: list[Side] = []
        indirect: list[Side] = []
        pronoun = any(item.pronoun and not (item.dative or item.english_preposition) for item in self.objects)
        for item, pair in phrases:
            if item.relative:
                stranded = 1 if item.english_preposition else 0
                relative.append(pair.english[stranded:])
                indirect.append(pair.english[:stranded])
            elif item.dative and pronoun and not item.english_preposition:  # "shows it to the guest"
                links = pair.german[0].links
                indirect.append((Word("to", links), *pair.english))
            else:
                (indirect if item.english_preposition else direct).append(pair.english)
        opening: Side = ()
        time, place = self.time.english, self.place.english
        if front == "time":
            opening, time = join((time, COMMAS.english)), ()
        elif front == "place":
            opening, place = join((place, COMMAS.english)), ()
        not_ = words("not", negation) if negation else ()
        subject = self.subject.pair.english
        if order == "zu":
            beginning, rest = not_ + self.adverb.english, group.english_infinitive()
        else:
            operator, rest = group.english()
            first = (operator, subject) if question else (subject, operator)
            beginning = join((*first, not_, self.adverb.english))
        # "turns it off", but "turns off the lamp"
        splits = len(self.verb.rest.split()) == 1 and any(
            item.pronoun and not item.english_preposition and not item.relative for item in self.objects
        )
        verb, particle = (rest[:-1], rest[-1:]) if splits else (rest, ())
        manner = self.manner.english
        return join((*relative, opening, beginning, verb, *direct, particle, *indirect, manner, place, time))
