"""`newsbriefs`: short reports and their one-sentence summaries, generated. docs/data/newsbriefs.md is its data card."""

from __future__ import annotations

import random

from softalign.config import EmbeddedSource
from softalign.data import corpus
from softalign.data.corpus import Example
from softalign.data.newsbriefs import accidents, business, civic, culture, justice, nature
from softalign.data.newsbriefs.background import BACKGROUND
from softalign.data.newsbriefs.grammar import Brief, derive

EVENTS = tuple(event for theme in (accidents, nature, justice, civic, business, culture) for event in theme.EVENTS)
REPORT_WORDS = (30, 120)
SUMMARY_WORDS = (8, 20)


def generate(source: EmbeddedSource) -> dict[str, list[Example]]:
    """The splits train, validation and test; the same source gives the same splits, and no report occurs twice."""
    return corpus.generate(
        lambda rng: brief(rng).example, source.seed, source.train_rows, source.validation_rows, source.test_rows
    )


def brief(rng: random.Random) -> Brief:
    """A report of 30 to 120 words and its summary of 8 to 20 words.

    Most reports are short: 30 words are asked for, and an exponentially distributed number of them on top.
    """
    while True:
        made = derive(
            rng.choice(EVENTS),
            rng,
            background=rng.sample(BACKGROUND, 12),
            asides=rng.randint(0, 1),
            words=REPORT_WORDS[0] + min(80, int(rng.expovariate(1 / 12))),
        )
        if _within(made.example.source, REPORT_WORDS) and _within(made.example.target, SUMMARY_WORDS):
            return made


def _within(text: str, limits: tuple[int, int]) -> bool:
    return limits[0] <= len(text.split()) <= limits[1]
