"""Sentences joined end to end: inputs many of which are longer than any that were trained on (Variš and Bojar
2021, "Sequence Length is a Domain", build long inputs in this way)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softalign.data.cleaning import Pair


def joined(rows: Sequence[Pair], sentences: int) -> Iterator[Pair]:
    """Each `sentences` neighbouring rows as one, one space between; rows left over at the end make none.

    Reference n of a joined row is made of the nth reference of each of its rows, for as many as all of them have.
    Alignments are dropped.
    """
    for start in range(0, len(rows) - sentences + 1, sentences):
        group = rows[start : start + sentences]
        references = tuple(" ".join(nth) for nth in zip(*(row.references for row in group), strict=False))
        yield Pair(" ".join(row.source for row in group), references[0], references)
