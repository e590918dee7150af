"""The thread beside the main one."""

import os
import subprocess
import sys
from pathlib import Path
from threading import get_ident

import pytest
import torch

from softalign.hardware import second_thread
from softalign.hardware.denormals import denormals_flushed, without_denormals


@pytest.fixture
def four_threads(set_threads):
    set_threads(4)


@pytest.mark.parametrize("inference", [False, True])
def test_autograd_records_nothing_in_the_second_thread(inference):
    """What it records there nobody needs, and it keeps every block of logits."""
    with torch.inference_mode(inference):
        assert second_thread.promise(torch.is_grad_enabled)() is False
        assert second_thread.promise(torch.is_inference_mode_enabled)() is inference


def test_denormals_are_what_they_are_in_the_thread_that_asks():
    for flushed in (True, False):
        with without_denormals(flushed):
            assert second_thread.promise(denormals_flushed)() is flushed


def test_each_thread_has_half_of_the_threads(four_threads):
    seen = second_thread.share(lambda which: (which, torch.get_num_threads(), get_ident()))
    assert [each[:2] for each in seen] == [(0, 2), (1, 2)]
    assert seen[0][2] == get_ident() != seen[1][2]
    assert torch.get_num_threads() == 4


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts the threads of a Linux process")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_multiplies_alone(dtype):
    """In a new process: the teams of threads that OpenMP starts stay."""
    program = f"""
import os, torch
from softalign.hardware import second_thread
torch.set_num_threads(1)
matrix = torch.ones(512, 512, dtype={dtype})
threads = lambda: len(os.listdir("/proc/self/task"))
second_thread.promise(threads)()
before = threads()
second_thread.promise(lambda: matrix @ matrix)()
print(threads() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )
    assert done.stdout.strip() == "0"


@pytest.mark.parametrize("which", [0, 1])
def test_a_failure_of_either_is_told_and_leaves_nothing_behind(four_threads, which):
    def fail(part: int) -> None:
        if part == which:
            raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match=f"part {which}"):
        second_thread.share(fail)
    assert torch.get_num_threads() == 4
