"""Tensors that all steps of a loop read: their gradients are made once, after the last step."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class _Collect(torch.autograd.Function):
    """The entry of shared tensors into a loop. The nodes of all steps depend on its output, an empty anchor, so that
    its backward pass runs after theirs."""

    @staticmethod
    def forward(ctx: Any, collect: weakref.WeakMethod, *tensors: Tensor) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.collect = collect
        return tensors[0].new_empty(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor | None) -> tuple[Tensor | None, ...]:
        return None, *ctx.collect()()


class Shared:
    """Tensors that every step reads, with what the steps noted down about their gradients."""

    def __init__(self, *tensors: Tensor) -> None:
        self._notes: list[tuple[Any, ...]] = []
        self._pass = -1
        # The nodes of the steps own this object; the collecting node, which it owns, must not own it in turn.
        self.anchor: Tensor = _Collect.apply(weakref.WeakMethod(self.collect), *tensors)

    def note(self, *parts: Any) -> None:
        """Keep a step's part of the gradients, tensors or what computes them, until all steps are through."""
        self._notes_of_this_pass().append(parts)

    def add(self, *tensors: Tensor) -> None:
        """The same for parts as large as the whole: they are summed at once, in the tensors of the first call."""
        notes = self._notes_of_this_pass()
        if not notes:
            notes.append(tensors)
            return
        for total, part in zip(notes[0], tensors, strict=True):
            total.add_(part)

    def _notes_of_this_pass(self) -> list[tuple[Any, ...]]:
        current = torch._C._current_graph_task_id()
        if current != self._pass:  # an earlier backward pass may have stopped short of this tensor
            self._pass, self._notes = current, []
        return self._notes

    def collect(self) -> tuple[Tensor | None, ...]:
        """The gradients of the tensors; the notes are used up."""
        notes, self._notes = self._notes, []
        return self.gradients(list(zip(*notes, strict=True))) if notes else (None,) * self.count

    count = 1  # of tensors

    def gradients(self, notes: list[tuple[Any, ...]]) -> tuple[Tensor | None, ...]:
        """The gradients of the tensors from the notes of all steps, one tuple for each noted quantity."""
        raise NotImplementedError
