import numpy as np
import pytest

from softalign.evaluation.scores import METRICS, item_statistics
from softalign.evaluation.stored_items import FILE, PREDICTIONS, read_items, write_items

STATISTICS = item_statistics(["a house", "the dog barks loudly today"], [["a house"], ["a dog barks today", "b"]])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / PREDICTIONS).write_text('{"row": 0}\n{"row": 1}\n')
    write_items(tmp_path, STATISTICS)
    return tmp_path


def test_what_is_read_is_what_was_written(folder):
    found = read_items(folder, 2)
    assert list(found) == list(METRICS)
    for metric, items in STATISTICS.items():
        np.testing.assert_array_equal(found[metric].values, items.values)
        assert found[metric].signature == items.signature
        assert found[metric].corpus_score() == items.corpus_score()


def test_the_same_content_gives_the_same_bytes(folder):
    before = (folder / FILE).read_bytes()
    write_items(folder, STATISTICS)
    assert (folder / FILE).read_bytes() == before


def test_statistics_of_other_predictions_are_not_read(folder):
    assert read_items(folder, 3) is None
    (folder / PREDICTIONS).write_text('{"row": 0}\n{"row": 2}\n')
    assert read_items(folder, 2) is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_as_none(folder, content):
    (folder / FILE).write_bytes(content)
    assert read_items(folder, 2) is None


def test_an_absent_file_is_none(folder):
    (folder / FILE).unlink()
    assert read_items(folder, 2) is None
