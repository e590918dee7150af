"""A page of measurements: its command line, how it begins, and its writing."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from softalign.data.atomic import replace_text


def parser(module: str, description: str | None, page: str, rounds: int, steps: int) -> argparse.ArgumentParser:
    """What every page takes; `rounds` and `steps` are its defaults, `page` its file in docs/."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--rounds", type=positive, default=rounds, help=f"turns of each side (default {rounds})")
    made.add_argument("--steps", type=positive, default=steps, help=f"training steps a turn (default {steps})")
    made.add_argument("--output", type=Path, help=f"where to write (default docs/{page})")
    return made


def positive(text: str) -> int:
    """A number of at least one, for argparse, which makes one line of the error."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def command(module: str, given: argparse.Namespace, defaults: argparse.Namespace) -> str:
    """What was asked for, as a line to repeat it; where it was written to is left out."""
    options = {name: value for name, value in vars(given).items() if name not in ("overrides", "output")}
    asked = [f"--{name} {value}" for name, value in options.items() if value != getattr(defaults, name)]
    return " ".join(["python -m", module, *asked, *map(shlex.quote, given.overrides)])


def opening(title: str, asked: str) -> tuple[str, ...]:
    """The head of a page whose sides take turns, and the command that it came from."""
    return (
        f"# {title}",
        "",
        "Written by the command below. Each ratio is of two sides measured by turns, each in a process of its own, on",
        "the same batches, sizes and optimizer: the median of the rounds and, in brackets, the lowest and the highest.",
        "",
        f"    {asked}",
        "",
    )


def write(page: Path, parts: Iterable[Iterable[str]]) -> None:
    """Write the lines of all parts, each of them printed as soon as it is known: a benchmark takes minutes."""
    lines = []
    for line in chain.from_iterable(parts):
        print(line, flush=True)
        lines.append(line)
    replace_text(page, "\n".join(lines) + "\n")
