"""The embedded corpus phrasebook: the grammar's rules one by one, then what is drawn from it."""

import random
import re

import pytest

from softalign.config import EmbeddedSource
from softalign.data import corpus, phrasebook
from softalign.data.corpus import Example
from softalign.data.phrasebook import morphology, numbers
from softalign.data.phrasebook import noun_phrases as np
from softalign.data.phrasebook.clauses import Clause, Complement, complement
from softalign.data.phrasebook.lexicon import compound, lexicon
from softalign.data.phrasebook.sentence_grammar import sentence
from softalign.data.phrasebook.synchronous import COMMAS, GERMAN_COMMA, Pair, example, lexical, preposition, sequence
from softalign.data.phrasebook.verb_groups import BE, MODALS
from softalign.errors import UserError

WORDS = lexicon()
ANNA = np.name("Anna", "f")


def the(noun, case, number="sg", determiner=np.THE, *adjectives):
    return np.noun_phrase(WORDS.noun(noun), case, number, determiner, [WORDS.adjective(word) for word in adjectives])


def clause(verb, *objects, subject=ANNA, **rest):
    entry = WORDS.verb(verb)
    return Clause(
        entry, subject, tuple(complement(role, item) for role, item in zip(entry.roles, objects, strict=True)), **rest
    )


def check(pair, source, target, alignment, mark="."):
    made = example(pair, mark)
    assert (made.source, made.target) == (source, target)
    assert made.alignment == alignment
    return made


# Constructions, each with its alignment worked out by hand


def test_split_verb_aligns_both_parts():
    opened = clause("aufmachen", the("Tür", "acc", "sg", np.THE, "alt"), time=lexical("heute", "today"))
    check(
        opened.main(),
        "Anna macht heute die alte Tür auf.",
        "Anna opens the old door today.",
        "0-0 1-1 2-5 3-2 4-3 5-4 6-1",
    )
    check(
        opened.main("time"),
        "Heute macht Anna die alte Tür auf.",
        "Today, Anna opens the old door.",
        "0-0 1-2 2-1 3-3 4-4 5-5 6-2",
    )


def test_negation_and_do():
    closed = clause("zumachen", the("Fenster", "acc"), negated=True)
    check(
        closed.main(),
        "Anna macht das Fenster nicht zu.",
        "Anna does not close the window.",
        "0-0 1-1 1-3 2-4 3-5 4-2 5-3",
    )


def test_kein_is_not_and_an_article():
    bought = clause("kaufen", the("Apfel", "acc", "sg", np.NO), tense="perfect")
    check(
        bought.main(),
        "Anna hat keinen Apfel gekauft.",
        "Anna did not buy an apple.",
        "0-0 1-1 2-2 2-4 3-5 4-3",
    )


def test_verb_last_behind_a_conjunction():
    read = clause("lesen", the("Brief", "acc"), tense="perfect")
    came = clause("ankommen", subject=np.pronoun(ANNA, "nom"), tense="preterite")
    check(
        sequence(came.main(), GERMAN_COMMA, lexical("weil", "because"), read.final()),
        "Sie kam an, weil Anna den Brief gelesen hat.",
        "She arrived because Anna read the letter.",
        "0-0 1-1 2-1 3-2 4-3 5-5 6-6 7-4 8-4",
    )


def test_fronted_clause_inverts_german_only():
    asleep = clause("schlafen")
    reads = clause("lesen", the("Buch", "acc"), subject=the("Kind", "nom"))
    check(
        sequence(lexical("wenn", "when"), asleep.final(), COMMAS, reads.after_clause()),
        "Wenn Anna schläft, liest das Kind das Buch.",
        "When Anna sleeps, the child reads the book.",
        "0-0 1-1 2-2 3-5 4-3 5-4 6-6 7-7",
    )


def test_modal_bracket():
    must = clause("abholen", the("Koffer", "acc", "pl"), subject=np.personal("wir", "nom"), modal=MODALS["müssen"][0])
    check(
        must.main(),
        "Wir müssen die Koffer abholen.",
        "We have to pick up the suitcases.",
        "0-0 1-1 1-2 2-5 3-6 4-3 4-4",
    )
    check(
        must.question(lexical("warum", "why")),
        "Warum müssen wir die Koffer abholen?",
        "Why do we have to pick up the suitcases?",
        "0-0 1-1 1-3 1-4 2-2 3-7 4-8 5-5 5-6",
        "?",
    )


