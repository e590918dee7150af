"""Inflection: German articles, adjectives, nouns, pronouns and verbs; English nouns and verbs.

Case is nom | acc | dat | gen, gender m | f | n, number sg | pl, person 1 | 2 | 3.
"""

from __future__ import annotations

CASES = ("nom", "acc", "dat", "gen")
_COLUMN = {"m": 0, "f": 1, "n": 2, "pl": 3}


def _table(rows: str) -> dict[str, tuple[str, ...]]:
    """One row for each case, one column for m, f, n and plural; "-" is no ending."""
    lines = [line.split() for line in rows.strip().splitlines()]
    return {case: tuple("" if cell == "-" else cell for cell in line) for case, line in zip(CASES, lines, strict=True)}


DEFINITE = _table("der die das die \n den die das die \n dem der dem den \n des der des der")
ENDINGS = {
    "dies": _table("er e es e \n en e es e \n em er em en \n es er es er"),  # dieser, jeder, welcher
    "ein": _table("- e - e \n en e - e \n em er em en \n es er es er"),  # ein, kein, mein
    "weak": _table("e e e en \n en e e en \n en en en en \n en en en en"),  # adjectives after der, dieser
    "mixed": _table("er e es en \n en e es en \n en en en en \n en en en en"),  # after ein, kein, mein
    "strong": _table("er e es e \n en e es e \n em er em en \n en er en er"),  # after no article, after numbers
}
RELATIVE = _table("der die das die \n den die das die \n dem der dem denen \n dessen deren dessen deren")


def ending(kind: str, case: str, gender: str, number: str) -> str:
    """The ending of a determiner (`dies`, `ein`) or of an adjective (`weak`, `mixed`, `strong`)."""
    return ENDINGS[kind][case][_COLUMN["pl" if number == "pl" else gender]]


def definite(case: str, gender: str, number: str) -> str:
    """der, die, das."""
    return DEFINITE[case][_COLUMN["pl" if number == "pl" else gender]]


def relative(case: str, gender: str, number: str) -> str:
    """The relative pronoun."""
    return RELATIVE[case][_COLUMN["pl" if number == "pl" else gender]]


# person, number, English pronoun -> nom, acc, dat, possessive stem, English subject, object, possessive
PRONOUNS: dict[str, tuple[str, str, str, str, str, str, str, int, str]] = {
    "ich": ("ich", "mich", "mir", "mein", "I", "me", "my", 1, "sg"),
    "du": ("du", "dich", "dir", "dein", "you", "you", "your", 2, "sg"),
    "wir": ("wir", "uns", "uns", "unser", "we", "us", "our", 1, "pl"),
    "ihr": ("ihr", "euch", "euch", "euer", "you", "you", "your", 2, "pl"),
}
THIRD = {  # by German gender, or pl
    "m": ("er", "ihn", "ihm", "sein"),
    "f": ("sie", "sie", "ihr", "ihr"),
    "n": ("es", "es", "ihm", "sein"),
    "pl": ("sie", "sie", "ihnen", "ihr"),
}
ENGLISH_THIRD = {
    "he": ("he", "him", "his"),
    "she": ("she", "her", "her"),
    "it": ("it", "it", "its"),
    "they": ("they", "them", "their"),
}
REFLEXIVE = {(1, "sg"): "mich", (2, "sg"): "dich", (1, "pl"): "uns", (2, "pl"): "euch"}  # else sich


def noun_form(singular: str, plural: str, gender: str, weak: bool, genitive: str, case: str, number: str) -> str:
    """A German noun in its case and number."""
    if number == "pl":
        return plural + "n" if case == "dat" and plural[-1] not in "ns" else plural
    if weak and case != "nom":
        return plural
    return genitive if case == "gen" else singular


def genitive_singular(singular: str, plural: str, gender: str) -> str:
    """-es after a hissing sound and in words of one syllable that are no loans (plural -s), else -s; feminine: none."""
    if gender == "f":
        return singular
    if singular.endswith("is"):
        return singular + "ses"
    if singular.endswith(("s", "ß", "x", "z", "sch", "st")):
        return singular + "es"
    vowels = [index for index, letter in enumerate(singular.lower()) if letter in "aeiouäöüy"]
    one_syllable = vowels[-1] - vowels[0] < 2
    return singular + ("es" if one_syllable and vowels[-1] != len(singular) - 1 and not plural.endswith("s") else "s")


