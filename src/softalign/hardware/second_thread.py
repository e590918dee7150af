"""One thread beside the main one, for work that is large enough to be shared."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

from softalign.hardware.denormals import denormals_flushed, without_denormals

T = TypeVar("T")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="second", initializer=_with_one_thread_of_torch)


def _with_one_thread_of_torch() -> None:
    """Left alone, a thread's first product of bf16 starts a team of OpenMP's as large as the machine, whatever the main
    thread was told; its threads wait in a loop, and all teams of the process are slower from then on."""
    torch.get_num_threads()  # a new thread takes over the number of all when it is first asked, which is to be now
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_pool.cache_clear)  # a thread does not survive a fork


def promise(compute: Callable[[], T]) -> Callable[[], T]:
    """Let the second thread compute, without autograd; the function that is returned waits for the outcome."""
    flushed, inference = denormals_flushed(), torch.is_inference_mode_enabled()

    def work() -> T:  # settings of torch hold for one thread
        # In this order: `inference_mode` sets whether autograd records, too.
        with torch.inference_mode(inference), torch.no_grad(), without_denormals(flushed):
            return compute()

    return _pool().submit(work).result


def share(compute: Callable[[int], T]) -> tuple[T, T]:
    """compute(0) here and compute(1) in the second thread, each with half of torch's threads, or one."""
    threads = torch.get_num_threads()

    def with_half(which: int) -> T:
        torch.set_num_threads(max(1, threads // 2))  # of the thread that this runs in
        return compute(which)

    second = promise(lambda: with_half(1))
    try:
        first = with_half(0)
    finally:
        try:
            other = second()
        finally:
            torch.set_num_threads(threads)
    return first, other