def test_cannot_is_one_word():
    can = clause("schlafen", modal=MODALS["können"][0], negated=True)
    check(can.main(), "Anna kann nicht schlafen.", "Anna cannot sleep.", "0-0 1-1 2-1 3-2")


def test_particle_behind_a_pronoun():
    lamp = the("Lampe", "nom")
    on = clause("einschalten", np.pronoun(lamp, "acc"), tense="perfect")
    check(on.main(), "Anna hat sie eingeschaltet.", "Anna turned it on.", "0-0 1-1 1-3 2-2 3-1 3-3")


def test_two_objects_change_places_around_a_pronoun():
    parcel = the("Paket", "acc")
    check(
        clause("zeigen", the("Gast", "dat"), parcel).main(),
        "Anna zeigt dem Gast das Paket.",
        "Anna shows the guest the parcel.",
        "0-0 1-1 2-2 3-3 4-4 5-5",
    )
    check(
        clause("zeigen", the("Gast", "dat"), np.pronoun(parcel, "acc")).main(),
        "Anna zeigt es dem Gast.",
        "Anna shows it to the guest.",
        "0-0 1-1 2-2 3-3 3-4 4-5",
    )


def test_sie_is_she_they_or_it():
    verb = {"sg": "schläft", "pl": "schlafen"}
    for noun, number, english in (("Tante", "sg", "She sleeps."), ("Onkel", "pl", "They sleep.")):
        made = example(clause("schlafen", subject=np.pronoun(the(noun, "nom", number), "nom")).main())
        assert (made.source, made.target) == (f"Sie {verb[number]}.", english)
    bells = clause("suchen", np.pronoun(the("Glocke", "acc"), "acc"))
    assert example(bells.main()).target == "Anna looks for it."
    hats = clause("suchen", np.pronoun(the("Hut", "acc", "pl"), "acc"))
    assert example(hats.main()).target == "Anna looks for them."


def test_infinitive_with_zu():
    tries = clause("versuchen")
    opens = clause("aufmachen", the("Tür", "acc"))
    made = tries._replace(extension=sequence(GERMAN_COMMA, opens.infinitive()))
    check(made.main(), "Anna versucht, die Tür aufzumachen.", "Anna tries to open the door.", "0-0 1-1 2-4 3-5 4-2 4-3")


def test_relative_clause_leaves_the_preposition():
    verb = WORDS.verb("warten")
    gap = np.NounPhrase(lexical("den", "that", "REL"), "m", case="acc")
    waits = Clause(verb, ANNA, (complement(verb.roles[0], gap, relative=True),))
    relative = waits.final()
    train = the("Zug", "nom").followed_by(sequence(GERMAN_COMMA, relative, GERMAN_COMMA))
    check(
        clause("ankommen", subject=train).main(),
        "Der Zug, auf den Anna wartet, kommt an.",
        "The train that Anna waits for arrives.",
        "0-0 1-1 2-5 3-2 4-3 5-4 6-6 7-6",
    )


def test_passive():
    by = Complement(np.noun_phrase(WORDS.noun("Student"), "dat").pair, "von", "by")
    made = Clause(WORDS.verb("lesen"), the("Roman", "nom"), (by,), "preterite", passive=True)
    check(
        made.main(),
        "Der Roman wurde vom Studenten gelesen.",
        "The novel was read by the student.",
        "0-0 1-1 2-2 3-4 3-5 4-6 5-3",
    )


def test_genitive_changes_sides():
    car = np.noun_phrase(
        WORDS.noun("Auto"), "nom", adjectives=[WORDS.adjective("neu")],
        owner=np.noun_phrase(WORDS.noun("Nachbar"), "gen", adjectives=[WORDS.adjective("alt")]),
    )  # fmt: skip
    red = Clause(BE, car, (Complement(lexical("rot", "red", "ADJ"), predicate=True),))
    check(
        red.main(),
        "Das neue Auto des alten Nachbarn ist rot.",
        "The old neighbour's new car is red.",
        "1-3 2-4 3-0 4-1 5-2 6-5 7-6",
    )


