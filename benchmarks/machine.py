"""What the machine can do at most: its rate of matrix products."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def matrix_rate(precision: str, threads: int, seconds: float = 1.5, size: int = 1024) -> float:
    """GFLOP/s of products of square matrices, in fp32 or bf16."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        a, b = (torch.randn(size, size).to(DTYPES[precision]) for _ in range(2))
        out = a @ b
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            torch.mm(a, b, out=out)
            count += 1
        return 2 * size**3 * count / (time.perf_counter() - start) / 1e9
    finally:
        torch.set_num_threads(before)


def description() -> str:
    """Processor, cores, memory, system and torch in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()},"
        f" Python {platform.python_version()}, torch {torch.__version__}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
