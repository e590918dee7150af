"""The processor's cores."""

from __future__ import annotations

import os


def usable_cores() -> list[int]:
    """Those that this process may run on: all of the machine, unless it was given fewer."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
