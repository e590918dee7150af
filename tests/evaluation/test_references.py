from softalign.evaluation.references import reference_streams


def test_rows_become_columns_padded_with_none():
    assert reference_streams([["a", "b", "c"], ["d"]]) == [["a", "d"], ["b", None], ["c", None]]
