"""An arm's name: a file of conf/model, then its variants, files of conf/variant, each after a hyphen.

`bahdanau-gru-dot` is the arm bahdanau with GRU cells and the score dot. `vanilla-gru-as_bahdanau-dot` is a control:
vanilla with GRU cells and, as nearly as its hidden size allows, as many parameters as bahdanau-gru-dot. Variants before
`as_` hold for both arms, those after it for the other one alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

import yaml

from softalign.config import ModelConfig
from softalign.errors import UserError, unknown_choice
from softalign.paths import Layout

SEPARATOR = "-"
AS = "as_"


@dataclass(frozen=True)
class Arm:
    """What an arm's name says."""

    name: str
    model: str  # a file of conf/model
    variants: tuple[str, ...] = ()  # files of conf/variant, the last one last to speak
    matched: Arm | None = None  # the arm whose parameters this one is to equal in number

    @classmethod
    def parse(cls, name: str, layout: Layout) -> Arm:
        """The parts of a name. Raises `UserError` for a variant that is unknown or named twice."""
        model, *parts = [name] if name in _files(layout, "model") else name.split(SEPARATOR)
        variants = list(takewhile(lambda part: not part.startswith(AS), parts))
        target, theirs = parts[len(variants) : len(variants) + 1], parts[len(variants) + 1 :]
        if any(part.startswith(AS) for part in theirs):
            raise UserError("an arm can be matched to one other only", f"the arm {name}", f"write {AS} once")
        _check_variants(name, [*variants, *theirs], layout)
        if not target:
            return cls(name, model, tuple(variants))
        other = target[0].removeprefix(AS)
        if other not in _files(layout, "model"):
            raise _unknown_variant(target[0], layout)
        matched = cls(SEPARATOR.join([other, *variants, *theirs]), other, (*variants, *theirs))
        return cls(name, model, tuple(variants), matched)


def check_holds(variants: Iterable[str], model: ModelConfig, layout: Layout) -> None:
    """Raise `UserError` where a later override undoes what an arm's name says. Sizes are not part of the name."""
    for variant in variants:
        content = yaml.safe_load((layout.conf / "variant" / f"{variant}.yaml").read_text(encoding="utf-8"))
        for key, said in (content or {}).items():
            value = getattr(model, key)
            if type(said) is not int and value != said:
                raise UserError(
                    f"model.{key} is {value}, and the variant {variant} says {said}",
                    f"the arm {model.name}",
                    "drop the variant or the override",
                )


def matching_variants(layout: Layout) -> list[str]:
    """as_<arm> for each file of conf/model."""
    return [f"{AS}{model}" for model in _files(layout, "model")]


def _files(layout: Layout, group: str) -> list[str]:
    return sorted(path.stem for path in (layout.conf / group).glob("*.yaml"))


def _check_variants(name: str, variants: list[str], layout: Layout) -> None:
    known = _files(layout, "variant")
    for variant in variants:
        if variant not in known:
            raise _unknown_variant(variant, layout)
        if variants.count(variant) > 1:
            raise UserError(f"the variant {variant} is named twice", f"the arm {name}", "name it once")


def _unknown_variant(variant: str, layout: Layout) -> UserError:
    known = [*_files(layout, "variant"), *matching_variants(layout)]
    return unknown_choice("variant", variant, known)
