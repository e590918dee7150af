"""A progress bar for what takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds without a sign of life
PLAIN_INTERVAL = 10.0  # seconds between the lines of the plain form


@contextmanager
def progress(label: str, total: int, form: str = "auto") -> Iterator[Callable[[int], None]]:
    """Yields a function to call with the number of items just done.

    `form`: "rich" draws a bar, "plain" prints a line now and then, "none" nothing, "auto" a bar in a terminal and lines
    anywhere else; all of it on stderr, and nothing before two seconds have passed.
    """
    if form == "auto":
        form = "rich" if sys.stderr.isatty() else "plain"
    if form == "none":
        yield lambda _: None
    elif form == "plain":
        yield _plain(label, total)
    else:
        with _rich(label, total) as advance:
            yield advance


def _plain(label: str, total: int) -> Callable[[int], None]:
    done, next_line = 0, time.monotonic() + PATIENCE

    def advance(items: int) -> None:
        nonlocal done, next_line
        done += items
        if time.monotonic() >= next_line:
            print(f"{label}: {done} of {total}", file=sys.stderr, flush=True)
            next_line = time.monotonic() + PLAIN_INTERVAL

    return advance


@contextmanager
def _rich(label: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(file=sys.stderr), transient=True)
    task = bar.add_task(label, total=total)
    start = time.monotonic()

    def advance(items: int) -> None:
        bar.advance(task, items)
        if not bar.live.is_started and time.monotonic() - start >= PATIENCE:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
