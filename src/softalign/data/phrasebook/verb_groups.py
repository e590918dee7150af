"""The verb of a clause on both sides: tense, modal, passive, split particles, and English "do"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from softalign.data.phrasebook import morphology
from softalign.data.phrasebook.lexicon import Verb
from softalign.data.phrasebook.synchronous import Link, Side, Word, words


@dataclass(frozen=True)
class Modal:
    """`english` is an auxiliary ("can"); or, with `to`, a verb or "be" and the words up to the infinitive."""

    german: dict[tuple[int, str], str]
    english: str
    english_past: str
    to: str = ""


_P = morphology.paradigm
MODALS = {
    "können": (
        Modal(_P("kann kannst kann können könnt können"), "can", "can"),
        Modal(_P("konnte konntest konnte konnten konntet konnten"), "could", "could"),
    ),
    "müssen": (
        Modal(_P("muss musst muss müssen müsst müssen"), "have", "had", "to"),
        Modal(_P("musste musstest musste mussten musstet mussten"), "have", "had", "to"),
    ),
    "wollen": (
        Modal(_P("will willst will wollen wollt wollen"), "want", "wanted", "to"),
        Modal(_P("wollte wolltest wollte wollten wolltet wollten"), "want", "wanted", "to"),
    ),
    "sollen": (
        Modal(_P("soll sollst soll sollen sollt sollen"), "should", "should"),
        Modal(_P("sollte solltest sollte sollten solltet sollten"), "be", "", "supposed to"),
    ),
    "dürfen": (
        Modal(_P("darf darfst darf dürfen dürft dürfen"), "be", "", "allowed to"),
        Modal(_P("durfte durftest durfte durften durftet durften"), "be", "", "allowed to"),
    ),
    "möchten": (Modal(_P("möchte möchtest möchte möchten möchtet möchten"), "would", "would", "like to"),),
}
BE = Verb(
    german="sein", particle="", third="ist", past="war", participle="gewesen", auxiliary="sein", reflexive=False,
    english="be", rest="", english_past="was", english_participle="been", subjects=(), roles=(), place="", stative=True,
)  # fmt: skip

COST = Verb(
    german="kosten", particle="", third="kostet", past="kostete", participle="gekostet", auxiliary="haben",
    reflexive=False, english="cost", rest="", english_past="cost", english_participle="cost", subjects=(), roles=(),
    place="",
    stative=True,
)  # fmt: skip


class VerbGroup(NamedTuple):
    """A verb in its tense, agreeing with person and number.

    Tense: present | planned (present form, English "will") | preterite | perfect | pluperfect | future.
    `finite` and `main` link the finite verb and the content verb; where German has one word, it has both links.
    `support`: the clause is a question or negative, so that English needs an operator, if only "do".
    """

    verb: Verb
    tense: str
    modal: Modal | None
    passive: bool
    person: int
    number: str
    support: bool
    finite: Link
    main: Link

    def german(self, final: bool) -> tuple[Side, Side]:
        """The finite verb, and what closes the clause; in a final verb the particle is written with it."""
        verb, agreeing = self.verb, (self.person, self.number)
        participle = (Word(verb.participle, (self.main,), "V.part"),)
        infinitive = (Word(verb.particle + verb.german, (self.main,), "V.inf"),)
        if self.modal:
            return (Word(self.modal.german[agreeing], (self.finite,), "MODAL"),), infinitive
        if self.passive:
            tense = "preterite" if self.tense == "preterite" else "present"
            return (self._auxiliary("werden", tense, (self.finite,)),), participle
        if self.tense == "perfect":  # one English word for both, unless "did" takes the part of hat
            links = (self.finite,) if self.support else (self.finite, self.main)
            return (self._auxiliary(verb.auxiliary, "present", links),), participle
        if self.tense == "pluperfect":
            return (self._auxiliary(verb.auxiliary, "preterite", (self.finite,)),), participle
        if self.tense == "future":
            return (self._auxiliary("werden", "present", (self.finite,)),), infinitive
        tense = "preterite" if self.tense == "preterite" else "present"
        if (verb.german, tense) in morphology.AUXILIARIES:
            form = morphology.AUXILIARIES[verb.german, tense][agreeing]
        elif tense == "present":
            form = morphology.present(verb.german, verb.third, *agreeing)
        else:
            form = morphology.preterite(verb.past, *agreeing)
        links = (self.finite, self.main)
        if final:
            return (Word(verb.particle + form, links, "V.fin"),), ()
        return (Word(form, links, "V.fin"),), words(verb.particle, self.main, "PRT")

    def german_infinitive(self) -> Side:
        """zu lesen; aufzumachen, one word that is aligned with "to" and with the verb."""
        verb = self.verb
        if verb.particle:
            return (Word(verb.particle + "zu" + verb.german, (self.main, self.finite), "V.zu"),)
        return (Word("zu", (self.finite,), "zu"), Word(verb.german, (self.main,), "V.inf"))

    def _auxiliary(self, infinitive: str, tense: str, links: tuple[Link, ...]) -> Word:
        form = morphology.AUXILIARIES[infinitive, tense][self.person, self.number]
        return Word(form, links, "werden" if infinitive == "werden" else "haben")

    def english(self) -> tuple[Side, Side]:
        """The operator (the first auxiliary; empty if there is none) and the rest of the group."""
        verb, past = self.verb, self.tense in ("preterite", "perfect")
        third = self.person == 3 and self.number == "sg" and not past
        base, rest = words(verb.english, self.main), words(verb.rest, self.main)
        be = morphology.be("past" if past else "present", self.person, self.number)
        if self.modal and self.modal.english in ("have", "want"):
            form = self.modal.english_past if past else self._present(self.modal.english, third)
            operator, finite = self._do(form, self.modal.english, past, third, self.finite)
            return operator, finite + words(self.modal.to, self.finite) + base + rest
        if self.modal:
            operator = words(be if self.modal.english == "be" else self.modal.english, self.finite)
            return operator, words(self.modal.to, self.finite) + base + rest
        if self.passive:
            return words(be, self.finite), words(verb.english_participle, self.main) + rest
        if self.tense == "pluperfect":
            return words("had", self.finite), words(verb.english_participle, self.main) + rest
        if self.tense in ("future", "planned"):
            return words("will", self.finite), base + rest
        if verb.english == "be":
            return words(be, self.finite), rest
        form = verb.english_past if past else self._present(verb.english, third)
        operator, finite = self._do(form, verb.english, past, third, self.main)
        return operator, finite + rest

    def english_infinitive(self) -> Side:
        """to open."""
        return words("to", self.finite) + words(self.verb.english, self.main) + words(self.verb.rest, self.main)

    @staticmethod
    def _present(base: str, third: bool) -> str:
        return morphology.english_third(base) if third else base

    def _do(self, form: str, base: str, past: bool, third: bool, link: Link) -> tuple[Side, Side]:
        """The form itself, or do, does, did and the base."""
        if not self.support:
            return (), words(form, link)
        return words("did" if past else "does" if third else "do", self.finite), words(base, link)
