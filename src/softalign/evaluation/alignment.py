"""Does attention look where the gold alignment says: alignment error rate (Och and Ney 2003).

Words here are white-space words. Link (i, j) joins source word i to target word j, both from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import punctuation

import numpy as np
from numpy.typing import NDArray

from softalign.config import EvaluationConfig
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.significance import percentile_interval, resampled_scores

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


def link_counts(predicted: Links, gold: Links) -> tuple[int, int, int]:
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
        self.attention: list[tuple[int, int, int]] = []
        self.diagonal: list[tuple[int, int, int]] = []
        self.same_word: list[tuple[int, int, int]] = []
        self.reachable: list[tuple[int, int, int]] = []
        self._entropies: list[NDArray[np.float64]] = []
        self._uniform: list[float] = []

    def add(
        self,
        weights: NDArray[np.float64],
        source_words: Sequence[int],
        target_words: Sequence[int],
        gold: Links,
        same_word: Links,
    ) -> None:
        """Count one pair: teacher-forced weights (T, S) between its subwords, the word of each subword, the gold
        links, and those of `same_word_links`.

        The weights may have one column more than there are source subwords (the end of the source) and one row more
        than there are target subwords (the end of the target). The links leave both out. The entropy is that of the
        weights as the model uses them, so the column counts there; the row does not.
        """
        steps, positions = len(target_words), len(source_words)
        source_length, target_length = max(source_words, default=-1) + 1, max(target_words, default=-1) + 1
        inner = word_weights(weights[:steps, :positions], source_words, target_words)
        self.attention.append(link_counts(attention_links(inner), gold))
        self.diagonal.append(link_counts(diagonal_links(source_length, target_length), gold))
        self.same_word.append(link_counts(same_word, gold))
        linked = {target: (source, target) for source, target in sorted(gold)}
        reachable = frozenset(linked.get(target, (-1, target)) for target in range(target_length))
        self.reachable.append(link_counts(reachable, gold))
        self._entropies.append(entropies(weights[:steps]))
        self._uniform += steps * [float(np.log(max(weights.shape[1], 1)))]

    def report(self, config: EvaluationConfig) -> dict[str, float | int | str]:
        """Rates as shares over all links of the corpus, entropies in nats as means over target subwords.

        `diagonal_error_rate` and `same_word_error_rate` are those of the two baselines that learn nothing, `baseline`
        names the better of them (`diagonal`, `same word`), and `difference` is the rate of the attention minus that of
        this one, with its bootstrap interval over sentence pairs. `reachable_error_rate` is the lowest that one link
        for each target word can reach: gold leaves some target words without a link and gives others several.

        Raises `ValueError` before any pair was added.
        """
        if not self.attention:
            raise ValueError("no pair was added")
        attention = _statistics(self.attention)
        baselines = {"diagonal": _statistics(self.diagonal), "same word": _statistics(self.same_word)}
        name = min(baselines, key=lambda each: baselines[each].corpus_score())
        systems = [attention, baselines[name]]
        resampled = resampled_scores(systems, config.bootstrap_samples, config.bootstrap_seed)
        low, high = percentile_interval(resampled[0] - resampled[1], config.confidence)
        correct, predicted, gold = attention.values.sum(axis=0)
        return {
            "error_rate": attention.corpus_score(),
            "precision": correct / max(predicted, 1.0),
            "recall": correct / max(gold, 1.0),
            "entropy": float(np.concatenate(self._entropies).mean()),
            "entropy_uniform": float(np.mean(self._uniform)),
            "diagonal_error_rate": baselines["diagonal"].corpus_score(),
            "same_word_error_rate": baselines["same word"].corpus_score(),
            "baseline": name,
            "difference": attention.corpus_score() - baselines[name].corpus_score(),
            "difference_low": low,
            "difference_high": high,
            "reachable_error_rate": _statistics(self.reachable).corpus_score(),
            "links": int(gold),
        }


def _statistics(counts: list[tuple[int, int, int]]) -> ItemStatistics:
    return ItemStatistics(np.array(counts, dtype=np.float64), error_rate, "")
