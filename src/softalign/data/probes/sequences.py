"""`copy` and `reverse`: a sequence to be written again, in its order or from its end (Graves et al. 2014, section 4.1;
Grefenstette et al. 2015)."""

from __future__ import annotations

import random

from softalign.config import EmbeddedSource
from softalign.data import corpus
from softalign.data.corpus import Example

WORDS = tuple("abcdefghijklmnopqrstuvwxyz")
LENGTHS = range(4, 31)


def generate_copy(source: EmbeddedSource) -> dict[str, list[Example]]:
    """Pairs whose target is the source. The same source gives the same splits, and no sequence occurs twice."""
    return _generate(source, backwards=False)


def generate_reverse(source: EmbeddedSource) -> dict[str, list[Example]]:
    """Pairs whose target is the source from its last word to its first."""
    return _generate(source, backwards=True)


def _generate(source: EmbeddedSource, backwards: bool) -> dict[str, list[Example]]:
    return corpus.generate(
        lambda rng: example(rng, backwards), source.seed, source.train_rows, source.validation_rows, source.test_rows
    )


def example(rng: random.Random, backwards: bool) -> Example:
    """Words drawn independently, their number uniform over LENGTHS; every target word has one link."""
    length = rng.choice(LENGTHS)
    words = rng.choices(WORDS, k=length)
    places = range(length)
    target = words[::-1] if backwards else words
    links = [f"{place}-{length - 1 - place if backwards else place}" for place in places]
    return Example(" ".join(words), " ".join(target), " ".join(links), f"length:{length}")
