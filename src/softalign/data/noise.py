"""Slips of the pen: letters swapped, deleted and inserted (Belinkov and Bisk 2018, "Synthetic and Natural Noise Both
Break Neural Machine Translation").

They disturb one kind of slip at a time; here each edit is one of three, at a stated rate.
"""

from __future__ import annotations

import random
from collections.abc import Sequence


def noisy(texts: Sequence[str], rate: float, seed: int) -> list[str]:
    """Each of `texts` with every one of its letters edited with probability `rate`, independently.

    An edit is drawn with equal chances from those that are possible at the letter: a swap with the letter before it in
    the word, unless the two are equal; a deletion, unless nothing of the word would be left; the insertion of a letter
    after it, drawn from the lower-case letters that `texts` hold. Digits, punctuation and white space stay, and so does
    the number of words: what is said about word n is still true of it. The same arguments give the same texts.
    """
    letters = sorted({letter for text in texts for letter in text.lower() if letter.isalpha()})
    generator = random.Random(seed)
    return [" ".join(_noisy_word(word, rate, letters, generator) for word in text.split(" ")) for text in texts]


def _noisy_word(word: str, rate: float, letters: Sequence[str], generator: random.Random) -> str:
    written: list[str] = []
    for place, letter in enumerate(word):
        written.append(letter)
        if not letter.isalpha() or generator.random() >= rate:
            continue
        edits = ["insert"]
        if len(written) > 1 and written[-2].isalpha() and written[-2] != letter:
            edits.append("swap")
        if len(written) > 1 or place + 1 < len(word):
            edits.append("delete")
        match generator.choice(edits):
            case "insert":
                written.append(generator.choice(letters))
            case "swap":
                written[-2:] = [letter, written[-2]]
            case "delete":
                written.pop()
    return "".join(written)
