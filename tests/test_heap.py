"""The heap keeps what is freed."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from softalign.heap import keep_freed_memory
assert keep_freed_memory()
for _ in range(20):
    torch.ones(2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**20)  # 4 MB, 1024 pages
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is nothing to tell another C library")
def test_memory_in_use_again_is_not_fetched_again():
    faults = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    assert int(faults) < 1000
