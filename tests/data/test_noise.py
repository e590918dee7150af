"""Noise by its properties: what it touches, how much of it, and that it comes out the same."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.data.noise import noisy

SENTENCES = ["Der alte Mann liest 25 Bücher (und eine Zeitung) im Garten.", "A b, c-d!"] * 300
RATES = st.floats(0, 0.999)
TEXTS = st.lists(st.lists(st.text(min_size=1, max_size=8).filter(lambda word: word.split() == [word])).map(" ".join))


def is_one_edit(word: str, other: str) -> bool:
    """Whether `other` is `word` with two neighbours swapped, a character less, or a character more."""
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    shorter = {word[:i] + word[i + 1 :] for i in range(len(word))}
    longer = word in {other[:i] + other[i + 1 :] for i in range(len(other))}
    return other in swapped | shorter or longer


@given(TEXTS, RATES, st.integers(0, 3))
def test_rows_words_and_everything_but_letters_stay(texts: list[str], rate: float, seed: int) -> None:
    found = noisy(texts, rate, seed)
    assert len(found) == len(texts)
    for text, other in zip(texts, found, strict=True):
        assert len(other.split(" ")) == len(text.split(" "))
        assert all(bool(word) == bool(before) for before, word in zip(text.split(" "), other.split(" "), strict=True))
        without = ["".join(c for c in each if not c.isalpha()) for each in (text, other)]
        assert without[0] == without[1]


@given(TEXTS, RATES, st.integers(0, 3))
def test_the_same_seed_gives_the_same_noise(texts: list[str], rate: float, seed: int) -> None:
    assert noisy(texts, rate, seed) == noisy(texts, rate, seed)


def test_another_seed_gives_other_noise_and_none_leaves_everything() -> None:
    assert noisy(SENTENCES, 0.1, 0) != noisy(SENTENCES, 0.1, 1)
    assert noisy(SENTENCES, 0.0, 0) == SENTENCES


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_the_rate_is_that_of_the_letters(rate: float) -> None:
    """The one edit that a word of one letter allows is an insertion, so that each of them can be counted."""
    words = ["a", "b"] * 5000
    edited = sum(len(text) == 2 for text in noisy(words, rate, 0))
    deviation = math.sqrt(len(words) * rate * (1 - rate))
    assert abs(edited - rate * len(words)) < 4 * deviation


def test_an_edit_is_a_swap_a_deletion_or_an_insertion_and_each_is_as_likely() -> None:
    word = "Straßenbahn"
    kinds: Counter[int] = Counter()
    for other in noisy([word] * 20_000, 0.005, 0):
        if other != word and is_one_edit(word, other):
            kinds[len(other) - len(word)] += 1
    total = sum(kinds.values())
    assert total > 800
    # The first letter has no letter before it to be swapped with, so swaps are a little rarer.
    letters = len(word)
    swaps = (letters - 1) / letters / 3
    for change, share in ((0, swaps), (-1, (1 - swaps) / 2), (1, (1 - swaps) / 2)):
        assert kinds[change] / total == pytest.approx(share, abs=0.05)


def test_letters_that_come_in_are_letters_of_the_texts() -> None:
    found = set("".join(noisy(["äβ, 1"] * 500, 0.9, 0)))
    assert found == set("äβ, 1")
