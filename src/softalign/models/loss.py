"""The training objective, and the likelihood that perplexity is computed from.

Notation: n target tokens, E embedding size, V target vocabulary.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.denormals import denormals_flushed, without_denormals

# Logits are made, used and overwritten in blocks of about this many numbers, which fit into a CPU's cache.
BLOCK = {"cpu": 2**20}
BLOCK_ELSEWHERE = 2**26
SMALLEST_SHARED = 2**17  # logits below which handing half of them to another thread costs more than it saves


@dataclass(frozen=True)
class SequenceLoss:
    """Sums over target tokens, end of sentence counted, padding not; divide by `tokens` for a mean."""

    objective: Tensor  # () what training minimises, label smoothing included
    nll: Tensor  # () negative log-likelihood in nats, without smoothing and without a gradient
    tokens: int


def sequence_loss(
    readouts: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> SequenceLoss:
    """Cross-entropy of softmax(weight · readout + bias) against the targets, summed.

    With label smoothing ε (Szegedy et al. 2016) the target distribution is 1-ε on the target plus ε/V everywhere.
    The logits (n, V) are a step's largest tensor by far; they are never held as a whole, and their gradient is computed
    where they stood, in the forward pass. On a CPU that takes about 0.6 of the time of a linear layer followed by
    `cross_entropy`.

    Args: readouts (n, E), weight (V, E), bias (V,), targets (n,) ids, none of them padding.
    """
    objective, nll = _ProjectedCrossEntropy.apply(
        readouts, weight, bias, targets, label_smoothing, torch.is_grad_enabled()
    )
    return SequenceLoss(objective, nll, targets.numel())


class _Part(NamedTuple):
    """The sums over some of the tokens, and their gradients of nll and spread together."""

    nll: Tensor  # ()
    spread: Tensor  # () -log p, averaged over the vocabulary
    to_readouts: Tensor  # (n, E), as are the following of no rows without gradients
    to_weight: Tensor  # (V, E)
    to_bias: Tensor  # (V,)


def _part(
    readouts: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, with_gradients: bool
) -> _Part:
    vocabulary = weight.size(0)
    block = max(1, BLOCK.get(readouts.device.type, BLOCK_ELSEWHERE) // vocabulary)
    nll, spread = bias.new_zeros(()), bias.new_zeros(())
    to_readouts, to_weight, to_bias = [readouts.new_empty(0, readouts.size(1))], weight.new_zeros(0), bias.new_zeros(0)
    if with_gradients:
        to_weight, to_bias = torch.zeros_like(weight), torch.zeros_like(bias)
    for x, y in zip(readouts.split(block), targets.unsqueeze(1).split(block), strict=True):
        logits = torch.addmm(bias, x, weight.t()).to(bias.dtype)  # (block, V); out of bf16 under autocast
        logits -= logits.amax(dim=1, keepdim=True)
        at_target = logits.gather(1, y)
        total = logits.sum() if smoothing else 0.0
        exponentials = logits.exp_()
        normaliser = exponentials.sum(dim=1, keepdim=True)
        log_normaliser = normaliser.log()
        nll += (log_normaliser - at_target).sum()
        spread += log_normaliser.sum() - total / vocabulary
        if with_gradients:
            gradient = exponentials.div_(normaliser)  # softmax - target distribution
            if smoothing:
                gradient -= smoothing / vocabulary
            gradient.scatter_add_(1, y, torch.full_like(at_target, smoothing - 1.0))
            to_readouts.append(gradient @ weight)
            to_weight += gradient.t() @ x
            to_bias += gradient.sum(dim=0)
    return _Part(nll, spread, torch.cat(to_readouts), to_weight, to_bias)


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="loss")


os.register_at_fork(after_in_child=_helper.cache_clear)  # a thread does not survive a fork


def _halves(
    readouts: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, with_gradients: bool
) -> list[_Part]:
    """The two halves of the tokens, side by side where torch itself is told to use one thread.

    The products here are the only ones of a small model that are large enough to share: torch's own threads, which
    meet at the end of every small operation, gain little and lose much where anything else runs. The halves are the
    same with a helper and without, and so are the sums, bit for bit.
    """
    middle = (len(targets) + 1) // 2
    first, second = (
        (readouts[rows], weight, bias, targets[rows], smoothing, with_gradients)
        for rows in (slice(0, middle), slice(middle, None))
    )
    alone = readouts.device.type != "cpu" or torch.get_num_threads() > 1 or torch.is_autocast_enabled("cpu")
    if alone or readouts.size(0) * weight.size(0) < SMALLEST_SHARED:
        return [_part(*first), _part(*second)]
    flushed = denormals_flushed()

    def help_out() -> _Part:  # settings of torch hold for one thread
        with torch.no_grad(), without_denormals(flushed):
            return _part(*second)

    promised = _helper().submit(help_out)
    return [_part(*first), promised.result()]


class _ProjectedCrossEntropy(torch.autograd.Function):
    """(objective, nll); the gradient of the objective alone."""

    @staticmethod
    def forward(
        ctx: Any,
        readouts: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        smoothing: float,
        with_gradients: bool,
    ) -> tuple[Tensor, Tensor]:
        first, second = _halves(readouts, weight, bias, targets, smoothing, with_gradients)
        if with_gradients:
            ctx.save_for_backward(
                torch.cat((first.to_readouts, second.to_readouts)),
                first.to_weight.add_(second.to_weight),
                first.to_bias.add_(second.to_bias),
            )
        nll, spread = first.nll + second.nll, first.spread + second.spread
        ctx.mark_non_differentiable(nll)
        return (1.0 - smoothing) * nll + smoothing * spread, nll

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_objective: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        to_readouts, to_weight, to_bias = ctx.saved_tensors
        return to_readouts * to_objective, to_weight * to_objective, to_bias * to_objective, None, None, None