INSEPARABLE = ("be", "ver", "er", "ent", "zer", "ge", "miss", "unter", "über", "wieder")


def _infix(stem: str) -> str:
    """The e of arbeit-e-t and öffn-e-t."""
    nasal = stem[-1] in "mn" and len(stem) > 2 and (stem[-2] not in "aeiouäöülrhmn" or stem[-3:-1] == "ch")
    return "e" if stem[-1] in "dt" or nasal else ""


def stem(infinitive: str) -> str:
    """les-en, samml-eln, erinner-n."""
    return infinitive[:-1] if infinitive.endswith(("eln", "ern")) else infinitive[:-2]


def weak_forms(particle: str, infinitive: str) -> tuple[str, str, str]:
    """Third person present, preterite and participle of a regular German verb."""
    root = stem(infinitive)
    infix = _infix(root)
    bare = infinitive.startswith(INSEPARABLE) or infinitive.endswith("ieren")
    participle = particle + ("" if bare else "ge") + root + infix + "t"
    return root + infix + "t", root + infix + "te", participle


def present(infinitive: str, third: str, person: int, number: str) -> str:
    """German present tense from the infinitive and the third person singular."""
    root = stem(infinitive)
    if number == "pl":
        if person != 2:
            return infinitive
        return third if third.startswith(root) else root + ("et" if root[-1] in "dt" else "t")
    if person == 3:
        return third
    if person == 1:
        return root[:-2] + "le" if infinitive.endswith("eln") else root + "e"
    if root[-1] == "t" and not third.endswith("et"):  # hält -> hältst
        return third + "st"
    base = third[:-1]
    return base + ("t" if base[-1] in "sßzx" else "st")


def preterite(third: str, person: int, number: str) -> str:
    """German preterite from its third person singular."""
    if number == "pl":
        if person == 2:
            return third + ("et" if third[-1] in "dt" else "t")
        return third + ("n" if third.endswith("e") else "en")
    if person != 2:
        return third
    return third + ("est" if third[-1] in "dtsß" else "st")


def paradigm(forms: str) -> dict[tuple[int, str], str]:
    """An irregular verb: ich du er wir ihr sie."""
    persons = [(1, "sg"), (2, "sg"), (3, "sg"), (1, "pl"), (2, "pl"), (3, "pl")]
    return dict(zip(persons, forms.split(), strict=True))


AUXILIARIES = {
    ("haben", "present"): paradigm("habe hast hat haben habt haben"),
    ("haben", "preterite"): paradigm("hatte hattest hatte hatten hattet hatten"),
    ("sein", "present"): paradigm("bin bist ist sind seid sind"),
    ("sein", "preterite"): paradigm("war warst war waren wart waren"),
    ("werden", "present"): paradigm("werde wirst wird werden werdet werden"),
    ("werden", "preterite"): paradigm("wurde wurdest wurde wurden wurdet wurden"),
    ("wissen", "present"): paradigm("weiß weißt weiß wissen wisst wissen"),
    ("wissen", "preterite"): paradigm("wusste wusstest wusste wussten wusstet wussten"),
}


def english_plural(singular: str) -> str:
    """The regular English plural; of a phrase, that of its last word."""
    if singular.endswith(("s", "x", "z", "ch", "sh")):
        return singular + "es"
    if singular.endswith("y") and singular[-2] not in "aeiou":
        return singular[:-1] + "ies"
    return singular + "s"


def english_third(base: str) -> str:
    """reads, watches, carries, has, goes."""
    if base in ("go", "do"):
        return base + "es"
    return "has" if base == "have" else english_plural(base)


def english_past(base: str) -> str:
    """The regular past: -d, -ied, -ed. Verbs that double their last letter are listed as irregular."""
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + "ed"


def be(tense: str, person: int, number: str) -> str:
    """am, is, are, was, were."""
    if tense == "past":
        return "was" if number == "sg" and person != 2 else "were"
    if number == "pl" or person == 2:
        return "are"
    return "am" if person == 1 else "is"
