"""The decoder's loop as CUDA graphs. On a GPU a loop of small steps waits for the launch of each of its kernels; a
captured graph launches them all at once, forward and backward.

A graph holds for one shape alone. Targets and sources are therefore padded to a multiple of `STRIDE`, batches to one of
`ROWS`, a shape is captured when it is seen for the second time, and only the first `MOST` such shapes are.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softalign.errors import UserError
from softalign.models import recurrence
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion import Fusion, Unrolled

STRIDE = 8  # tokens
ROWS = 32  # sentences
MOST = 48

Start = Callable[[EncoderOutput], State]
Capture = Callable[[nn.Module, tuple[Any, ...]], Callable[..., tuple[Tensor, ...]]]


class CapturedUnroll:
    """`fusion.unroll`, captured shape by shape while gradients are asked for.

    What it returns, and the gradients of one batch, have to be used up before the next batch is unrolled: the graphs
    share their memory and keep it.
    """

    def __init__(self, fusion: Fusion, capture: Capture | None = None) -> None:
        self._fusion = fusion
        self._capture = capture or _CudaGraphs()
        self._seen: set[tuple[Any, ...]] = set()
        self._captured: dict[tuple[Any, ...], Callable[..., tuple[Tensor, ...]]] = {}

    @staticmethod
    def suits(fusion: Fusion) -> bool:
        """Whether the fusion runs in a loop; an arm that unrolls at once has nothing to gain."""
        return type(fusion).unroll is Fusion.unroll

    def __call__(self, embedded: Tensor, start: Start, encoded: EncoderOutput) -> Unrolled:
        """As `Fusion.unroll` from `start(encoded)`. Raises `UserError` where CUDA refuses to capture."""
        if not torch.is_grad_enabled():
            return self._fusion.unroll(embedded, start(encoded), encoded)
        batch, steps, length = *embedded.shape[:2], encoded.memory.size(1)
        more_rows, more_steps, more_length = -batch % ROWS, -steps % STRIDE, -length % STRIDE
        sizes = batch + more_rows, steps + more_steps, length + more_length
        case = *sizes, self._fusion.training, recurrence.autocast_dtype(embedded)
        if not self._worth_it(case):
            return self._fusion.unroll(embedded, start(encoded), encoded)
        embedded = F.pad(embedded, (0, 0, 0, more_steps, 0, more_rows))
        encoded = _padded(encoded, more_length, more_rows)
        state = start(encoded)  # of the padded batch: what an arm feeds back may be as long as the source
        tensors = _tensors(embedded, state, encoded)
        if case not in self._captured:
            self._captured[case] = self._new(state, tensors)
        features, *weights = self._captured[case](*tensors)
        return Unrolled(features[:batch, :steps], weights[0][:batch, :steps, :length] if weights else None)

    def _worth_it(self, case: tuple[Any, ...]) -> bool:
        """Whether it is captured, or is now to be."""
        if case in self._captured:
            return True
        first_time = case not in self._seen
        self._seen.add(case)
        return not first_time and len(self._captured) < MOST

    def _new(self, state: State, tensors: tuple[Tensor, ...]) -> Callable[..., tuple[Tensor, ...]]:
        """The loop, captured."""
        samples = tuple(tensor.detach().clone().requires_grad_(tensor.requires_grad) for tensor in tensors)
        try:
            return self._capture(_Loop(self._fusion, state), samples)
        except RuntimeError as error:
            said = str(error).partition("\n")[0]
            raise UserError(f"CUDA refuses to capture the loop: {said}", "", "set trainer.cuda_graphs=false") from error


class _Loop(nn.Module):
    """The loop as a function of tensors alone, which is what can be captured."""

    def __init__(self, fusion: Fusion, state: State) -> None:
        super().__init__()
        self.fusion = fusion
        self._counts = [len(part) for part in _parts(state)]

    def forward(self, embedded: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Features (B, T, F), and weights (B, T, S) where the arm attends, from what `_tensors` gives."""
        remaining = iter(tensors)
        state = State(*(tuple(islice(remaining, count)) for count in self._counts))
        unrolled = self.fusion.unroll(embedded, state, EncoderOutput(*remaining))
        return (unrolled.features,) if unrolled.weights is None else (unrolled.features, unrolled.weights)


def _parts(state: State) -> tuple[tuple[Tensor, ...], ...]:
    return state.hidden, state.cells, state.fed


def _tensors(embedded: Tensor, state: State, encoded: EncoderOutput) -> tuple[Tensor, ...]:
    fields = (encoded.source, encoded.memory, encoded.mask, encoded.padding, encoded.final)
    keys = () if encoded.keys is None else (encoded.keys,)  # the last field of an `EncoderOutput`, which may be None
    return (embedded, *(tensor for part in _parts(state) for tensor in part), *fields, *keys)


def _padded(encoded: EncoderOutput, more: int, rows: int) -> EncoderOutput:
    """The same with `more` positions of padding, and `rows` of zeros to attend to (B + rows, S + more)."""
    heads = () if encoded.keys is None else (0, 0) * (encoded.keys.dim() - 3)
    return replace(
        encoded,
        source=F.pad(encoded.source, (0, more, 0, rows)),
        memory=F.pad(encoded.memory, (0, 0, 0, more, 0, rows)),
        mask=F.pad(F.pad(encoded.mask, (0, more)), (0, 0, 0, rows), value=True),
        padding=F.pad(F.pad(encoded.padding, (0, more), value=-torch.inf), (0, 0, 0, 0, 0, rows)),
        final=F.pad(encoded.final, (0, 0, 0, rows)),
        keys=None if encoded.keys is None else F.pad(encoded.keys, (0, 0, 0, more, *heads, 0, rows)),
    )


class _CudaGraphs:
    """torch's capture of a module's forward and backward pass; all graphs in one pool of memory."""

    def __init__(self) -> None:
        self._pool: Any = None

    def __call__(self, loop: nn.Module, samples: tuple[Any, ...]) -> Callable[..., tuple[Tensor, ...]]:
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        # The graph's own nodes for the weights stay with the stream of the capture.
        torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
        with _without_collection(), _without_cached_weights():
            captured: Callable[..., tuple[Tensor, ...]] = torch.cuda.make_graphed_callables(  # type: ignore[assignment]
                loop, samples, allow_unused_input=True, pool=self._pool
            )
        return captured


@contextmanager
def _without_collection() -> Iterator[None]:
    """A graph of before that is collected while another one is captured makes CUDA give up."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _without_cached_weights() -> torch.autocast:
    """Autocast as it is, but for its cache of converted weights, which would tie a graph to those of one step."""
    return torch.autocast("cuda", torch.get_autocast_dtype("cuda"), torch.is_autocast_enabled("cuda"), False)
