"""What the report says of the data."""

from __future__ import annotations

import copy

from synthetic_runs import Reported

from softalign.data.corpus import Example, statistics
from softalign.reporting.data_tables import corpus_table, data_tables, origin_table


def test_every_part_of_the_data_has_its_table(one_seed: Reported) -> None:
    captions = [table.caption.partition(",")[0] for table in data_tables(one_seed.results, "translation")]
    parts = ("rows", "lengths", "vocabulary", "origin", "the generated corpus")
    assert captions == [f"translation: {part}" for part in parts]


def test_a_generated_corpus_is_told_side_by_side_and_other_text_has_no_such_table(one_seed: Reported) -> None:
    results = copy.deepcopy(one_seed.results)
    provenance = results["tasks"]["translation"]["provenance"]
    provenance.pop("statistics", None)
    assert corpus_table(results, "translation") is None
    words = {"train": ["Hut", "Hut"], "validation": ["Haus"], "test": ["Rad", "Hut"]}
    corpus = {split: [Example(f"ein {word}", "one", "", word[0]) for word in found] for split, found in words.items()}
    provenance["statistics"] = statistics(corpus)
    table = corpus_table(results, "translation")
    assert table is not None and table.caption.endswith(
        "of 2 templates; 50 % of the test rows have one that train has not"
    )
    assert table.rows == [["source", "10", "4", "2", "25.0"], ["target", "5", "1", "0", "0"]]


def test_the_origin_says_what_there_is_to_say(one_seed: Reported) -> None:
    results = copy.deepcopy(one_seed.results)
    told = {"data": "own", "kind": "files", "licence": None, "citation": "", "id": "a/b"}
    results["tasks"]["translation"]["provenance"] = told
    rows = origin_table(results, "translation").rows
    assert rows == [["data", "own"], ["kind", "files"], ["id", "a/b"]]
