"""The processor's cores, and how many trainings share them."""

from __future__ import annotations

import os

JOBS = "SOFTALIGN_JOBS"  # what `python -m softalign run NAME --jobs` tells the trainings that it starts


def jobs_at_a_time() -> int:
    """The number of --jobs that this process is one of; 1 without it."""
    return int(os.environ.get(JOBS, "1"))


def usable_cores() -> list[int]:
    """Those that this process may run on: all of the machine, unless it was given fewer."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
