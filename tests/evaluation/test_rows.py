from random_model import random_rows

from softalign.evaluation.rows import sorted_batches


def test_every_row_once_longest_source_first():
    rows = random_rows(25)
    batches = list(sorted_batches(rows, 7))
    assert [len(batch) for batch in batches] == [7, 7, 7, 4]
    assert sorted(index for batch in batches for index in batch.rows.tolist()) == [index for index, _, _ in rows]
    lengths = [length for batch in batches for length in batch.source_lengths.tolist()]
    assert lengths == sorted(lengths, reverse=True)


def test_no_rows():
    assert list(sorted_batches([], 7)) == []
