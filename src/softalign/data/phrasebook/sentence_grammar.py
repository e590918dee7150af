"""Draws sentences: clauses inside clauses, clauses one after the other, and questions."""

from __future__ import annotations

import random

from softalign.data.corpus import Example
from softalign.data.phrasebook import noun_phrases as np
from softalign.data.phrasebook.clause_grammar import ClauseGrammar
from softalign.data.phrasebook.clauses import Clause, complement
from softalign.data.phrasebook.lexicon import lexicon
from softalign.data.phrasebook.noun_phrases import NounPhrase
from softalign.data.phrasebook.synchronous import COMMA, COMMAS, EMPTY, GERMAN_COMMA, Pair, example, lexical, sequence

# German, English, modes of the main clause that they go with; what the subordinate clause's mode then is.
CONJUNCTIONS = (
    ("weil", "because", ("past", "present", "future"), ""),
    ("obwohl", "although", ("past", "present", "future"), ""),
    ("wenn", "when", ("present", "future"), "present"),
    ("während", "while", ("past", "present"), ""),
    ("als", "when", ("past",), "past"),
    ("bevor", "before", ("past", "present"), ""),
    ("nachdem", "after", ("past",), "before"),
    ("sobald", "as soon as", ("present", "future"), "present"),
    ("falls", "if", ("present", "future"), "present"),
    ("solange", "as long as", ("past", "present"), ""),
    ("bis", "until", ("past", "present", "future"), "present"),
)
# Number of clauses in a sentence and how often.
CLAUSES = {1: 0.46, 2: 0.27, 3: 0.13, 4: 0.08, 5: 0.04, 6: 0.02}
MIN_WORDS, MAX_WORDS = 4, 50


