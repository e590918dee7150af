"""Arithmetic without denormal numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def without_denormals(flushed: bool = True) -> Iterator[None]:
    """Numbers below 1.2e-38 are zero in the block, in this thread: a CPU takes long over them, and states that shrink
    get there. With `flushed` False they are not."""
    before = denormals_flushed()
    torch.set_flush_denormal(flushed)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def denormals_flushed() -> bool:
    """Whether they are zero now, in this thread; torch can set this but not say it."""
    return bool((torch.full((1,), 1e-39) * 0.5 == 0).item())
