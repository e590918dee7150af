"""Draws one clause: verb, subject, objects, tense, when, how and where; and relative clauses inside noun phrases."""

from __future__ import annotations

import random

from softalign.data.phrasebook import morphology
from softalign.data.phrasebook import noun_phrases as np
from softalign.data.phrasebook.clauses import Clause, Complement, complement
from softalign.data.phrasebook.lexicon import Lexicon, Role, Verb
from softalign.data.phrasebook.noun_phrases import NounPhrase
from softalign.data.phrasebook.phrase_grammar import PhraseGrammar
from softalign.data.phrasebook.synchronous import COMMA, EMPTY, Pair, lexical, sequence
from softalign.data.phrasebook.verb_groups import BE, COST, MODALS, Modal

SOLD = ("kaufen", "verkaufen", "bestellen", "ersteigern", "mieten", "reparieren")


class ClauseGrammar(PhraseGrammar):
    """The rules of the clause; `topic` is the person that was last spoken of, `theme` the thing."""

    def __init__(self, generator: random.Random, words: Lexicon) -> None:
        super().__init__(generator, words)
        self.topic: NounPhrase | None = None
        self.theme: NounPhrase | None = None
        self.spare = 0  # clauses that noun phrases may still take up as relative clauses

    # One clause

    def tense(self, mode: str, subject: NounPhrase, modals: bool = True) -> tuple[str, Modal | None]:
        """Tense and modal for a mode; the preterite is not used for "du" and "ihr", as in speech."""
        if mode == "before":
            return "pluperfect", None
        if modals and self.chance(0.25):
            forms = MODALS[self.pick(können=0.25, müssen=0.25, wollen=0.2, dürfen=0.1, sollen=0.1, möchten=0.1)]
            if mode == "past" and len(forms) == 2:
                return "preterite", forms[1]
            if mode != "past":
                return "present", forms[0]
        if mode == "past":
            return ("perfect" if subject.person == 2 or self.chance(0.62) else "preterite"), None
        return ("future" if mode == "future" else "present"), None

    def role(self, role: Role, subject: NounPhrase, negated: bool, first: bool) -> Complement:
        """An object: something mentioned before as a pronoun, a person, or a noun phrase."""
        theme = self.theme
        if theme is not None and theme.kind in role.kinds and not role.preposition and self.chance(0.5):
            self.theme = None
            return complement(role, np.pronoun(theme, role.case))
        if role.kinds[0] == "person" and self.chance(0.5):
            phrase = self.named(role.case)
        else:
            kein = negated and first and role.case == "acc" and not role.preposition
            phrase = self.common(role.kinds, role.case, subject, negated, may_be_kein=kein)
        if phrase.negation is None:
            phrase = self.with_relative(phrase)
        if first and phrase.kind != "person":
            self.theme = phrase
        return complement(role, phrase)

    def subject(self, verb: Verb, negated: bool) -> NounPhrase:
        """Who does it; in a later clause often the one already spoken of."""
        if "person" in verb.subjects:
            if self.topic is not None and self.chance(0.5):
                return np.pronoun(self.topic, "nom")
            if not negated and self.chance(0.015):
                return np.nobody("nom")
            return self.with_relative(self.person("nom", None, negated))
        return self.with_relative(self.common(verb.subjects, "nom", self.topic, negated))

    def clause(self, mode: str, subject: NounPhrase | None = None, kind: str = "") -> Clause:
        """A clause about what happens. `kind` is that of the verb."""
        if not kind and subject is None and self.chance(0.12):
            return self.state(mode)
        if not kind and subject is None and self.chance(0.1):
            kind = "thing"
        verb = self.lexicon.verbs[kind].draw(self.generator)
        negated = self.chance(0.13) and mode != "before"
        subject = subject or self.subject(verb, negated)
        tense, modal = self.tense(mode, subject, kind in ("", "zu") and not verb.stative)
        objects = tuple(self.role(role, subject, negated, index == 0) for index, role in enumerate(verb.roles))
        passive = self.chance(0.5) and self.can_be_passive(verb, objects, modal, mode, kind)
        clause = Clause(verb, subject, objects, tense, modal)
        if passive:
            clause = self.passive(clause, mode)
        by_kein = any(item.negation is not None for item in clause.objects)
        is_nobody = subject.pair.german[0].text.startswith("niemand")
        clause = clause._replace(negated=negated and not by_kein and not is_nobody)
        if not (kind and kind != "thing"):
            clause = self.adverbials(clause, mode, negated)
        if subject.kind == "person" and not is_nobody and not passive:
            self.topic = subject
        return clause

    def can_be_passive(
        self, verb: Verb, objects: tuple[Complement, ...], modal: Modal | None, mode: str, kind: str
    ) -> bool:
        """Only a single full accusative object can become the subject."""
        return (
            len(objects) == 1 and modal is None and mode in ("past", "present") and kind == "" and not verb.reflexive
            and verb.roles[0].case == "acc" and not verb.roles[0].preposition and not verb.roles[0].english_preposition
            and verb.german not in ("haben", "kennen", "brauchen") and self.chance(0.16)
        )  # fmt: skip

    def passive(self, clause: Clause, mode: str) -> Clause:
        """wird, wurde ... von ... repariert, with a new subject in the nominative."""
        patient = self.common(clause.verb.roles[0].kinds, "nom", None, True)
        by: tuple[Complement, ...] = ()
        if self.chance(0.6):
            agent = self.named("dat") if self.chance(0.5) else self.common(["person"], "dat", None, True)
            by = (Complement(agent.pair, "von", "by"),)
        tense = "preterite" if mode == "past" else "present"
        self.theme = patient if patient.kind != "person" else None
        return clause._replace(subject=patient, objects=by, passive=True, tense=tense)

    def adverbials(self, clause: Clause, mode: str, negated: bool) -> Clause:
        """When, how and where."""
        topic = clause.subject if clause.subject.kind == "person" and not clause.passive else None
        verb = clause.verb
        timed = mode != "before" and self.chance(0.5)
        if mode == "future" and clause.tense == "future" and self.chance(0.5):
            clause, timed = clause._replace(tense="planned", time=self.telling_time()), True
        elif timed:
            clause = clause._replace(time=self.time(mode))
        adverbs = self.lexicon.adverbs.get(("frequency", mode))
        if adverbs and adverbs.items and not negated and not timed and self.chance(0.25):
            clause = clause._replace(adverb=lexical(*adverbs.draw(self.generator)))
        if verb.place == "to":
            clause = clause._replace(place=self.direction(topic))
        elif verb.place == "always" or (verb.place == "at" and self.chance(0.3)):
            clause = clause._replace(place=self.location(topic))
        if verb.german in SOLD and not clause.passive and self.chance(0.3):
            return clause._replace(manner=self.for_price())
        if "person" in verb.subjects and not negated and self.chance(0.1):
            clause = clause._replace(manner=lexical(*self.lexicon.adverbs["manner", ""].draw(self.generator)))
        return clause

    def state(self, mode: str) -> Clause:
        """Somebody or something is old, or costs twelve euros."""
        tense = {"past": "preterite", "before": "pluperfect"}.get(mode, "present")
        tense = "preterite" if tense == "pluperfect" else tense
        negated = self.chance(0.2)
        if self.chance(0.35):
            subject = self.with_relative(
                self.common(("tool", "clothing", "furniture", "device", "text"), "nom", self.topic, True)
            )
            self.theme = subject
            return Clause(COST, subject, (Complement(self.price(), predicate=True),), tense, negated=False)
        kind = self.generator.choice(("person", "person", "text", "tool", "vehicle", "furniture", "clothing", "device"))
        if kind == "person" and self.topic is not None and self.chance(0.5):
            subject = np.pronoun(self.topic, "nom")
        elif kind == "person":
            subject = self.with_relative(self.person("nom", None, True))
            self.topic = subject
        else:
            subject = self.with_relative(self.common((kind,), "nom", self.topic, True))
            self.theme = subject
        quality = self.lexicon.adjectives[kind].draw(self.generator)
        predicate = lexical(quality.german, quality.english, "ADJ")
        if not negated and self.chance(0.35):
            very = self.generator.choice(
                (("sehr", "very"), ("ziemlich", "quite"), ("zu", "too"), ("besonders", "particularly"))
            )
            predicate = sequence(lexical(*very), predicate)
        return Clause(BE, subject, (Complement(predicate, predicate=True),), tense, negated=negated)

    # Clauses inside clauses

    def with_relative(self, phrase: NounPhrase) -> NounPhrase:
        """A relative clause behind a common noun, if there is room for one."""
        if self.spare < 1 or phrase.pronoun or phrase.pair.german[-1].slot != "N" or not self.chance(0.4):
            return phrase
        self.spare -= 1
        saved = self.topic, self.theme
        self.topic = self.theme = None
        relative = self.relative_clause(phrase)
        self.topic, self.theme = saved
        return phrase.followed_by(Pair((COMMA, *relative.german, COMMA), relative.english))

    def relative_clause(self, head: NounPhrase) -> Pair:
        """der den Brief liest; den Anna liest; auf den Anna wartet."""
        mode = self.pick(past=0.55, present=0.45)
        animate = head.kind == "person"
        candidates = [] if self.chance(0.45) else self.verbs_with_object(head.kind)
        if candidates:
            verb = self.generator.choice(candidates)
            index = next(i for i, role in enumerate(verb.roles) if head.kind in role.kinds)
            role = verb.roles[index]
            gap = self.relative_pronoun(head, role.case, "whom" if animate else "that")
            subject = self.person("nom")
            others = [
                complement(other, self.common(other.kinds, other.case, subject))
                for other in verb.roles
                if other is not role
            ]
            objects = (complement(role, gap, relative=True), *others)
        else:
            kind = "" if animate else "thing"
            verbs = [verb for verb in self.lexicon.verbs[kind].items if head.kind in verb.subjects]
            subject = self.relative_pronoun(head, "nom", "who" if animate else "that")
            if not verbs or self.chance(0.15):
                quality = self.lexicon.adjectives.get(head.kind, self.lexicon.adjectives["tool"]).draw(self.generator)
                predicate = Complement(lexical(quality.german, quality.english, "ADJ"), predicate=True)
                return Clause(BE, subject, (predicate,), "preterite" if mode == "past" else "present").final()
            verb = self.generator.choice(verbs)
            objects = tuple(complement(other, self.common(other.kinds, other.case)) for other in verb.roles)
        tense, modal = self.tense(mode, subject, "person" in verb.subjects and not verb.stative)
        time = self.time(mode) if self.chance(0.3) else EMPTY
        place = self.direction(None) if verb.place == "to" else self.location(None) if verb.place == "always" else EMPTY
        return Clause(verb, subject, objects, tense, modal, time=time, place=place).final()

    def verbs_with_object(self, kind: str) -> list[Verb]:
        """Verbs of which a noun of this class can be an object."""
        return [verb for verb in self.lexicon.verbs[""].items if any(kind in role.kinds for role in verb.roles)]

    @staticmethod
    def relative_pronoun(head: NounPhrase, case: str, english: str) -> NounPhrase:
        """Gender and number from the head, case from the clause."""
        pair = lexical(morphology.relative(case, head.gender, head.number), english, "REL")
        return head._replace(pair=pair, case=case, person=3, negation=None)

    def somebody(self) -> NounPhrase:
        """A subject for a clause with a purpose: the person spoken of, or a new one."""
        if self.topic is not None and self.chance(0.5):
            return np.pronoun(self.topic, "nom")
        return self.person("nom")