class SentenceGrammar(ClauseGrammar):
    """The rules from the sentence down to the clause; `sentence` starts."""

    def with_extension(self, mode: str, room: int) -> Clause:
        """A clause that another one depends on: said that ..., asked whether ..., tried to ..., in order to ..."""
        form = self.pick(dass=0.4, ob=0.15, zu=0.27, um=0.18)
        if form in ("dass", "ob"):
            clause = self.clause(mode, kind=form)
            word = lexical("dass", "that") if form == "dass" else lexical("ob", "whether")
            inner = self.subordinate(self.pick(past=0.5, present=0.3, future=0.2) if mode != "past" else "past", room)
            return clause._replace(extension=sequence(GERMAN_COMMA, word, inner))
        clause = self.clause(mode, kind="zu") if form == "zu" else self.clause(mode, self.somebody())
        verb = self.lexicon.verbs[""].draw(self.generator)
        while verb.stative:
            verb = self.lexicon.verbs[""].draw(self.generator)
        agreeing = clause.subject
        objects = tuple(self.role(role, agreeing, False, index == 0) for index, role in enumerate(verb.roles))
        purpose = Clause(verb, agreeing, objects)
        if verb.place:
            at = (
                self.direction(agreeing)
                if verb.place == "to"
                else self.location(agreeing)
                if self.chance(0.4)
                else EMPTY
            )
            purpose = purpose._replace(place=at)
        word = EMPTY if form == "zu" else lexical("um", "in order")
        return clause._replace(
            passive=False, extension=sequence(clause.extension, GERMAN_COMMA, word, purpose.infinitive())
        )

    def statement(self, mode: str, room: int) -> Clause:
        """One clause with what hangs on it; `room` further clauses are wanted."""
        if room >= 1 and self.chance(0.45):
            return self.with_extension(mode, room - 1)
        self.spare += room
        clause = self.clause(mode)
        self.spare = max(0, self.spare - room)
        return clause

    def subordinate(self, mode: str, room: int) -> Pair:
        """Verb-final clauses: one, or one and another that depends on it."""
        clause = self.statement(mode, 1 if room == 1 and self.chance(0.4) else 0)
        pair = clause.final()
        if room >= 1 and clause.extension is EMPTY:
            main_mode = mode if mode != "before" else "past"
            conjunction, inner = self.conjoined(main_mode, room - 1)
            return sequence(pair, GERMAN_COMMA, conjunction, inner)
        return pair

    def conjoined(self, mode: str, room: int) -> tuple[Pair, Pair]:
        """A conjunction and its clause, verb last."""
        fitting = [row for row in CONJUNCTIONS if mode in row[2]]
        weights = [1 / (rank + 2) for rank in range(len(fitting))]
        german, english, _, inner_mode = self.generator.choices(fitting, weights)[0]
        if german == "bis" and mode == "past":
            inner_mode = "past"
        return lexical(german, english), self.subordinate(inner_mode or mode, room)

    # Sentences

    def fronted(self, clause: Clause) -> Pair:
        """A main clause with its subject first, or time, place, or an object that shows its case."""
        if clause.time is not EMPTY and self.chance(0.5):
            return clause.main("time")
        if clause.place is not EMPTY and clause.verb.place in ("at", "always") and self.chance(0.25):
            return clause.main("place")
        first = next((item for item in clause.objects if not item.german_preposition and not item.predicate), None)
        if first is not None and not first.pronoun and first.negation is None and self.chance(0.15):
            shown = first.phrase.german[0].text in ("den", "dem", "einen", "einem", "diesen", "diesem")
            if shown and clause.subject.pair.german[0].text not in ("niemand",):
                return clause.main("object")
        return clause.main()

    def joined(self, room: int) -> Pair:
        """A sentence of `room` clauses, about."""
        mode = self.pick(past=0.45, present=0.33, future=0.22)
        if room == 1:
            return self.fronted(self.clause(mode))
        form = self.pick(coordinate=0.34, after=0.26, before=0.16, inside=0.24)
        if form == "inside":
            return self.fronted(self.statement(mode, room - 1))
        left = self.generator.randint(1, room - 1)
        if form == "coordinate":
            first = self.fronted(self.statement(mode, left - 1))
            return sequence(first, self.continuation(mode, room - left))
        if form == "after":
            first = self.fronted(self.statement(mode, left - 1))
            conjunction, inner = self.conjoined(mode, room - left - 1)
            return sequence(first, GERMAN_COMMA, conjunction, inner)
        conjunction, inner = self.conjoined(mode, left - 1)
        second = self.statement(mode, room - left - 1).after_clause()
        return sequence(conjunction, inner, COMMAS, second)

    def continuation(self, mode: str, room: int) -> Pair:
        """und, aber, denn with a main clause; deshalb, und dann with the verb before the subject."""
        word = self.pick(und=0.36, aber=0.3, denn=0.1, deshalb=0.12, dann=0.12)
        clause = self.statement(mode, room - 1)
        if word == "deshalb":
            return sequence(COMMAS, lexical("deshalb", "so"), clause.after_clause())
        if word == "dann":
            return sequence(Pair((), (COMMA,)), lexical("und", "and"), lexical("dann", "then"), clause.after_clause())
        comma = Pair((), (COMMA,)) if word == "und" else COMMAS
        english = {"und": "and", "aber": "but", "denn": "for"}[word]
        return sequence(comma, lexical(word, english), self.fronted(clause))

    def asked(self) -> Pair:
        """A question: yes or no, wann, wo, warum, wer, was or wen."""
        mode = self.pick(past=0.5, present=0.3, future=0.2)
        form = self.pick(polar=0.4, adverb=0.3, who=0.15, what=0.15)
        if form == "who":
            who = NounPhrase(lexical("wer", "who"), "m", refers="he")
            self.topic = None
            return self.clause(mode, who).main()
        if form == "what":
            return self.object_question(mode)
        clause = self.clause(mode, self.person("nom", None, True))._replace(adverb=EMPTY)
        if form == "polar":
            return clause.question()
        word = self.generator.choice((("wann", "when"), ("wo", "where"), ("warum", "why")))
        if word[0] == "wann":
            clause = clause._replace(time=EMPTY, tense="future" if clause.tense == "planned" else clause.tense)
        if word[0] == "wo":
            clause = clause._replace(place=EMPTY)
            if clause.verb.place == "to":
                word = ("wohin", "where")
        return clause.question(lexical(*word))

    def object_question(self, mode: str) -> Pair:
        """Was liest Anna? Wen besucht sie? Welches Buch hat sie gelesen?"""
        verbs = [
            v
            for v in self.lexicon.verbs[""].items
            if v.roles and v.roles[0].case == "acc" and not v.roles[0].preposition
        ]
        verb = self.generator.choice(verbs)
        role = verb.roles[0]
        if self.chance(0.4):
            asked = np.noun_phrase(self.noun(role.kinds), "acc", self.pick(sg=0.6, pl=0.4), np.WHICH)
        else:
            asked = NounPhrase(lexical("wen", "who") if role.kinds == ("person",) else lexical("was", "what"), "n")
        gap = complement(role, asked, relative=True)
        subject = self.person("nom", None, True)
        others = [complement(r, self.common(r.kinds, r.case, subject, True)) for r in verb.roles[1:]]
        tense, modal = self.tense(mode, subject, not verb.stative)
        time = self.time(mode) if self.chance(0.4) else EMPTY
        return Clause(verb, subject, (gap, *others), tense, modal, time=time).question()

    def sentence(self) -> Example:
        """One sentence of 4 to 50 words on either side."""
        while True:
            self.topic = self.theme = None
            self.spare = 0
            if self.chance(0.1):
                drawn = example(self.asked(), "?")
            else:
                count = self.generator.choices(list(CLAUSES), list(CLAUSES.values()))[0]
                drawn = example(self.joined(count))
            lengths = (len(drawn.source.split()), len(drawn.target.split()))
            if min(lengths) >= MIN_WORDS and max(lengths) <= MAX_WORDS:
                return drawn


def sentence(generator: random.Random) -> Example:
    """The grammar as `corpus.generate` takes it."""
    return SentenceGrammar(generator, lexicon()).sentence()
