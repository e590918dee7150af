"""Products with a matrix that many inputs meet, laid out once as oneDNN's kernels read it.

torch leaves fp32 products on a CPU to MKL; oneDNN's, with the matrix packed, are 1.1 to 1.4 times as fast where that
was measured (docs/speed.md). torch has them for the graphs that its compiler makes, and no compiler is needed for them.
"""

from __future__ import annotations

import platform
from functools import cache

import torch
from torch import Tensor

SMALLEST = 2**17  # entries of a matrix below which oneDNN's calls cost more than its kernels save


class Packed:
    """W (O, I) as it is now: y = x Wᵀ + b. Without gradients."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())

    def __call__(self, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., O) of inputs (..., I) and a bias (O,)."""
        return torch.ops.mkldnn._linear_pointwise(inputs, self._weight, bias, "none", [], "")

    def add_to(self, other: Tensor, inputs: Tensor) -> Tensor:
        """other + x Wᵀ (n, O) of other (n, O) and inputs (n, I)."""
        return torch.ops.mkldnn._linear_pointwise.binary(inputs, other, self._weight, None, "add")


def packed(weight: Tensor, scale: float = 1.0) -> Packed | None:
    """scale * weight (O, I) packed, or None where that is of no use: small ones, other numbers than fp32, other
    devices."""
    useful = weight.is_cpu and weight.dtype == torch.float32 and weight.dim() == 2 and weight.numel() >= SMALLEST
    if not useful or not torch.backends.mkldnn.enabled or not _supported():
        return None
    return Packed(weight if scale == 1.0 else weight * scale)


@cache
def _supported() -> bool:
    here = torch.backends.mkldnn.is_available() and platform.machine() in ("x86_64", "AMD64")
    return here and all(hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight"))
