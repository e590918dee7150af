"""What is freed is kept, what is made for a shape is not."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from softalign.hardware.memory import steady_memory
assert steady_memory()
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


SHAPES = """
import sys, torch
from softalign.hardware.memory import steady_memory
if sys.argv[1] == "steady":
    steady_memory()
torch.set_num_threads(1)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

def multiply(rows):
    torch.ones(rows, 64, dtype=torch.bfloat16) @ torch.ones(64, 192, dtype=torch.bfloat16)

for rows in range(1, 101):
    multiply(rows)
before = resident()
for rows in range(101, 701):
    multiply(rows)
print(resident() - before)
"""


@pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc")
def test_bf16_products_of_ever_new_shapes_take_no_more_memory():
    def growth(how: str) -> float:
        command = [sys.executable, "-c", SHAPES, how]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    plain = growth("plain")
    if plain < 100:  # MiB
        pytest.skip("oneDNN does not multiply bf16 here")
    assert growth("steady") < plain / 5