def test_reflexive_and_preposition_of_one_language():
    remember = clause("erinnern", the("Fest", "acc"), subject=np.personal("ich", "nom"))
    check(
        remember.main(), "Ich erinnere mich an das Fest.".replace("an das", "ans"),
        "I remember the party.", "0-0 1-1 2-1 3-1 3-2 4-3",
    )  # fmt: skip


def test_object_first():
    sees = clause("sehen", the("Hund", "acc"))
    check(sees.main("object"), "Den Hund sieht Anna.", "Anna sees the dog.", "0-2 1-3 2-1 3-0")


def test_preposition_contracts_with_the_article_only():
    where = preposition("in", "in", the("Garten", "dat").pair)
    check(where, "Im Garten.", "In the garden.", "0-0 0-1 1-2")
    relative = Pair((lexical("dem", "that", "REL")).german, ())
    assert [word.text for word in preposition("in", "in", relative).german] == ["in", "dem"]


def test_compounds_are_many_to_one():
    key = compound(("Haustür", "front-door"), WORDS.noun("Schlüssel"))
    phrase = np.noun_phrase(key, "acc", "pl")
    made = example(phrase.pair)
    assert (made.source, made.target) == ("Die Haustürschlüssel.", "The front-door keys.")
    assert made.alignment == "0-0 1-1 1-2"


def test_template_has_no_open_words():
    made = example(clause("aufmachen", the("Tür", "acc", "sg", np.THE, "alt")).main())
    other = example(clause("zumachen", the("Fenster", "acc", "sg", np.THE, "neu")).main())
    assert made.template == other.template == "NAME V.fin DET ADJ N PRT ."


# Numbers


@pytest.mark.parametrize(
    ("number", "german", "english"),
    [
        (2, "zwei", "two"),
        (12, "zwölf", "twelve"),
        (16, "sechzehn", "sixteen"),
        (17, "siebzehn", "seventeen"),
        (21, "einundzwanzig", "twenty-one"),
        (30, "dreißig", "thirty"),
        (47, "siebenundvierzig", "forty-seven"),
        (101, "einhunderteins", "one hundred and one"),
        (347, "dreihundertsiebenundvierzig", "three hundred and forty-seven"),
        (6016, "sechstausendsechzehn", "six thousand and sixteen"),
        (9999, "neuntausendneunhundertneunundneunzig", "nine thousand nine hundred and ninety-nine"),
    ],
)
def test_number_words(number, german, english):
    assert (numbers.german_number(number), numbers.english_number(number)) == (german, english)


def test_number_words_are_distinct():
    values = range(1, 10000)
    assert len({numbers.german_number(value) for value in values}) == 9999
    assert len({numbers.english_number(value) for value in values}) == 9999


@pytest.mark.parametrize(
    ("hour", "quarter", "german", "english"),
    [
        (8, 0, "Um acht Uhr.", "At eight o'clock."),
        (1, 0, "Um ein Uhr.", "At one o'clock."),
        (8, 1, "Um Viertel nach acht.", "At a quarter past eight."),
        (7, 2, "Um halb acht.", "At half past seven."),
        (12, 2, "Um halb eins.", "At half past twelve."),
        (12, 3, "Um Viertel vor eins.", "At a quarter to one."),
    ],
)
def test_clock(hour, quarter, german, english):
    made = example(numbers.clock(hour, quarter))
    assert (made.source, made.target) == (german, english)


def test_digits_follow_each_language():
    made = example(sequence(numbers.count(1250, spelled=False), numbers.price(1250)))
    assert (made.source, made.target) == ("1.250 12,50 Euro.", "1,250 12.50 euros.")


# Agreement


