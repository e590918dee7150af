"""The C library's heap, told to keep what a step frees for the next step."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGEST_FROM_HEAP = 32 * 2**20  # bytes; the largest that glibc accepts
LARGEST_KEPT = 2**31 - 1  # bytes


def keep_freed_memory() -> bool:
    """Let freed memory stay with the process, where the C library is glibc; True if it was done.

    By default glibc asks the kernel for every large tensor and gives it back afterwards, and the kernel clears the
    pages at each first touch. Every step of a training or a search needs the same memory again; what is held never
    exceeds the peak.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_FROM_HEAP) and mallopt(M_TRIM_THRESHOLD, LARGEST_KEPT))
