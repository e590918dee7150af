"""The table of a notebook."""

from __future__ import annotations

from softalign.reporting.styled import styled
from softalign.reporting.tables import Table


def test_cells_are_text_and_the_same_table_gives_the_same_html() -> None:
    rows = [["vanilla", "+1.2 … +3.4"], ["multiply <1>", "a note that is\nlonger than a short cell"]]
    first, second = (styled(Table("a caption", ["arm", "says"], rows)).to_html() for _ in range(2))
    assert first == second
    assert "multiply &lt;1&gt;" in first and "<1>" not in first
    assert first.count("white-space: nowrap") == 1 and "row0_col1" in first.partition("white-space: nowrap")[0]
    assert "row1_col1" in first.partition("white-space: pre-line")[0]
    assert ">0</th>" not in first  # no index
