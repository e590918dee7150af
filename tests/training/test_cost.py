"""What a training cost: the memory of this process."""

from __future__ import annotations

import subprocess
import sys

from softalign.training.cost import peak_memory_mb

SIZE = 400  # MiB, more than a fresh interpreter takes


def test_peak_memory_holds_what_was_freed_and_nothing_of_the_program_that_started_this_one() -> None:
    block = bytearray(SIZE * 2**20)
    assert peak_memory_mb() > SIZE
    del block
    assert peak_memory_mb() > SIZE
    program = "from softalign.training.cost import peak_memory_mb; print(peak_memory_mb())"
    started = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 0 < float(started.stdout) < SIZE
