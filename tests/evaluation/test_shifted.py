"""Scores of shifted test sets: by hand, and on an arm that was trained for a few steps."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tiny_arm import tiny_config, train_tiny, write_toy_data

from softalign.config import CleaningConfig
from softalign.data.prepared import ENCODED, load_prepared
from softalign.data.shifted import ShiftedSplit
from softalign.evaluation.arm import load_arm
from softalign.evaluation.scores import corpus_scores, item_statistics
from softalign.evaluation.shifted import (
    Decoded,
    ScoredItems,
    decode_shifted,
    rows_by_length,
    shifted_scores,
    write_shifted,
)
from softalign.evaluation.split import split_of
from softalign.evaluation.stored_items import read_items
from softalign.paths import Layout

CONFIG = tiny_config("vanilla")
REFERENCES = [["a b c d"], ["e f g h"], ["i j k l"], ["m n o p"]]


def scored(texts: list[str], references: list[list[str]], nll: list[float]) -> ScoredItems:
    words = [len(several[0].split()) for several in references]
    return ScoredItems(texts, references, words, np.array(nll), item_statistics(texts, references))


def limited(low: int | None, high: int | None) -> CleaningConfig:
    return CleaningConfig(train_min_source_words=low, train_max_source_words=high)


def test_rows_by_the_length_of_their_sources() -> None:
    words = [1, 2, 3, 4, 5, 2]

    def found(low: int | None, high: int | None) -> tuple[list[int], dict[str, list[int]]]:
        trained, others = rows_by_length(words, limited(low, high))
        return trained.tolist(), {name: rows.tolist() for name, rows in others.items()}

    assert found(None, None) == ([0, 1, 2, 3, 4, 5], {})
    assert found(None, 3) == ([0, 1, 2, 5], {"longer": [3, 4]})
    assert found(3, None) == ([2, 3, 4], {"shorter": [0, 1, 5]})
    assert found(2, 4) == ([1, 2, 3, 5], {"shorter": [0], "longer": [4]})
    assert found(6, None) == ([], {"shorter": [0, 1, 2, 3, 4, 5]})
    assert found(None, 5) == ([0, 1, 2, 3, 4, 5], {})


def test_by_hand() -> None:
    """Of four test rows the first two are right; the third and fourth, which are longer, are wrong."""
    test = scored(["a b c d", "e f g h", "x", "y"], REFERENCES, [1.0, 2.0, 3.0, 4.0])
    noise = Decoded("noise", None, [1, 3], [], scored(["e f g h", "m n o p"], REFERENCES[1::2], [5.0, 5.0]))  # type: ignore[arg-type]
    other = Decoded("other", None, None, [], scored(["z"], [["q"]], [6.0]))  # type: ignore[arg-type]
    config = replace(CONFIG, data=replace(CONFIG.data, cleaning=limited(None, 10)))
    found = shifted_scores([noise, other], test, [4, 4, 11, 12], config)
    assert list(found) == ["noise", "other", "longer"]

    assert found["noise"]["bleu"] == pytest.approx(100) and found["noise"]["n_rows"] == 2
    assert found["noise"]["exact_match"] == 100 and found["noise"]["base"]["exact_match"] == 50
    assert found["noise"]["perplexity"] == pytest.approx(math.exp(10 / 10))  # four words and the end, twice
    assert found["noise"]["base"]["perplexity"] == pytest.approx(math.exp((2 + 4) / 10))
    assert found["noise"]["intervals"]["bleu"] == pytest.approx({"low": 100, "high": 100})

    assert found["other"]["bleu"] == 0 and found["other"]["base"]["n_rows"] == 4
    assert found["other"]["base"]["perplexity"] == pytest.approx(math.exp((1 + 2 + 3 + 4) / 20))

    assert (found["longer"]["n_rows"], found["longer"]["bleu"], found["longer"]["exact_match"]) == (2, 0, 0)
    assert found["longer"]["base"]["bleu"] == pytest.approx(100) and found["longer"]["base"]["n_rows"] == 2
    assert found["longer"]["perplexity"] == pytest.approx(math.exp((3 + 4) / 10))


def test_without_shifted_sets_there_is_nothing() -> None:
    assert shifted_scores([], scored(["a"], [["a"]], [1.0]), [1], CONFIG) == {}


def test_no_row_of_a_trained_length_leaves_nothing_to_compare_with() -> None:
    config = replace(CONFIG, data=replace(CONFIG.data, cleaning=limited(5, None)))
    found = shifted_scores([], scored(["a"], [["a"]], [1.0]), [1], config)
    assert found["shorter"]["n_rows"] == 1 and found["shorter"]["base"] is None


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Decoded], list[str]]:
    """What an arm makes of its own test set once more, and of two rows of it as if they were noise."""
    layout = Layout(tmp_path_factory.mktemp("project"))
    write_toy_data(layout, CONFIG)
    run = train_tiny(layout, CONFIG, steps=30)
    data = load_prepared(layout.prepared("translation"), CONFIG.data)
    arm = load_arm(run / "train" / "best.ckpt", data, CONFIG)
    table = data.splits["test"]
    noise = pa.table(table.take([7, 3])).cast(ENCODED)
    several = pa.array([["nothing of it", *references] for references in table["references"].to_pylist()])
    column = table.schema.get_field_index("references")
    sets = {
        "again": ShiftedSplit(table, None),
        "noise": ShiftedSplit(noise, [7, 3]),
        "several": ShiftedSplit(pa.table(table).set_column(column, "references", several), None),
    }
    return layout.root, decode_shifted(arm, sets, CONFIG, ""), split_of(table).source


def test_each_set_is_decoded_in_its_own_order(decoded: tuple[Path, list[Decoded], list[str]]) -> None:
    _, (again, noise, _), sources = decoded
    assert again.split.source == sources
    assert noise.split.source == [sources[7], sources[3]]
    assert noise.scored.texts == [again.scored.texts[7], again.scored.texts[3]]
    np.testing.assert_allclose(
        noise.scored.negative_log_likelihoods, again.scored.negative_log_likelihoods[[7, 3]], rtol=1e-4
    )


def test_all_references_of_a_row_count(decoded: tuple[Path, list[Decoded], list[str]]) -> None:
    _, (again, _, several), _ = decoded
    expected = item_statistics(several.scored.texts, [["nothing of it", target] for target in again.split.target])
    assert corpus_scores(dict(several.scored.statistics)) == corpus_scores(expected)
    assert corpus_scores(expected) != corpus_scores(dict(again.scored.statistics))


def test_what_is_written_is_what_was_scored(decoded: tuple[Path, list[Decoded], list[str]]) -> None:
    root, found, sources = decoded
    write_shifted(root, found)
    for each in found:
        folder = root / "shifted" / each.name
        records = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
        assert [record["prediction"] for record in records] == list(each.scored.texts)
        if each.name == "noise":
            assert [sources[record["test_row"]] for record in records] == [record["source"] for record in records]
        else:
            assert all("test_row" not in record for record in records)
        stored = read_items(folder, len(records))
        assert stored is not None
        assert corpus_scores(stored) == corpus_scores(dict(each.scored.statistics))
