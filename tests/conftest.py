"""What every test needs: one thread a process, and ordinary floating-point numbers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: several test processes share few cores


@pytest.fixture(autouse=True)
def denormals() -> Iterator[None]:
    """Evaluation flushes denormals for its whole process; hypothesis refuses to draw floats without them."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """Sets the number of torch's threads, which is as before after the test."""
    import torch

    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
