"""The results in a few lines for the terminal: `python -m softalign.reporting.summary`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from softalign.errors import UserError, reported
from softalign.paths import Layout, project_root
from softalign.reporting.sentences import trial
from softalign.reporting.tables import Table, headline_table


def summary_table(results: dict[str, Any]) -> str:
    """The headline table of every task as plain text."""
    return "\n\n".join(plain(headline_table(results, task)) for task in results["tasks"])


def plain(table: Table) -> str:
    """A table as aligned plain text: names to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in [table.columns, *table.rows]) for column in range(len(table.columns))]

    def line(cells: list[str]) -> str:
        aligned = [
            cell.ljust(width) if column < table.text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join(
        [table.caption, line(table.columns), line(["-" * width for width in widths]), *map(line, table.rows)]
    )


def read_results(layout: Layout) -> dict[str, Any]:
    """reports/results.json. Raises `UserError` where it is missing or damaged."""
    return _read(layout.reports / "results.json")


def read_claims(layout: Layout) -> dict[str, Any]:
    """reports/claims.json, whose keys docs/claims.md explains. Raises `UserError` where it is missing or damaged."""
    return _read(layout.reports / "claims.json")


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("no results yet", str(path), "run dvc repro") from None
    except ValueError as error:
        raise UserError(f"not valid JSON: {error}", str(path), "run dvc repro") from None
    return content


def main() -> None:
    with reported():
        layout = Layout(project_root())
        results = read_results(layout)
        print(summary_table(results))
        if said := trial(results):
            print(f"\n{said}")
        print(f"\nThe report: {layout.reports / 'index.html'}")


if __name__ == "__main__":
    main()
