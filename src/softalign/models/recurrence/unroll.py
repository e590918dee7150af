"""One teacher-forced pass over a target, in which steps share what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from softalign.models.recurrence.autocast import autocast_dtype
from softalign.models.recurrence.weight import Weight, apply


class Unroll:
    """What the steps of one teacher-forced pass share: each weight, layer and attention enters the graph once."""

    def __init__(self) -> None:
        self._entered: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` returned at the first step that asked for this key."""
        if key not in self._entered:
            self._entered[key] = make()
        return self._entered[key]

    def weight(self, weight: Tensor, bias: Tensor | None = None) -> Weight:
        """A parameter as the steps see it."""
        return self.once(id(weight), lambda: Weight(weight, bias, autocast_dtype(weight)))


_current: ContextVar[Unroll | None] = ContextVar("unroll", default=None)


@contextmanager
def unrolling() -> Iterator[Unroll]:
    """Within it, the steps of cells and attentions are those of one pass over a target and share their gradients."""
    unroll = Unroll()
    token = _current.set(unroll)
    try:
        yield unroll
    finally:
        _current.reset(token)


def current() -> Unroll | None:
    """The pass that is going on, if any."""
    return _current.get()


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """W x + b (N, O) of x (N, I); within `unrolling()` with one weight gradient for all steps."""
    unroll = _current.get()
    return F.linear(inputs, weight, bias) if unroll is None else apply(unroll.weight(weight, bias), inputs)
