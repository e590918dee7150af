"""Whether a text about the arms says what the numbers say.

It knows nothing of how the sentences and tables are made: it reads them as a reader does, and works out from
results.json and claims.json what they ought to say. A sentence with a word of judgement or a measured score that it
cannot hold against a number counts as a contradiction too.
"""

from __future__ import annotations

from itertools import zip_longest

from contradictions.numbers import Record
from contradictions.prose import JUDGING, of_line
from contradictions.records import of_records, row_permits
from contradictions.tables import of_row
from contradictions.texts import Text, of_html, of_markdown

__all__ = ["JUDGING", "Text", "contradictions", "of_html", "of_markdown", "row_permits"]


def contradictions(text: Text, results: Record, claims: Record) -> list[str]:
    """What the text and the records say against the numbers, a line each; empty where they agree."""
    captioned = zip_longest(text.tables, text.captions, fillvalue="")
    return [
        *of_records(results, claims),
        *(f"{line}: {why}" for line in text.prose for why in of_line(line, results, claims)),
        *(
            f"{row}: {why}"
            for (columns, rows), caption in captioned
            for row in rows
            for why in of_row(columns, row, caption, results, claims)
        ),
    ]
