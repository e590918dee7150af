"""Does attention look where the gold alignment says: alignment error rate (Och and Ney 2003).

Words here are white-space words. Link (i, j) joins source word i to target word j, both from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import punctuation

import numpy as np
from numpy.typing import NDArray

Links = frozenset[tuple[int, int]]
Counts = tuple[int, int, int]  # of `link_counts`

ATTENTION, DIAGONAL, SAME_WORD = "attention", "diagonal", "same_word"  # whose links are counted


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


def same_word_links(source: Sequence[str], target: Sequence[str]) -> Links:
    """A baseline that learns nothing and reads: each target word to the equal source word, upper and lower case and
    punctuation at the ends aside; to the one nearest to the diagonal where several are equal, to none where none is.
    """
    sources, targets = ([word.strip(punctuation).casefold() for word in words] for words in (source, target))
    links = []
    for j, word in enumerate(targets):
        equal = [i for i, other in enumerate(sources) if word and other == word]
        if equal:
            diagonal = (j + 0.5) * len(sources) / len(targets) - 0.5
            links.append((min(equal, key=lambda i: abs(i - diagonal)), j))
    return frozenset(links)


def entropies(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """-Σ_i α_ti log α_ti in nats, of each row of weights (T, S): (T,). 0 for a single position, log S when uniform."""
    logarithms = np.log(np.where(weights > 0, weights, 1.0))
    return np.asarray(-(weights * logarithms).sum(axis=-1))


def link_counts(predicted: Links, gold: Links) -> Counts:
    """|A ∩ S|, |A| and |S|: links that are right, that were predicted, and of the gold alignment."""
    return len(predicted & gold), len(predicted), len(gold)


def error_rate(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """AER from summed `link_counts` (..., 3): (...), a share; 0 is perfect.

    AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|). All gold links here are sure (S = P), which makes it 1 - F1.
    """
    return 1.0 - 2.0 * totals[..., 0] / np.maximum(totals[..., 1] + totals[..., 2], 1.0)


class AlignmentScore:
    """Alignment error rate and attention entropy over a corpus, one sentence pair after the other."""

    def __init__(self) -> None:
        self.counts: dict[int, dict[str, Counts]] = {}  # by row: of the attention, of the two baselines
        self.reachable: list[Counts] = []
        self._entropies: list[NDArray[np.float64]] = []
        self._uniform: list[float] = []

    def add(
        self,
        row: int,
        weights: NDArray[np.float64],
        source_words: Sequence[int],
        target_words: Sequence[int],
        gold: Links,
        same_word: Links,
    ) -> None:
        """Count one pair, a row of the test set: teacher-forced weights (T, S) between its subwords, the word of each
        subword, the gold links, and those of `same_word_links`.

        The weights may have one column more than there are source subwords (the end of the source) and one row more
        than there are target subwords (the end of the target). The links leave both out. The entropy is that of the
        weights as the model uses them, so the column counts there; the row does not.
        """
        steps, positions = len(target_words), len(source_words)
        source_length, target_length = max(source_words, default=-1) + 1, max(target_words, default=-1) + 1
        inner = word_weights(weights[:steps, :positions], source_words, target_words)
        self.counts[row] = {
            ATTENTION: link_counts(attention_links(inner), gold),
            DIAGONAL: link_counts(diagonal_links(source_length, target_length), gold),
            SAME_WORD: link_counts(same_word, gold),
        }
        linked = {target: (source, target) for source, target in sorted(gold)}
        reachable = frozenset(linked.get(target, (-1, target)) for target in range(target_length))
        self.reachable.append(link_counts(reachable, gold))
        self._entropies.append(entropies(weights[:steps]))
        self._uniform += steps * [float(np.log(max(weights.shape[1], 1)))]

    def report(self) -> dict[str, float | int | str]:
        """Rates as shares over all links of the corpus, entropies in nats as means over target subwords.

        `diagonal_error_rate` and `same_word_error_rate` are those of the two baselines that learn nothing, `baseline`
        names the better of them (`diagonal`, `same_word`). `reachable_error_rate` is the lowest that one link for each
        target word can reach: gold leaves some target words without a link and gives others several.

        Raises `ValueError` before any pair was added.
        """
        if not self.counts:
            raise ValueError("no pair was added")
        correct, predicted, gold = self._total(ATTENTION)
        rates = {name: float(error_rate(self._total(name))) for name in (ATTENTION, DIAGONAL, SAME_WORD)}
        baseline = min((DIAGONAL, SAME_WORD), key=rates.__getitem__)
        return {
            "error_rate": rates[ATTENTION],
            "precision": correct / max(predicted, 1.0),
            "recall": correct / max(gold, 1.0),
            "entropy": float(np.concatenate(self._entropies).mean()),
            "entropy_uniform": float(np.mean(self._uniform)),
            "diagonal_error_rate": rates[DIAGONAL],
            "same_word_error_rate": rates[SAME_WORD],
            "baseline": baseline,
            "reachable_error_rate": float(error_rate(np.sum(self.reachable, axis=0, dtype=np.float64))),
            "links": int(gold),
        }

    def _total(self, name: str) -> NDArray[np.float64]:
        return np.sum([counts[name] for counts in self.counts.values()], axis=0, dtype=np.float64)
