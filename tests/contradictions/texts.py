"""A document as a reader sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Text:
    """A document as a reader sees it: lines of prose, and tables with their headings. A table's caption is a line of
    prose too.
    """

    prose: list[str] = field(default_factory=list)
    tables: list[tuple[list[str], list[list[str]]]] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)  # of the tables; none where nobody says what they are about

    def add(self, other: Text) -> None:
        """Put another text below; a table that stands at its top takes the line above for its caption."""
        captions = other.captions or [""] * len(other.tables)
        above = self.prose[-1] if self.prose and not other.prose else ""
        self.prose += other.prose
        self.tables += other.tables
        self.captions += [caption or above for caption in captions]


def of_markdown(content: str) -> Text:
    text = Text()
    rows: list[list[str]] = []
    for line in [*content.split("\n"), ""]:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([cell.strip().replace("<br>", "\n").replace("\\|", "|") for cell in cells])
            continue
        if rows:
            text.tables.append((rows[0], rows[2:]))
            text.captions.append(text.prose[-1] if text.prose else "")
            rows = []
        if line.strip() and not line.startswith("    "):  # an indented block is a command
            text.prose.append(line.strip("# -*"))
    return text


class _Reader(HTMLParser):
    BLOCKS = ("p", "li", "h1", "h2", "h3", "th", "td", "caption", "summary", "div")

    def __init__(self) -> None:
        super().__init__()
        self.text = Text()
        self.buffer = ""
        self.row: list[str] = []
        self.rows: list[list[str]] = []
        self.skipped = 0  # depth inside style, samples of the data, figures and commands
        self.in_table = False
        self.caption = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        skip = tag in ("style", "svg", "pre", "title") or dict(attrs).get("class") == "sample"
        if self.skipped or skip:
            self.skipped += tag not in ("meta", "br", "img", "link")
        elif tag == "br":
            self.buffer += "\n"
        elif tag in self.BLOCKS:
            self._flush(None)
        if tag == "table":
            self.in_table, self.rows, self.caption = True, [], ""

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            self.skipped -= 1
        elif tag in self.BLOCKS:
            self._flush(tag)
        elif tag == "tr":
            self.rows.append(self.row)
            self.row = []
        elif tag == "table":
            self.text.tables.append((self.rows[0], self.rows[1:]))
            self.text.captions.append(self.caption)
            self.in_table = False

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.buffer += data

    def _flush(self, tag: str | None) -> None:
        content = re.sub(r"[ \t]*\n[ \t]*", "\n", self.buffer).strip()
        self.buffer = ""
        if tag in ("th", "td") and self.in_table:
            self.row.append(content)
        elif content:
            self.text.prose.append(" ".join(content.split()))
            self.caption = self.text.prose[-1] if tag == "caption" else self.caption


def of_html(content: str) -> Text:
    reader = _Reader()
    reader.feed(content)
    reader.text.tables = [_without_index(*table) for table in reader.text.tables]
    return reader.text


def _without_index(columns: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """As it was before pandas numbered the rows, or took the first column for their names, with its heading below."""
    if columns[0] == "" and rows and rows[0][0] and not any(rows[0][1:]):
        return [rows[0][0], *columns[1:]], rows[1:]
    if columns[0] == "" and [row[0] for row in rows] == [str(place) for place in range(len(rows))]:
        return columns[1:], [row[1:] for row in rows]
    return columns, rows
