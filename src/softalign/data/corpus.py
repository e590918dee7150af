"""What the embedded corpora share: a record, how splits are drawn from a grammar, and what is reported about them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from softalign.errors import UserError

# Draws of an already known source in a row before a grammar counts as exhausted.
PATIENCE = 2000


@dataclass(frozen=True)
class Example:
    """One pair that a grammar has derived."""

    source: str
    target: str
    alignment: str  # Pharaoh pairs "i-j" of 0-based whitespace words, source first, sorted, separated by a space
    template: str  # the derivation with the open-class words taken out


def generate(
    grammar: Callable[[random.Random], Example], seed: int, train_rows: int, validation_rows: int, test_rows: int
) -> dict[str, list[Example]]:
    """Draw three splits whose sources are all distinct, within a split and between splits.

    The test split is drawn first and the training split last, so that more or fewer training rows leave the
    other two as they are. The same seed gives the same splits.

    Raises `UserError` when a number of rows is not positive, or when the grammar has no more sources to give.
    """
    sizes = {"train": train_rows, "validation": validation_rows, "test": test_rows}
    for name, rows in sizes.items():
        if rows < 1:
            raise UserError(f"{name}_rows is {rows}", "data.source", "give 1 or more")
    generator = random.Random(seed)
    known: set[str] = set()
    splits: dict[str, list[Example]] = {name: [] for name in sizes}
    for name in ("test", "validation", "train"):
        repeated = 0
        while len(splits[name]) < sizes[name]:
            example = grammar(generator)
            if example.source in known:
                repeated += 1
                if repeated > PATIENCE:
                    raise UserError(
                        f"the grammar has no more than about {len(known)} distinct sources, "
                        f"and {sum(sizes.values())} are asked for",
                        "data.source",
                        "ask for fewer rows",
                    )
                continue
            repeated = 0
            known.add(example.source)
            splits[name].append(example)
    return splits


def statistics(splits: dict[str, list[Example]]) -> dict[str, Any]:
    """Vocabulary, lengths and templates of the splits of `generate`, as plain numbers.

    A word is what stands between spaces, punctuation included. `source` and `target` count over all splits
    together; shares are fractions of 1: `test_words_unseen` of running words, `test_templates_unseen` of test rows.
    """
    everything = [example for rows in splits.values() for example in rows]
    train, test = splits["train"], splits["test"]
    known_templates = {example.template for example in train}
    return {
        "source": _side([example.source for example in everything]),
        "target": _side([example.target for example in everything]),
        "templates": len({example.template for example in everything}),
        "test_words_unseen": {
            "source": _unseen((row.source for row in train), (row.source for row in test)),
            "target": _unseen((row.target for row in train), (row.target for row in test)),
        },
        "test_templates_unseen": _share(row.template not in known_templates for row in test),
    }


def _side(texts: Sequence[str]) -> dict[str, Any]:
    counts = Counter(word for text in texts for word in text.split())
    lengths = sorted(len(text.split()) for text in texts)
    return {
        "words": sum(lengths),
        "vocabulary": len(counts),
        "seen_once": sum(count == 1 for count in counts.values()),
        "length": {
            "min": lengths[0],
            "lower_quartile": _quantile(lengths, 0.25),
            "median": _quantile(lengths, 0.5),
            "upper_quartile": _quantile(lengths, 0.75),
            "max": lengths[-1],
            "mean": round(sum(lengths) / len(lengths), 2),
        },
    }


def _quantile(ordered: Sequence[int], share: float) -> int:
    """The value of rank ⌊share · n⌋ + 1 of n."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _unseen(train: Iterable[str], test: Iterable[str]) -> float:
    known = {word for text in train for word in text.split()}
    return _share(word not in known for text in test for word in text.split())


def _share(hits: Iterable[bool]) -> float:
    flags = list(hits)
    return round(sum(flags) / len(flags), 4)
