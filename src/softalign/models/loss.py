"""The training objective, and the likelihood that perplexity is computed from.

Notation: n target tokens, E embedding size, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.hardware import second_thread
from softalign.hardware.cores import usable_cores
from softalign.models.packed import packed
from softalign.models.recurrence import Shared, autocast_dtype, without_autocast

T = TypeVar("T")

# Logits are made, used and overwritten in blocks of about this many numbers, which stay near a CPU's cache.
BLOCK = {"cpu": 2**21}
BLOCK_ELSEWHERE = 2**26  # on a GPU, which a block keeps busy for longer than its launches take
# So many numbers of gradients in bf16 are held until the weight's is computed from all of them: to add up parts of that
# takes longer. They are 30 MiB; for more than 32 glibc asks the kernel each time (softalign.hardware.memory).
HELD = 15 * 2**20
FEWEST_PACKED = 512  # tokens for which it is worth to lay out the weight anew
SMALLEST_SHARED = 2**17  # logits below which handing half of them to another thread costs more than it saves


@dataclass(frozen=True)
class SequenceLoss:
    """Sums over target tokens, end of sentence counted, padding not; divide by `tokens` for a mean."""

    objective: Tensor  # () what training minimises, label smoothing included
    nll: Tensor  # () negative log-likelihood in nats, without smoothing and without a gradient
    tokens: int


class OutputLayer(Shared):
    """The weight (V, E) and the bias (V,) of the output layer, as the loss sees them.

    Their gradient is the last thing that a step needs. Made before the rest of the model has run, this object's node
    is the last of the backward pass, and a second thread has time for that gradient until then.
    """

    count = 2

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight.detach(), bias.detach()
        super().__init__(weight, bias)

    def gradients(self, notes: list[tuple[Any, ...]]) -> tuple[Tensor | None, ...]:
        of_each = [
            [gradient * to_objective for gradient in finish()] for finish, to_objective in zip(*notes, strict=True)
        ]
        return tuple(
            torch.stack(parts).sum(dim=0) if len(parts) > 1 else parts[0] for parts in zip(*of_each, strict=True)
        )


def sequence_loss(readouts: Tensor, output: OutputLayer, targets: Tensor, label_smoothing: float = 0.0) -> SequenceLoss:
    """Cross-entropy of softmax(weight · readout + bias) against the targets, summed.

    With label smoothing ε (Szegedy et al. 2016) the target distribution is 1-ε on the target plus ε/V everywhere.
    The logits (n, V) are a step's largest tensor by far; they are made a block at a time, and their gradient is
    computed with them, in the forward pass. What autocast asks for holds for the products alone.

    Args: readouts (n, E), targets (n,) ids, none of them padding.
    """
    low = autocast_dtype(readouts)
    with without_autocast(readouts):
        objective, nll = _ProjectedCrossEntropy.apply(
            output, readouts, targets, label_smoothing, low, torch.is_grad_enabled(), output.anchor
        )
    return SequenceLoss(objective, nll, targets.numel())


class _Matrix:
    """The weight of the output layer (V, E), as the blocks multiply with it."""

    def __init__(self, weight: Tensor, tokens: int, with_gradients: bool) -> None:
        many = tokens >= FEWEST_PACKED
        self.weight = weight
        self._packed = packed(weight) if many else None
        self._packed_backwards = packed(weight.t()) if many and with_gradients else None

    @property
    def needs_room(self) -> bool:
        """Whether `logits` writes where it is told to."""
        return self._packed is None

    def logits(self, bias: Tensor, x: Tensor, room: Tensor | None) -> Tensor:
        """bias + W x (n, V) of x (n, E)."""
        return torch.addmm(bias, x, self.weight.t(), out=room) if self._packed is None else self._packed(x, bias)

    def backwards(self, gradient: Tensor) -> Tensor:
        """to_x (n, E)."""
        return gradient @ self.weight if self._packed_backwards is None else self._packed_backwards(gradient)


class _Part:
    """The sums over some of the tokens, and the gradients of nll and spread together, block by block.

    Products are of the type that `readouts` and the matrix have; everything between them is fp32. A part that runs
    when another one, at least as long, has finished takes over its memory: `before`.
    """

    def __init__(
        self,
        readouts: Tensor,
        matrix: _Matrix,
        bias: Tensor,
        targets: Tensor,
        smoothing: float,
        before: _Part | None = None,
    ) -> None:
        self.smoothing = smoothing
        self.nll = bias.new_zeros(())
        self.spread = bias.new_zeros(())  # -log p, averaged over the vocabulary
        self.to_readouts = [readouts.new_empty(0, readouts.size(1))]
        self.to_weight: Tensor | None = None
        self.to_bias: Tensor | None = None
        self._readouts, self._matrix, self._bias, self._targets = readouts, matrix, bias, targets
        weight = matrix.weight
        self._block = max(1, BLOCK.get(readouts.device.type, BLOCK_ELSEWHERE) // len(weight))  # tokens
        # Of all blocks. Made here, not by the helper: what a thread of its own allocates, glibc keeps for it alone. (A
        # packed product makes its logits itself.)
        shape = min(self._block, len(targets)), len(weight)
        if before is None:
            self._logits = bias.new_empty(shape) if matrix.needs_room else None
            self._probabilities = bias.new_empty(shape)
            held = min(max(self._block, HELD // len(weight)), len(targets))
            self._low = None if weight.dtype == bias.dtype else weight.new_empty(held, len(weight))
        else:
            self._logits, self._probabilities, self._low = before._logits, before._probabilities, before._low
        self._first = self._end = 0  # the tokens whose gradients of the logits the weight's has not seen yet

    def run(self, with_gradients: bool) -> _Part:
        """Everything but the gradient of the weight that `finish` has time for."""
        for start in range(0, len(self._targets), self._block):
            tokens = slice(start, min(start + self._block, len(self._targets)))
            if self._low is None or tokens.stop - self._first > len(self._low):
                self.finish()
            x, y = self._readouts[tokens], self._targets[tokens].unsqueeze(1)
            low = None if self._low is None else self._low[start - self._first : tokens.stop - self._first]
            gradient = self._add(x, y, low)
            if with_gradients:
                gradient.scatter_add_(1, y, gradient.new_full((len(y), 1), self.smoothing - 1.0))
                to_bias = gradient.sum(dim=0)
                self.to_bias = to_bias if self.to_bias is None else self.to_bias.add_(to_bias)
                self.to_readouts.append(self._matrix.backwards(gradient if low is None else low.copy_(gradient)))
                self._end = tokens.stop
            else:
                self._first = tokens.stop
        return self

    def _add(self, x: Tensor, y: Tensor, low: Tensor | None) -> Tensor:
        """Add a block's sums; returns softmax(logits) - ε/V (block, V). `low` is room for the logits."""
        logits = None if self._logits is None else self._logits[: len(x)]
        if low is None or logits is None:
            logits = self._matrix.logits(self._bias, x, logits)
        else:
            # One after the other: an addition of two types, as a sum in another one, makes a copy first.
            logits.copy_(torch.mm(x, self._matrix.weight.t(), out=low)).add_(self._bias)
        largest = logits.amax(dim=1, keepdim=True)
        probabilities = torch.softmax(logits, dim=1, out=self._probabilities[: len(x)])
        log_normaliser = -probabilities.amax(dim=1, keepdim=True).log()  # of exp(logits - largest)
        self.nll += (log_normaliser + (largest - logits.gather(1, y))).sum()
        if not self.smoothing:
            return probabilities
        self.spread += (log_normaliser + (largest - logits.mean(dim=1, keepdim=True))).sum()
        return probabilities.sub_(self.smoothing / logits.size(1))

    def finish(self) -> None:
        """The gradient of the weight that is left to compute."""
        if self._first >= self._end:
            return
        gradients = self._probabilities if self._low is None else self._low
        gradient, x = gradients[: self._end - self._first], self._readouts[self._first : self._end]
        self._first = self._end
        # Added up in fp32, whatever the products are made in.
        if self.to_weight is None:
            self.to_weight = (gradient.t() @ x).to(self._bias.dtype)
        elif self._low is None:
            self.to_weight.addmm_(gradient.t(), x)
        else:
            self.to_weight.add_(gradient.t() @ x)


