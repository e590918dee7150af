"""The synchronous grammar's material: words that carry links, phrases that have two sides, and how they become text.

A rule of the grammar builds a `Pair` from other pairs: it says in which order the German side and in which order the
English side takes them up. Words of the two sides that hold the same `Link` are aligned, wherever the rules put them;
so a split verb ("macht ... auf") and its one English verb ("opens") stay together, and the gold alignment is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from softalign.data.corpus import Example


class Link:
    """An identity, no more: what a word on one side has to do with a word on the other."""

    __slots__ = ()


class Word(NamedTuple):
    """One word of one side; `slot` is what the template shows in its place."""

    text: str
    links: tuple[Link, ...] = ()
    slot: str = ""


COMMA = Word(",", slot=",")  # attaches to the word before it; several are one, and none stands first or last

Side = tuple[Word, ...]


class Pair(NamedTuple):
    """A phrase with its German and its English side."""

    german: Side = ()
    english: Side = ()


EMPTY = Pair()


def words(text: str, link: Link, slot: str = "") -> Side:
    """The words of `text`, all with the same link."""
    if not text:
        return ()
    links = (link,)
    if " " not in text:
        return (Word(text, links, slot),)
    return tuple([Word(part, links, slot) for part in text.split()])


def lexical(german: str, english: str, slot: str | None = None) -> Pair:
    """A leaf: words that translate each other as a whole. Without a slot the template shows the German words."""
    link = Link()
    if slot is not None:
        return Pair(words(german, link, slot), words(english, link))
    side = tuple([Word(part, (link,), part.lower()) for part in german.split()])
    return Pair(side, words(english, link))


def join(sides: Iterable[Side]) -> Side:
    """One side after the other."""
    return tuple(chain.from_iterable(sides))


def sequence(*parts: Pair) -> Pair:
    """The rule without reordering: both sides take the parts up in the order given."""
    return Pair(join([part.german for part in parts]), join([part.english for part in parts]))


COMMAS = Pair((COMMA,), (COMMA,))
GERMAN_COMMA = Pair((COMMA,), ())

CONTRACTIONS = {
    ("in", "dem"): "im",
    ("an", "dem"): "am",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("von", "dem"): "vom",
    ("bei", "dem"): "beim",
    ("in", "das"): "ins",
    ("an", "das"): "ans",
}


def preposition(german: str, english: str, phrase: Pair, slot: str = "P") -> Pair:
    """Preposition and noun phrase; "zu dem" becomes "zum", one word that is aligned with "to" and with "the"."""
    link = Link()
    head = phrase.german[0]
    joined = CONTRACTIONS.get((german, head.text)) if head.slot == "DET" else None
    front: Side
    if joined:
        front = (Word(joined, (link, *head.links), slot + "+DET"), *phrase.german[1:])
    else:
        front = (Word(german, (link,), slot), *phrase.german)
    return Pair(front, words(english, link) + phrase.english)


# Written with a vowel, spoken with a consonant: "a used car", "a one-way street".
CONSONANT_SOUND = ("uni", "use", "usu", "eur", "one")
VOWEL_SOUND = ("hour", "honest", "honour")


def begins_with_vowel(word: str) -> bool:
    """Whether an English word takes "an"; digits as they are spoken."""
    word = word.lower()
    if word.startswith(VOWEL_SOUND):
        return True
    return (word[0] in "aeiou" and not word.startswith(CONSONANT_SOUND)) or word.split("-")[0] in {"8", "11", "18"}


def write(side: Iterable[Word], mark: str) -> tuple[str, list[tuple[Link, ...]]]:
    """The text of one side, closed by `mark`, and the links of each of its whitespace words."""
    texts: list[str] = []
    links: list[tuple[Link, ...]] = []
    for word in side:
        if word is COMMA:
            if texts and not texts[-1].endswith(","):
                texts[-1] += ","
            continue
        if texts and texts[-1] in ("a", "A") and begins_with_vowel(word.text) and word.text != "a":
            texts[-1] += "n"
        if word.text == "not" and texts and texts[-1] == "can":
            texts[-1], links[-1] = "cannot", links[-1] + word.links
            continue
        texts.append(word.text)
        links.append(word.links)
    texts[0] = texts[0][0].upper() + texts[0][1:]
    texts[-1] = texts[-1].rstrip(",") + mark
    return " ".join(texts), links


def example(pair: Pair, mark: str = ".") -> Example:
    """The pair as text, with its alignment and its template."""
    source, source_links = write(pair.german, mark)
    target, target_links = write(pair.english, mark)
    places: dict[Link, list[int]] = {}
    for j, links in enumerate(target_links):
        for link in links:
            places.setdefault(link, []).append(j)
    aligned = sorted({(i, j) for i, links in enumerate(source_links) for link in links for j in places.get(link, ())})
    slots: list[str] = []
    for word in pair.german:  # commas as they are written
        if word is not COMMA or (slots and slots[-1] != ","):
            slots.append(word.slot or "_")
    template = " ".join(slots).removesuffix(" ,") + " " + mark
    return Example(source, target, " ".join(f"{i}-{j}" for i, j in aligned), template)
