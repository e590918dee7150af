"""The probe corpora: every target worked out again from its source."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from project import ROOT

from softalign.composition import compose
from softalign.config import EmbeddedSource
from softalign.data.corpus import Example
from softalign.data.probes import recall, sequences
from softalign.data.tokenizer import Tokenizer
from softalign.paths import Layout

GENERATORS = {"recall": recall.generate, "copy": sequences.generate_copy, "reverse": sequences.generate_reverse}


def splits_of(corpus: str, train: int = 300, seed: int = 1) -> dict[str, list[Example]]:
    source = EmbeddedSource(corpus=corpus, seed=seed, train_rows=train, validation_rows=50, test_rows=60)
    return GENERATORS[corpus](source)


@pytest.mark.parametrize("corpus", GENERATORS)
def test_splits_are_disjoint_and_follow_from_the_seed(corpus: str) -> None:
    splits = splits_of(corpus)
    sources = [row.source for rows in splits.values() for row in rows]
    assert len(sources) == len(set(sources)) == 410
    assert splits_of(corpus) == splits
    assert splits_of(corpus, seed=2)["test"] != splits["test"]
    assert splits_of(corpus, train=20)["test"] == splits["test"]  # more training rows leave the test set alone


def test_recall_asks_for_the_word_after_the_marker() -> None:
    for row in splits_of("recall")["train"]:
        before, after = row.source.split(f"{recall.MARKER} ")
        value, *fillers = after.split()
        assert row.target == value and value in recall.VALUES
        assert set(before.split()) | set(fillers) <= set(recall.FILLERS)
        assert recall.lag_of(row.source) == len(fillers) <= recall.LONGEST_LAG
        assert row.template == f"lag:{len(fillers)}"
        assert len(before.split()) > len(fillers)  # the end is the nearer end
        place, target_place = map(int, row.alignment.split("-"))
        assert row.source.split()[place] == value and target_place == 0


def test_lags_of_recall_are_log_uniform() -> None:
    rows = splits_of("recall", train=4000)["train"]
    counts = Counter(recall.lag_of(row.source) for row in rows)
    for low, high in ((0, 0), (1, 4), (5, 19), (20, recall.LONGEST_LAG)):
        expected = math.log((high + 2) / (low + 1)) / math.log(recall.LONGEST_LAG + 2)
        found = sum(counts[lag] for lag in range(low, high + 1)) / len(rows)
        assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / len(rows)))


@pytest.mark.parametrize("source", ["a b c", "a # A b # B", "a b #", ""])
def test_a_source_without_one_marked_value_has_no_lag(source: str) -> None:
    with pytest.raises(ValueError, match="has no single '#'"):
        recall.lag_of(source)


@pytest.mark.parametrize(("corpus", "step"), [("copy", 1), ("reverse", -1)])
def test_sequences_come_back_as_they_are_or_from_their_end(corpus: str, step: int) -> None:
    rows = splits_of(corpus)["train"]
    for row in rows:
        source, target = row.source.split(), row.target.split()
        assert target == source[::step]
        links = [tuple(map(int, link.split("-"))) for link in row.alignment.split()]
        assert sorted(j for _, j in links) == list(range(len(target)))
        assert all(source[i] == target[j] and (j == i or j == len(source) - 1 - i) for i, j in links)
        assert [i for i, _ in links] == list(range(len(source)))
    lengths = {len(row.source.split()) for row in rows}
    assert lengths == set(sequences.LENGTHS)


@pytest.mark.parametrize("corpus", GENERATORS)
def test_every_word_is_one_token_and_no_row_is_too_long(corpus: str) -> None:
    data = compose(Layout(ROOT), [f"task={corpus}", f"data={corpus}"]).data
    rows = splits_of(corpus, train=400)["train"]
    texts = [text for row in rows for text in (row.source, row.target)]
    tokenizer = Tokenizer.train(texts, data.tokenizer)
    for row in rows:
        assert len(tokenizer.encode(row.source)) == len(row.source.split()) <= data.cleaning.max_source_words
        assert len(tokenizer.encode(row.target)) == len(row.target.split()) <= data.cleaning.max_target_words


def test_no_recall_source_can_be_longer_than_the_cleaning_allows() -> None:
    data = compose(Layout(ROOT), ["task=recall", "data=recall"]).data
    assert data.cleaning.max_source_words == 2 * recall.LONGEST_LAG + recall.MORE_BEFORE[1] + 2