@pytest.mark.parametrize("noun", ["Tisch", "Lampe", "Buch", "Student"])
@pytest.mark.parametrize("case", morphology.CASES)
@pytest.mark.parametrize("number", ["sg", "pl"])
@pytest.mark.parametrize("determiner", [np.THE, np.THIS, np.NO, np.A, np.BARE, np.SOME])
def test_the_case_shows_once(noun, case, number, determiner):
    """The textbook's rule: the adjective has the strong ending exactly where the article does not show the case."""
    strong = {
        "nom": {"m": "er", "f": "e", "n": "es", "pl": "e"},
        "acc": {"m": "en", "f": "e", "n": "es", "pl": "e"},
        "dat": {"m": "em", "f": "er", "n": "em", "pl": "en"},
        "gen": {"m": "en", "f": "er", "n": "en", "pl": "er"},
    }[case][WORDS.noun(noun).gender if number == "sg" else "pl"]
    phrase = the(noun, case, number, determiner, "klein")
    written = [word.text for word in phrase.pair.german]
    adjective = next(word for word in written if word.startswith("klein"))
    article = written[0] if written[0] != adjective else ""
    ending = adjective.removeprefix("klein")
    if not article or article in ("ein", "kein") or determiner is np.SOME:
        assert ending == strong
    elif number == "pl" or case in ("dat", "gen") or strong == "en":
        assert ending == "en"
    elif article.startswith(("d",)) or strong == "e":
        assert ending == "e"


@pytest.mark.parametrize(
    ("infinitive", "forms"),
    [
        ("lesen", "lese liest liest lesen lest lesen"),
        ("arbeiten", "arbeite arbeitest arbeitet arbeiten arbeitet arbeiten"),
        ("sammeln", "sammle sammelst sammelt sammeln sammelt sammeln"),
        ("waschen", "wasche wäschst wäscht waschen wascht waschen"),
        ("zeichnen", "zeichne zeichnest zeichnet zeichnen zeichnet zeichnen"),
        ("einladen", "lade lädst lädt laden ladet laden"),
        ("wissen", "weiß weißt weiß wissen wisst wissen"),
        ("haben", "habe hast hat haben habt haben"),
        ("sprechen", "spreche sprichst spricht sprechen sprecht sprechen"),
    ],
)
def test_conjugation(infinitive, forms):
    verb = WORDS.verb(infinitive)
    if infinitive == "wissen":
        assert morphology.AUXILIARIES["wissen", "present"] == morphology.paradigm(forms)
        return
    persons = morphology.paradigm(forms)
    assert {key: morphology.present(verb.german, verb.third, *key) for key in persons} == persons


def test_weak_participles():
    forms = {"machen": "gemacht", "besuchen": "besucht", "reparieren": "repariert", "warten": "gewartet"}
    assert {verb: morphology.weak_forms("", verb)[2] for verb in forms} == forms
    assert morphology.weak_forms("auf", "machen") == ("macht", "machte", "aufgemacht")


# The corpus


@pytest.fixture(scope="module")
def drawn() -> list[Example]:
    generator = random.Random(7)
    return [sentence(generator) for _ in range(1500)]


def test_lengths(drawn):
    for row in drawn:
        for text in (row.source, row.target):
            assert 4 <= len(text.split()) <= 50
    lengths = [len(row.source.split()) for row in drawn]
    assert 12 <= sum(lengths) / len(lengths) <= 19
    assert sum(length > 30 for length in lengths) > 0.03 * len(lengths)


def test_alignments_are_in_range_and_cover_content(drawn):
    functional = {
        "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines", "diese", "dieser",
        "diesen", "dieses", "einige", "alle", "viele",
    }  # fmt: skip
    possessive = re.compile(r"(mein|dein|sein|ihr|unser|eue?r|jed|all|viel|einig|dies|welch|kein)\w*$")
    for row in drawn:
        source, target = row.source.split(), row.target.split()
        pairs = [tuple(map(int, pair.split("-"))) for pair in row.alignment.split()]
        assert pairs == sorted(set(pairs))
        assert all(0 <= i < len(source) and 0 <= j < len(target) for i, j in pairs)
        for i in set(range(len(source))) - {i for i, _ in pairs}:
            word = source[i].strip(",.?").lower()
            assert word in functional or possessive.match(word), (row, word)
        assert {j for _, j in pairs} == set(range(len(target))), row


