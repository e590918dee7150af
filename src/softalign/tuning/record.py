"""What is kept of a search: the chosen rate in conf/tuned/, where the pipeline reads it, and its trials."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from softalign.data.atomic import replace_text
from softalign.errors import UserError
from softalign.paths import Layout


@dataclass(frozen=True)
class Trial:
    """One training of a search; a row of docs/tuning/<data>.csv."""

    arm: str
    trial: int  # from 1, in the order in which they were proposed
    lr: float
    validation_loss: float  # the lowest of its epochs, nats per target token; infinite where it diverged
    epochs: int  # finished, or the one in which it diverged
    seconds: float  # wall clock of the training
    seed: int


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the lowest validation loss, the first of equals; None where all have diverged."""
    best = min(trials, key=lambda trial: trial.validation_loss)
    return best if math.isfinite(best.validation_loss) else None


def write_search(layout: Layout, data: str, trials: Sequence[Trial], command: str) -> Path:
    """Keep the search of one arm on `data`; an earlier one of that arm is replaced, those of other arms stay.

    At least one trial has not diverged. `command` repeats the search. Returns the file with the chosen rate.
    """
    best = best_of(trials)
    assert best is not None
    table = layout.tuning(data)
    others = [trial for trial in read_trials(table) if trial.arm != best.arm] if table.exists() else []
    write_trials(table, sorted([*others, *trials], key=lambda trial: (trial.arm, trial.trial)))
    about = f"the lowest validation loss ({best.validation_loss:.4f} nats per token) of {len(trials)} trials"
    lines = [
        "# @package _global_",
        f"# {command}",
        f"# {about} with seed {best.seed}: {table.relative_to(layout.root)}",
        "optimization:",
        f"  lr: {best.lr!r}",
    ]
    path = layout.tuned(data, best.arm)
    replace_text(path, "\n".join(lines) + "\n")
    return path


def unequal_budget(trials: Sequence[Trial], arm: str) -> list[str]:
    """How the search of `arm` differs from those of the other arms in a table: without rates that all of these have
    tried, with more rates than any of them, with another seed or other epochs than most of them. Empty where it does
    not. An arm whose trials all stopped early looks like one with fewer epochs.
    """
    of = {name: [trial for trial in trials if trial.arm == name] for name in {trial.arm for trial in trials}}
    own = of.pop(arm)
    if not of:
        return []
    left_out = set.intersection(*({trial.lr for trial in each} for each in of.values())) - {trial.lr for trial in own}
    found = [f"without the rates {', '.join(f'{rate:g}' for rate in sorted(left_out))}"] if left_out else []
    most = max(len({trial.lr for trial in each}) for each in of.values())
    if (rates := len({trial.lr for trial in own})) > most:
        found.append(f"with {rates} rates instead of {most} at most")
    for name in ("seed", "epochs"):
        mine, *theirs = (max(getattr(trial, name) for trial in each) for each in (own, *of.values()))
        common = Counter(theirs).most_common(1)[0][0]
        if mine != common:
            found.append(f"with {name} {mine} instead of {common}")
    return found


def write_trials(path: Path, trials: Sequence[Trial]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(Trial)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(trial) | {"seconds": round(trial.seconds, 1)} for trial in trials)
    replace_text(path, text.getvalue())


def read_trials(path: Path) -> list[Trial]:
    """Read what `write_trials` wrote. Raises `UserError` where it is something else."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                Trial(
                    arm=row["arm"],
                    trial=int(row["trial"]),
                    lr=float(row["lr"]),
                    validation_loss=float(row["validation_loss"]),
                    epochs=int(row["epochs"]),
                    seconds=float(row["seconds"]),
                    seed=int(row["seed"]),
                )
                for row in csv.DictReader(file)
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"not a table of trials: {error}", str(path), "restore it, for instance with git") from None