def _weight_gradients(parts: tuple[_Part, _Part]) -> tuple[Tensor, Tensor]:
    """∂weight (V, E), ∂bias (V,) of both parts."""
    for part in parts:
        part.finish()
    first, second = parts
    assert first.to_weight is not None and first.to_bias is not None
    if second.to_weight is None or second.to_bias is None:  # it has no tokens
        return first.to_weight, first.to_bias
    return first.to_weight.add_(second.to_weight), first.to_bias.add_(second.to_bias)


def _at_once(compute: Callable[[], T]) -> Callable[[], T]:
    """The same without a second thread."""
    outcome = compute()
    return lambda: outcome


def _worth_sharing(readouts: Tensor, vocabulary: int) -> bool:
    """Whether two threads are quicker than one, where torch itself is told to use one.

    The products here are the only ones of a small model that are large enough to share: torch's own threads, which
    meet at the end of every small operation, gain little and lose much where anything else runs.
    """
    alone = readouts.device.type != "cpu" or torch.get_num_threads() > 1 or len(usable_cores()) < 2
    return not alone and readouts.size(0) * vocabulary >= SMALLEST_SHARED


class _ProjectedCrossEntropy(torch.autograd.Function):
    """(objective, nll); the gradient of the objective alone. With a second thread and without, the same two halves are
    computed and added in the same order: the same bits."""

    @staticmethod
    def forward(
        ctx: Any,
        output: OutputLayer,
        readouts: Tensor,
        targets: Tensor,
        smoothing: float,
        low: torch.dtype | None,
        with_gradients: bool,
        anchor: Tensor,
    ) -> tuple[Tensor, Tensor]:
        weight, bias = output.weight, output.bias
        share = _worth_sharing(readouts, len(weight))
        dtype = low or weight.dtype
        ctx.dtype, readouts, weight = readouts.dtype, readouts.to(dtype), weight.to(dtype)
        # A GPU would only wait for the launches of a second part.
        middle = (len(targets) + 1) // 2 if readouts.device.type == "cpu" else len(targets)
        matrix = _Matrix(weight, len(targets), with_gradients)
        first = _Part(readouts[:middle], matrix, bias, targets[:middle], smoothing)
        second = _Part(readouts[middle:], matrix, bias, targets[middle:], smoothing, None if share else first)
        promised = second_thread.promise(partial(second.run, with_gradients)) if share else None
        first.run(with_gradients)
        if not promised:
            first.finish()
        second = promised() if promised else second.run(with_gradients)
        if with_gradients:
            ctx.output = output
            finish = partial(_weight_gradients, (first, second))
            ctx.finish = second_thread.promise(finish) if share else _at_once(finish)
            # The readouts too: torch then refuses to go back where somebody has changed them under the thread.
            ctx.save_for_backward(torch.cat((*first.to_readouts, *second.to_readouts)), readouts)
        nll, spread = first.nll + second.nll, first.spread + second.spread
        ctx.mark_non_differentiable(nll)
        return (1.0 - smoothing) * nll + smoothing * spread, nll

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_objective: Tensor, to_nll: Tensor) -> tuple[Tensor | None, ...]:
        to_readouts, _ = ctx.saved_tensors
        ctx.output.note(ctx.finish, to_objective)
        return None, (to_readouts * to_objective).to(ctx.dtype), None, None, None, None, None
