"""A process that holds as much memory as a step needs, from the first step to the last."""

from __future__ import annotations

import ctypes
import os
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGEST_FROM_HEAP = 32 * 2**20  # bytes; the largest that glibc accepts
LARGEST_KEPT = 2**31 - 1  # bytes
# oneDNN's, and that of the layer between it and torch, which both have room for 1,024; read at its first product.
CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
KEPT_SHAPES = 64  # more than a step has


def steady_memory() -> bool:
    """Call it before the first product. True if the C library is glibc, and was told to keep freed memory.

    By default glibc asks the kernel for every large tensor and gives it back afterwards, and the kernel clears the
    pages at each first touch. Every step of a training or a search needs the same memory again; what is held never
    exceeds the peak.

    oneDNN, which multiplies bf16 and what is packed, makes code and buffers for each shape of a product, about a
    megabyte, and keeps them. Batches of sentences have new shapes for thousands of steps. What the environment says
    about the caches holds.
    """
    for name in CACHES:
        os.environ.setdefault(name, str(KEPT_SHAPES))
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_FROM_HEAP) and mallopt(M_TRIM_THRESHOLD, LARGEST_KEPT))
