"""Attention with one query per sentence: scores that have their equation here, and what is read from the memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.models.recurrence.autocast import without_autocast
from softalign.models.recurrence.shared import Shared
from softalign.models.recurrence.weight import Weight

LARGEST_EXPONENT = 86.0  # e^86 and e^-86 are normal numbers in float32 and bfloat16


class Score:
    """The energies (B, S) of a query, without padding, and the query's gradient. This one takes energies as they are:
    with padding: an attention without an equation here computes them in plain autograd."""

    anchors: tuple[Tensor, ...] = ()
    n_kept = 0  # tensors that `forward` keeps for `backward`

    def forward(self, query: Tensor, padding: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Energies (B, S) of queries (B, H), up to a constant per sentence, plus padding (B, S); tensors to keep."""
        return query.to(padding.dtype), []

    def backward(self, to_energies: Tensor, query: Tensor, kept: list[Tensor]) -> Tensor:
        """to_q (B, H)."""
        return to_energies


class InnerProduct(Score, Shared):
    """e_ti = s <q_t, k_i>. ∂k_i = s Σ_t to_e_ti q_t."""

    def __init__(self, keys: Tensor, scale: float, dtype: torch.dtype | None) -> None:
        self.scale = scale
        self.keys = keys.detach().to(dtype or keys.dtype).contiguous()
        self.transposed = self.keys.transpose(1, 2).contiguous()  # (1, K) x (K, S) is quicker than (S, K) x (K, 1)
        Shared.__init__(self, keys)
        self.anchors = (self.anchor,)

    def forward(self, query: Tensor, padding: Tensor) -> tuple[Tensor, list[Tensor]]:
        query = query.to(self.keys.dtype).unsqueeze(1)
        return torch.baddbmm(padding.unsqueeze(1), query, self.transposed, alpha=self.scale).squeeze(1), []

    def backward(self, to_energies: Tensor, query: Tensor, kept: list[Tensor]) -> Tensor:
        to_energies = to_energies * self.scale if self.scale != 1.0 else to_energies
        self.note(to_energies, query.to(self.keys.dtype))
        return torch.bmm(to_energies.unsqueeze(1), self.keys).squeeze(1)

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        return (_outer_products(*notes),)


class AdditiveScore(Score, Shared):
    """e_ti = v^T tanh(q'_t + k_i) = Σ_a v_a - 2 v^T ρ_ti, where ρ_ti = 1 / (1 + exp(2 q'_t) exp(2 k_i)), q' = W_q q.

    exp(2 k_i) is computed once for all steps, and the constant Σ_a v_a falls out of the softmax. Exact as long as no
    entry of k or q' exceeds 43 in size; a larger one of k counts as 43, so that exp(2 k) stays finite and does not
    vanish, and one of q' makes tanh 1 or -1.
    With u_ti = to_e_ti ρ_ti ⊙ (1 - ρ_ti): ∂q'_t = 4 v ⊙ Σ_i u_ti, ∂k_i = 4 v ⊙ Σ_t u_ti, ∂v = -2 Σ_ti to_e_ti ρ_ti.
    """

    n_kept = 1

    def __init__(self, query: Weight, keys: Tensor, v: Tensor, dtype: torch.dtype | None) -> None:
        self.count = 2
        self.query = query
        self.v = v.detach().to(dtype or v.dtype)
        doubled = keys.detach().to(self.v.dtype) * 2.0
        self.grown = doubled.clamp_(-LARGEST_EXPONENT, LARGEST_EXPONENT).exp_()  # exp(2 k) (B, S, A)
        self.one = self.v.new_ones(())
        Shared.__init__(self, keys, v)
        self.anchors = (self.anchor, query.anchor)

    def forward(self, query: Tensor, padding: Tensor) -> tuple[Tensor, list[Tensor]]:
        grown = self.query.add_to(self.one, query.to(self.v.dtype), other_scale=0.0, scale=2.0).exp_()
        rho = torch.addcmul(self.one, self.grown, grown.unsqueeze(1)).reciprocal_()
        energies = torch.addmv(padding.reshape(-1), rho.view(-1, rho.size(-1)), self.v, alpha=-2.0)
        return energies.view_as(padding), [rho]

    def backward(self, to_energies: Tensor, query: Tensor, kept: list[Tensor]) -> Tensor:
        (rho,) = kept
        slopes = torch.ops.aten.sigmoid_backward(to_energies.unsqueeze(-1), rho)
        to_v = torch.mm(to_energies.reshape(1, -1), rho.view(-1, rho.size(-1)))
        to_projected = slopes.sum(dim=1).mul_(self.v).mul_(4.0)
        self.add(slopes, to_v)
        return self.query.backward(query.to(self.v.dtype), to_projected)

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        ((slopes,), (to_v,)) = notes
        return slopes.mul_(self.v * 4.0), to_v.view(-1) * -2.0


def _outer_products(coefficients: tuple[Tensor, ...], vectors: tuple[Tensor, ...]) -> Tensor:
    """Σ_t coefficient_ti vector_t: T of (B, S) and T of (B, M) -> (B, S, M)."""
    return torch.bmm(torch.stack(coefficients, dim=2), torch.stack(vectors, dim=1))


class Read(Shared):
    """α_t = softmax(e_t), c_t = Σ_i α_ti m_i. ∂m_i = Σ_t α_ti to_c_t."""

    def __init__(self, score: Score, memory: Tensor, padding: Tensor, dtype: torch.dtype | None) -> None:
        self.score = score
        self.memory = memory.detach().to(dtype or memory.dtype).contiguous()
        self.padding = padding.detach().squeeze(1).to(self.memory.dtype)
        self.transposed = self.memory.transpose(1, 2).contiguous()  # for to_α = <to_c, m_i>, see InnerProduct
        super().__init__(memory)
        self.anchors = (self.anchor, *score.anchors)

    def forward(self, query: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """c (B, M), α (B, S), and tensors to keep, from a query (B, H)."""
        energies, kept = self.score.forward(query, self.padding)
        weights = torch.softmax(energies, dim=-1)
        return torch.bmm(weights.unsqueeze(1), self.memory).squeeze(1), weights, kept

    def backward(
        self, to_context: Tensor | None, to_weights: Tensor | None, query: Tensor, weights: Tensor, kept: list[Tensor]
    ) -> Tensor | None:
        """to_q (B, H)."""
        if to_context is not None:
            self.note(weights, to_context)
            through_context = torch.bmm(to_context.unsqueeze(1), self.transposed).squeeze(1)
            to_weights = through_context if to_weights is None else through_context + to_weights
        if to_weights is None:
            return None
        to_energies = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
        return self.score.backward(to_energies, query, kept)

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        return (_outer_products(*notes),)


class _Attend(torch.autograd.Function):
    """(c_t, α_t) from a query (B, H)."""

    @staticmethod
    def forward(ctx: Any, read: Read, query: Tensor, *anchors: Tensor) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        context, weights, kept = read.forward(query)
        ctx.read = read
        ctx.save_for_backward(query, weights, *kept)
        return context, weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_context: Tensor | None, to_weights: Tensor | None) -> tuple[Tensor | None, ...]:
        read: Read = ctx.read
        query, weights, *kept = ctx.saved_tensors
        to_query = read.backward(to_context, to_weights, query, weights, kept)
        return None, to_query, *[None] * len(read.anchors)


def attend(read: Read, query: Tensor) -> tuple[Tensor, Tensor]:
    """Context (B, M) and weights (B, S) of a query (B, H), or of energies (B, S) where the score is computed before."""
    with without_autocast(query):
        return _Attend.apply(read, query, *read.anchors)
