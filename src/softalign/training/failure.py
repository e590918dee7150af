"""A training that diverged: what its last step saw, and failure.json, which says so in the place of its results."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from softalign.config import Config
from softalign.data.atomic import replace_text, replacing
from softalign.errors import UserError
from softalign.training.identity import Identity
from softalign.typed import to_dict, typed

FAILURE = "failure.json"


@dataclass(frozen=True)
class Failure:
    """failure.json: the step whose loss or gradient was not finite. There `nan`, `inf` and `-inf` are strings."""

    quantity: str  # training loss | gradient norm | validation loss
    step: int  # from 1
    epoch: int  # from 1
    loss: float  # nats per target token, of the step or of the validation split
    gradient_norm: float  # of all parameters together, of that step, before clipping
    last_checkpoint: str | None  # of the last finished epoch, whose losses were finite; None in the first

    def write(self, path: Path, origin: dict[str, Any] | None = None) -> None:
        """`origin`: what else the file says, see `origin_of`."""
        plain = {
            key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(self).items()
        }
        replace_text(path, json.dumps(plain | (origin or {}), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Failure:
        """Raises OSError, ValueError, TypeError or KeyError where there is no such file, or it is another."""
        content = json.loads(path.read_text(encoding="utf-8"))
        numbers = {key: float(content[key]) for key in ("loss", "gradient_norm")}
        return cls(**({field.name: content[field.name] for field in fields(cls)} | numbers))


def origin_of(path: Path) -> tuple[Identity, Config] | None:
    """Which training failure.json is of. None where it does not say. Raises as `Failure.read` does, and `UserError`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return (Identity(**content["identity"]), typed(content["config"])) if "identity" in content else None


class DivergedError(UserError):
    """A loss or a gradient is not finite: the weights are lost, and more steps would not bring them back."""

    def __init__(self, label: str, failure: Failure) -> None:
        self.failure = failure
        super().__init__(
            f"{label} has diverged: {failure.quantity} not finite at step {failure.step}, in epoch {failure.epoch}",
            f"loss {failure.loss:g}, gradient norm {failure.gradient_norm:g};"
            f" last good checkpoint: {failure.last_checkpoint or 'none, it is the first epoch'}",
            "lower optimization.lr or optimization.clip_norm; under DVC, `dvc repro -k` goes on with the other arms,"
            " and `python -m softalign.stages.compare` reports on them",
        )


@contextmanager
def failure_kept(output: Path, identity: Identity, config: Config) -> Iterator[None]:
    """Leave nothing but failure.json in `output` (train/ of a run) when the training in the block diverges: why, and
    which training it was, for MLflow may have been out of reach.

    That of an earlier attempt is removed first.
    """
    (output / FAILURE).unlink(missing_ok=True)
    try:
        yield
    except DivergedError as error:
        with replacing(output) as folder:
            error.failure.write(folder / FAILURE, {"identity": asdict(identity), "config": to_dict(config)})
        raise
