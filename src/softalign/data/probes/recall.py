"""`recall`: one value marked among others, to be given back after a lag (the long time lag problems of Hochreiter
and Schmidhuber 1997, as a task of sequence to sequence)."""

from __future__ import annotations

import random

from softalign.config import EmbeddedSource
from softalign.data import corpus
from softalign.data.corpus import Example

MARKER = "#"
VALUES = tuple("ABCDEFGHIJKLMNOPQRST")
FILLERS = tuple("abcdefghijklmnopqrstuvwxyz")
LONGEST_LAG = 60
# Words before the marker beyond those after the value: enough for sources without a lag to be distinct.
MORE_BEFORE = (2, 8)


def generate(source: EmbeddedSource) -> dict[str, list[Example]]:
    """The splits train, validation and test; the same source gives the same splits, and no sequence occurs twice."""
    return corpus.generate(example, source.seed, source.train_rows, source.validation_rows, source.test_rows)


def example(rng: random.Random) -> Example:
    """Fillers, the marker, a value, and as many fillers as the lag says; the target is the value.

    Lags run from 0 to LONGEST_LAG, log-uniformly: P(lag) = ln((lag + 2) / (lag + 1)) / ln(LONGEST_LAG + 2). Were all
    lags as frequent, a network that has still to find out what is asked would see it in long sources alone.
    More words stand before the value than after it, so that the lag is the way to the nearer end too: an encoder that
    reads in both directions meets the value no later from the other side.
    """
    lag = int((LONGEST_LAG + 2) ** rng.random()) - 1
    before = lag + rng.randint(*MORE_BEFORE)
    value = rng.choice(VALUES)
    words = [*rng.choices(FILLERS, k=before), MARKER, value, *rng.choices(FILLERS, k=lag)]
    return Example(" ".join(words), value, f"{before + 1}-0", f"lag:{lag}")


def lag_of(source: str) -> int:
    """Words after the marked value. Raises `ValueError` for a source without exactly one marker before a value."""
    words = source.split()
    if words.count(MARKER) != 1 or words[-1] == MARKER:
        raise ValueError(f"the source {source[:60]!r} has no single {MARKER!r} with a value after it")
    return len(words) - 2 - words.index(MARKER)
