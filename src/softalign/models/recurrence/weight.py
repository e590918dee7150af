"""A weight that all steps of a loop multiply with."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.models.packed import Packed, packed
from softalign.models.recurrence.autocast import without_autocast
from softalign.models.recurrence.shared import Shared


class Weight(Shared):
    """W (O, I) and, if given, a bias b (O,): y_t = W x_t + b. ∂W = Σ_t to_y_t^T x_t, ∂b = Σ_t to_y_t."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, dtype: torch.dtype | None = None) -> None:
        self.count = 1 if bias is None else 2
        self.value = weight.detach().to(dtype or weight.dtype)
        self.bias = None if bias is None else bias.detach().to(self.value.dtype).unsqueeze(-2)
        # scale * W, each packed once for all steps, which is made up for after two or three of them.
        self._packed: dict[float, Packed | None] = {}
        super().__init__(weight) if bias is None else super().__init__(weight, bias)

    def add_to(self, other: Tensor, inputs: Tensor, other_scale: float = 1.0, scale: float = 1.0) -> Tensor:
        """other_scale * other + scale * W x for x (..., N, I)."""
        matrix = self._scaled(scale)
        if matrix is None:
            multiply = torch.addmm if inputs.dim() == 2 else torch.baddbmm
            return multiply(other, inputs, self.transposed, beta=other_scale, alpha=scale)
        if other_scale == 0.0:
            return matrix(inputs)
        return matrix.add_to(other if other_scale == 1.0 else other * other_scale, inputs)

    def apply(self, inputs: Tensor) -> Tensor:
        """W x + b for x (..., N, I)."""
        matrix = self._scaled(1.0)
        if matrix is not None:
            return matrix(inputs, None if self.bias is None else self.bias.squeeze(-2))
        if self.bias is None:
            return torch.matmul(inputs, self.transposed)
        return self.add_to(self.bias, inputs)

    def backward(self, inputs: Tensor, to_outputs: Tensor) -> Tensor:
        """to_x; the rest is noted down."""
        self.note(inputs, to_outputs)
        return torch.matmul(to_outputs, self.value) if self._backwards is None else self._backwards(to_outputs)

    def _scaled(self, scale: float) -> Packed | None:
        """scale * W, packed, where that is quicker."""
        if scale not in self._packed:
            self._packed[scale] = packed(self.value, scale)
        return self._packed[scale]

    @cached_property
    def transposed(self) -> Tensor:
        """(..., I, O), in memory so."""
        return self.value.transpose(-1, -2).contiguous()

    @cached_property
    def _backwards(self) -> Packed | None:
        return packed(self.value.t()) if self.value.dim() == 2 else None

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        inputs, to_outputs = (torch.cat(part, dim=-2) for part in notes)
        to_weight = torch.matmul(to_outputs.transpose(-1, -2), inputs)
        return (to_weight,) if self.bias is None else (to_weight, to_outputs.sum(dim=-2))


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Weight, inputs: Tensor, anchor: Tensor) -> Tensor:
        inputs = inputs.to(weight.value.dtype)
        ctx.weight = weight
        ctx.save_for_backward(inputs)
        return weight.apply(inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (inputs,) = ctx.saved_tensors
        return None, ctx.weight.backward(inputs, to_outputs), None


def apply(weight: Weight, inputs: Tensor) -> Tensor:
    """W x + b (N, O) of x (N, I)."""
    with without_autocast(inputs):
        return _Linear.apply(weight, inputs, weight.anchor)
