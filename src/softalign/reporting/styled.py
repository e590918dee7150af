"""A table of the report as notebooks show it."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from softalign.reporting.tables import Table

SHORT = 20  # letters of a cell that stays in one line


def styled(table: Table) -> Styler:
    """Text to the left, without an index; what is longer than `SHORT` breaks wherever it has to.

    The same table gives the same HTML, and what looks like markup in a cell is shown as it is.
    """
    frame = pd.DataFrame(table.rows, columns=pd.Index(table.columns))
    return (
        frame.style.hide(axis="index")
        .set_uuid("".join(filter(str.isalnum, table.caption)))  # its own would be another in every run
        .format(escape="html")
        .set_table_styles(
            [
                {"selector": "th, td", "props": "text-align: left; vertical-align: top"},
                {"selector": "td", "props": "overflow-wrap: anywhere"},
            ]
        )
        .map(lambda cell: "white-space: nowrap" if len(cell) < SHORT else "white-space: pre-line; min-width: 10em")
    )