def test_names_and_digits_are_aligned_with_themselves(drawn):
    for row in drawn:
        source, target = row.source.split(), row.target.split()
        pairs = [tuple(map(int, pair.split("-"))) for pair in row.alignment.split()]
        for i, word in enumerate(source):
            if re.fullmatch(r"(18|19|20)\d\d[,.?]?", word):
                assert word.strip(",.?") in {target[j].strip(",.?") for k, j in pairs if k == i}


def test_text_is_clean(drawn):
    for row in drawn:
        for text in (row.source, row.target):
            assert text == " ".join(text.split()) and (text[0].isupper() or text[0].isdigit()) and text[-1] in ".?"
            assert not re.search(r"\s[,.?]|,,|,\.", text)
        assert not re.search(r"\b[Aa] [aeio]\w", row.target), row.target
        assert "can not" not in row.target


def test_templates_are_many(drawn):
    assert len({row.template for row in drawn}) > 0.8 * len(drawn)
    assert not any(re.search(r"Anna|_", row.template) for row in drawn)


def test_articles_agree_in_what_is_drawn(drawn):
    """Every "der, die, das" directly before a listed noun is one that the noun's gender and number allow."""
    allowed = {}
    for zipf in WORDS.nouns.values():
        for noun in zipf.items:
            for number in ("sg", "pl"):
                for case in morphology.CASES:
                    article = {"m": "der den dem des", "f": "die die der der", "n": "das das dem des"}[noun.gender]
                    words = (article if number == "sg" else "die die den der").split()
                    index = ("nom", "acc", "dat", "gen").index(case)
                    allowed.setdefault(noun.form(case, number), set()).add(words[index])
    seen = 0
    for row in drawn:
        plain = re.sub(r", (\w+ )?(der|die|das|den|dem) ", ", ", row.source)  # no relative pronouns
        for article, noun in re.findall(r"\b(der|die|das|den|dem|des) ([A-ZÄÖÜ]\w+)", plain):
            if noun in allowed:
                assert article in allowed[noun], row.source
                seen += 1
    assert seen > 300


def source_of(train=300, validation=40, test=50, seed=3):
    return EmbeddedSource(
        corpus="phrasebook", seed=seed, train_rows=train, validation_rows=validation, test_rows=test
    )  # fmt: skip


def test_splits_are_distinct_and_reproducible():
    splits = phrasebook.generate(source_of())
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 300, "validation": 40, "test": 50}
    sources = [row.source for rows in splits.values() for row in rows]
    assert len(set(sources)) == len(sources)
    assert splits == phrasebook.generate(source_of())
    assert splits["test"] != phrasebook.generate(source_of(seed=4))["test"]


def test_more_training_rows_leave_the_test_split():
    small, large = phrasebook.generate(source_of(train=50)), phrasebook.generate(source_of(train=90))
    assert small["test"] == large["test"] and small["validation"] == large["validation"]
    assert small["train"] == large["train"][:50]


def test_a_grammar_that_runs_out_says_so():
    def three(generator):
        word = generator.choice("abc")
        return Example(word, word, "0-0", "N")

    assert len(corpus.generate(three, 1, 1, 1, 1)["train"]) == 1
    with pytest.raises(UserError, match="about 3 distinct sources"):
        corpus.generate(three, 1, 2, 1, 1)
    with pytest.raises(UserError, match="test_rows is 0"):
        corpus.generate(three, 1, 1, 1, 0)


def test_statistics_by_hand():
    def row(source, target, template):
        return Example(source, target, "", template)

    splits = {
        "train": [row("a b", "x", "T1"), row("a c", "x y", "T2")],
        "validation": [row("a", "x", "T1")],
        "test": [row("a d e", "y z", "T3"), row("b", "x", "T1")],
    }
    found = corpus.statistics(splits)
    assert found["templates"] == 3
    assert found["source"]["vocabulary"] == 5 and found["source"]["seen_once"] == 3
    assert found["source"]["length"] == {
        "min": 1, "lower_quartile": 1, "median": 2, "upper_quartile": 2, "max": 3, "mean": 1.8,
    }  # fmt: skip
    assert found["test_words_unseen"] == {"source": 0.5, "target": round(1 / 3, 4)}
    assert found["test_templates_unseen"] == 0.5
