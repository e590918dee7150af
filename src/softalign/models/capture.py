"""The decoder's loop as CUDA graphs. On a GPU a loop of small steps waits for the launch of each of its kernels; a
captured graph launches them all at once, forward and backward.

A graph holds for one shape alone. Targets and sources are therefore padded to a multiple of `STRIDE`, a shape is
captured when it is seen for the second time, and only the first `MOST` such shapes are: a graph keeps its memory.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion import Fusion, Unrolled

STRIDE = 8
MOST = 48

Capture = Callable[[nn.Module, tuple[Any, ...]], Callable[..., tuple[Tensor, ...]]]

log = logging.getLogger(__name__)


class CapturedUnroll:
    """`fusion.unroll`, captured shape by shape while gradients are asked for."""

    def __init__(self, fusion: Fusion, capture: Capture | None = None) -> None:
        self._fusion = fusion
        self._capture = capture or _cuda_graph
        self._seen: Counter[tuple[torch.Size, ...]] = Counter()
        self._captured: dict[tuple[torch.Size, ...], Callable[..., tuple[Tensor, ...]]] = {}

    @staticmethod
    def suits(fusion: Fusion) -> bool:
        """Whether the fusion runs in a loop; an arm that unrolls at once has nothing to gain."""
        return type(fusion).unroll is Fusion.unroll

    def __call__(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> Unrolled:
        """As `Fusion.unroll`."""
        if not torch.is_grad_enabled():
            return self._fusion.unroll(embedded, state, encoded)
        steps, length = embedded.size(1), encoded.memory.size(1)
        embedded = F.pad(embedded, (0, 0, 0, -steps % STRIDE))
        encoded = _padded(encoded, -length % STRIDE)
        loop = self._captured.get(_shape(embedded, encoded)) or self._new(embedded, state, encoded)
        features, *weights = loop(*_tensors(embedded, state, encoded))
        return Unrolled(features[:, :steps], weights[0][:, :steps, :length] if weights else None)

    def _new(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> Callable[..., tuple[Tensor, ...]]:
        """The loop for a shape that is not captured yet."""
        loop, shape = _Loop(self._fusion, state), _shape(embedded, encoded)
        self._seen[shape] += 1
        if self._seen[shape] < 2 or len(self._captured) >= MOST:
            return loop
        samples = tuple(
            tensor.detach().clone().requires_grad_(tensor.requires_grad)
            for tensor in _tensors(embedded, state, encoded)
        )
        try:
            self._captured[shape] = self._capture(loop, samples)
        except RuntimeError as error:
            log.warning("CUDA refuses to capture the loop, which goes on step by step: %s", error)
            self._captured[shape] = loop
        return self._captured[shape]


class _Loop(nn.Module):
    """The loop as a function of tensors alone, which is what can be captured."""

    def __init__(self, fusion: Fusion, state: State) -> None:
        super().__init__()
        self.fusion = fusion
        self._counts = [len(part) for part in (state.hidden, state.cells, state.fed)]

    def forward(self, embedded: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Features (B, T, F), and weights (B, T, S) where the arm attends, from what `_tensors` gives."""
        remaining = iter(tensors)
        state = State(*(tuple(islice(remaining, count)) for count in self._counts))
        unrolled = self.fusion.unroll(embedded, state, EncoderOutput(*remaining))
        return (unrolled.features,) if unrolled.weights is None else (unrolled.features, unrolled.weights)


def _tensors(embedded: Tensor, state: State, encoded: EncoderOutput) -> tuple[Tensor, ...]:
    fields = (encoded.source, encoded.memory, encoded.mask, encoded.padding, encoded.final)
    keys = () if encoded.keys is None else (encoded.keys,)  # the last field of an `EncoderOutput`, which may be None
    return (embedded, *state.hidden, *state.cells, *state.fed, *fields, *keys)


def _shape(embedded: Tensor, encoded: EncoderOutput) -> tuple[torch.Size, ...]:
    return embedded.shape, encoded.memory.shape


def _padded(encoded: EncoderOutput, more: int) -> EncoderOutput:
    """The same with `more` positions of padding (B, S + more)."""
    return replace(
        encoded,
        source=F.pad(encoded.source, (0, more)),
        memory=F.pad(encoded.memory, (0, 0, 0, more)),
        mask=F.pad(encoded.mask, (0, more)),
        padding=F.pad(encoded.padding, (0, more), value=-torch.inf),
        keys=None if encoded.keys is None else F.pad(encoded.keys, (0, 0, 0, more)),
    )


def _cuda_graph(loop: nn.Module, samples: tuple[Any, ...]) -> Callable[..., tuple[Tensor, ...]]:
    """torch's capture of a module's forward and backward pass; under autocast, without its cache of converted weights,
    which would tie the graph to the weights of one step."""
    with torch.autocast("cuda", torch.get_autocast_dtype("cuda"), torch.is_autocast_enabled("cuda"), False):
        captured: Callable[..., tuple[Tensor, ...]] = torch.cuda.make_graphed_callables(  # type: ignore[assignment]
            loop, samples, allow_unused_input=True
        )
        return captured
