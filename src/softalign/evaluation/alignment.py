"""Does attention look where the gold alignment says: alignment error rate (Och and Ney 2003).

Words here are white-space words. Link (i, j) joins source word i to target word j, both from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Links = frozenset[tuple[int, int]]


def parse_links(pharaoh: str) -> Links:
    """Links of a Pharaoh line such as "0-0 1-2". Raises `ValueError` for anything else."""
    links = []
    for pair in pharaoh.split():
        source, _, target = pair.partition("-")
        links.append((int(source), int(target)))
    return frozenset(links)


def word_weights(
    weights: NDArray[np.float64], source_words: Sequence[int], target_words: Sequence[int]
) -> NDArray[np.float64]:
    """Attention between words (J, I) from attention between subwords (T, S).

    `source_words` (S,) and `target_words` (T,) give the word of each subword. The weight that falls on a source word
    is the sum over its subwords; a target word attends as its subwords do on average.
    """
    into_source = np.zeros((len(source_words), max(source_words, default=-1) + 1))
    into_source[np.arange(len(source_words)), source_words] = 1.0
    into_target = np.zeros((max(target_words, default=-1) + 1, len(target_words)))
    into_target[target_words, np.arange(len(target_words))] = 1.0
    into_target /= np.maximum(into_target.sum(axis=1, keepdims=True), 1.0)
    return into_target @ weights @ into_source


def attention_links(weights: NDArray[np.float64]) -> Links:
    """One link for each target word, to the source word with the largest weight, from weights (J, I)."""
    if weights.size == 0:
        return frozenset()
    return frozenset((int(source), target) for target, source in enumerate(weights.argmax(axis=1)))


def diagonal_links(source_words: int, target_words: int) -> Links:
    """The baseline without any learning: target word j of J to source word ⌊(j + ½) I / J⌋ of I."""
    if source_words == 0:
        return frozenset()
    return frozenset(((2 * j + 1) * source_words // (2 * target_words), j) for j in range(target_words))


def entropies(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """-Σ_i α_ti log α_ti in nats, of each row of weights (T, S): (T,). 0 for a single position, log S when uniform."""
    logarithms = np.log(np.where(weights > 0, weights, 1.0))
    return np.asarray(-(weights * logarithms).sum(axis=-1))


@dataclass
class LinkCounts:
    """Links over a corpus. The gold links are all sure (S = P in Och and Ney's notation)."""

    correct: int = 0
    predicted: int = 0
    gold: int = 0

    def add(self, predicted: Links, gold: Links) -> None:
        self.correct += len(predicted & gold)
        self.predicted += len(predicted)
        self.gold += len(gold)

    @property
    def error_rate(self) -> float:
        """AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|), a share: 0 is perfect. With S = P it is 1 - F1."""
        return 1.0 - 2.0 * self.correct / max(self.predicted + self.gold, 1)

    @property
    def precision(self) -> float:
        return self.correct / max(self.predicted, 1)

    @property
    def recall(self) -> float:
        return self.correct / max(self.gold, 1)


class AlignmentScore:
    """Alignment error rate and attention entropy over a corpus, one sentence pair after the other."""

    def __init__(self) -> None:
        self.attention = LinkCounts()
        self.diagonal = LinkCounts()
        self.reachable = LinkCounts()
        self._entropy = 0.0
        self._uniform = 0.0
        self._steps = 0

    def add(
        self,
        weights: NDArray[np.float64],
        source_words: Sequence[int],
        target_words: Sequence[int],
        gold: Links,
    ) -> None:
        """Count one pair: teacher-forced weights (T, S) between its subwords, and the word of each subword.

        The weights may have one column more than there are source subwords (the end of the source) and one row more
        than there are target subwords (the end of the target). The links leave both out. The entropy is that of the
        weights as the model uses them, so the column counts there; the row does not.
        """
        steps, positions = len(target_words), len(source_words)
        inner = weights[:steps, :positions]
        source_length, target_length = max(source_words, default=-1) + 1, max(target_words, default=-1) + 1
        self.attention.add(attention_links(word_weights(inner, source_words, target_words)), gold)
        self.diagonal.add(diagonal_links(source_length, target_length), gold)
        linked = {target: (source, target) for source, target in sorted(gold)}
        self.reachable.add(frozenset(linked.get(j, (-1, j)) for j in range(target_length)), gold)
        self._entropy += float(entropies(weights[:steps]).sum())
        self._uniform += steps * float(np.log(max(weights.shape[1], 1)))
        self._steps += steps

    def report(self) -> dict[str, float | int]:
        """Rates as shares, entropies in nats.

        `reachable_error_rate` is the lowest that one link for each target word can reach: gold leaves some target words
        without a link and gives others several.
        """
        steps = max(self._steps, 1)
        return {
            "error_rate": self.attention.error_rate,
            "precision": self.attention.precision,
            "recall": self.attention.recall,
            "entropy": self._entropy / steps,
            "entropy_uniform": self._uniform / steps,
            "diagonal_error_rate": self.diagonal.error_rate,
            "reachable_error_rate": self.reachable.error_rate,
            "links": self.attention.gold,
        }
