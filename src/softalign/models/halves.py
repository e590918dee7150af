"""The loss of a training step, each half of the batch in a thread of its own.

torch's threads share out each operation and meet at its end, and a recurrence has thousands of small operations a step.
The halves of a batch meet once: at the end, when their losses and gradients are added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign import second_thread
from softalign.models.dropout import drawing_from
from softalign.models.loss import SequenceLoss

if TYPE_CHECKING:
    from softalign.data.batching import Batch
    from softalign.models.seq2seq import Seq2Seq


def training_loss(model: Seq2Seq, batch: Batch, label_smoothing: float = 0.0) -> SequenceLoss:
    """`model.loss`; on a CPU where torch has several threads, in two halves that have half of them each.

    The halves' gradients are computed with their losses; `backward` hands them on, once. Dropout draws from two
    generators, which the default one seeds: the same seed gives the same bits, whichever thread is quicker.
    """
    if batch.source.device.type != "cpu" or torch.get_num_threads() == 1 or len(batch) == 1:
        return model.loss(batch, label_smoothing)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    objective, nll = _Halves.apply(lambda: _both(model, batch, label_smoothing, parameters), *parameters)
    return SequenceLoss(objective, nll, batch.n_target_tokens)


class _Half(NamedTuple):
    objective: Tensor
    nll: Tensor
    gradients: tuple[Tensor | None, ...]


class _Halves(torch.autograd.Function):
    """(objective, nll) of both halves; the gradient of the objective alone."""

    @staticmethod
    def forward(ctx: Any, compute: Callable[[], _Half], *parameters: Tensor) -> tuple[Tensor, Tensor]:
        both = compute()
        ctx.gradients = both.gradients
        ctx.mark_non_differentiable(both.nll)
        return both.objective, both.nll

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_objective: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        gradients, ctx.gradients = ctx.gradients, ()
        torch._foreach_mul_([gradient for gradient in gradients if gradient is not None], to_objective)
        return None, *gradients


def _both(model: Seq2Seq, batch: Batch, label_smoothing: float, parameters: Sequence[Tensor]) -> _Half:
    narrow, dtype = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    seeds = torch.randint(2**63 - 1, (2,)).tolist()

    def half(which: int) -> _Half:
        with torch.enable_grad(), drawing_from(torch.Generator().manual_seed(seeds[which])):
            # Each casts for itself: autocast's cache belongs to both threads.
            with torch.autocast("cpu", dtype, enabled=narrow, cache_enabled=False):
                summed = model.loss(batch.select(slice(which, None, 2)), label_smoothing)
            with torch.autocast("cpu", enabled=False):
                gradients = torch.autograd.grad(summed.objective, parameters, allow_unused=True)
        return _Half(summed.objective.detach(), summed.nll, gradients)

    first, second = second_thread.share(half)
    # Not in place: two parameters, like the biases of a sum, may have one tensor as their gradient. These are new ones.
    gradients = tuple(map(_sum, first.gradients, second.gradients))
    return _Half(first.objective + second.objective, first.nll + second.nll, gradients)


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
