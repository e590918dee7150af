"""The claims in tables: all of them in one, and the rows of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softalign.reporting.claims.verdicts import HALFWAY
from softalign.reporting.tables import NONE, Table, detects, interval, number, p_value, seed_list


def is_difference(row: dict[str, Any]) -> bool:
    """Whether a claim's effect is a difference, which has a sign; else it is a level or a ratio, held against one."""
    return row["neutral"] is None or bool(row["neutral"] <= 0)


def effect_interval(row: dict[str, Any]) -> str:
    """The interval of a claim's effect, with signs if it is a difference."""
    return interval(row["low"], row["high"], is_difference(row), number)


def opponent(row: dict[str, Any]) -> str:
    """Whom an arm is held against, with " against " before it; of a level, its number; empty for the arm itself."""
    if row["against"] == row["arm"]:
        return ""
    level = f" ({number(row['neutral'])})" if row["against"] == HALFWAY and row["neutral"] else ""
    return f" against {row['against']}{level}"


def claim_overview(claims: Sequence[dict[str, Any]], confidence: float) -> Table:
    """A row for each claim: the verdict, and the effect that it hangs on."""
    rows = []
    for claim in claims:
        effect = claim["effect"] or dict.fromkeys(("effect", "low", "high", "neutral", "p_holm"))
        subject = NONE
        if claim["effect"]:
            subject = f"{effect['quantity']}\n{effect['arm']}{opponent(effect)} on {effect['task']}"
        data = [f"{record['data']} {_identity(record)}".strip() for record in claim["data"]]
        rows.append(
            [
                f"{claim['id']}\n{claim['statement']}",
                claim["verdict"],
                number(effect["effect"], signed=is_difference(effect)),
                effect_interval(effect),
                p_value(effect["p_holm"]),
                subject,
                seed_list(claim["seeds"]) or NONE,
                ", ".join(data) or NONE,
                claim["reason"],
            ]
        )
    columns = ["claim", "verdict", "effect", f"{100 * confidence:g} % interval", "p, corrected"]
    columns += ["effect is", "seeds", "data", "who says what, or what is missing"]
    return Table("the claims, their verdicts, and the effect that each verdict hangs on", columns, rows, 9)


def _identity(record: dict[str, Any]) -> str:
    """The seed of a generated corpus; else the first digits of the revision."""
    if record["generator_seed"] is not None:
        return f"(seed {record['generator_seed']})"
    return f"({str(record['revision'])[:12]})" if record["revision"] else ""


def claim_table(claim: dict[str, Any]) -> Table:
    """All rows of one claim."""
    rows = [
        [
            row["task"],
            row["arm"],
            row["against"],
            row["verdict"],
            number(row["effect"], signed=is_difference(row)),
            effect_interval(row),
            p_value(row["p_value"]),
            p_value(row["p_holm"]),
            detects(row["detectable"], number),
            seed_list(row["seeds"]) or NONE,
            row["quantity"],
            "; ".join(row["notes"]) or NONE,
            row["experiment"] or NONE,
        ]
        for row in claim["rows"]
    ]
    columns = ["task", "arm", "against", "verdict", "effect", "interval", "p", "p, corrected", "detects", "seeds"]
    columns += ["effect is", "notes", "experiment"]
    return Table(f"{claim['id']}: {claim['statement']}", columns, rows, text_columns=4)
