"""Attention: a score of a query against every memory vector, softmax over source positions, the weighted sum.

Notation: B batch, Q queries per sentence (one in training, the beam in search), S source length, H query size,
M memory size, K key size, A attention size, D size of a head.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.options import memory_size


class Attention(nn.Module):
    """α_i = softmax_i(score(q, m_i)), c = Σ_i α_i m_i: a pure function of its arguments. Subclasses give the score."""

    sums_memory: ClassVar[bool] = True  # c = Σ_i α_i m_i, so that a product with c is the sum of products with m_i

    def project(self, memory: Tensor) -> Tensor:
        """The keys (B, S, K) of a memory (B, S, M): what the score needs of m_i, computed once per sentence."""
        return memory

    def energies(self, query: Tensor, keys: Tensor, padding: Tensor) -> Tensor:
        """score(q, m_i) for every query and position, (B, Q, S), with `padding` added."""
        raise NotImplementedError

    def fast_score(self, keys: Tensor, unroll: recurrence.Unroll) -> recurrence.Score | None:
        """The score on the fast path, if it has an equation there; if not, `energies` is computed in plain autograd."""
        return None

    def forward(self, query: Tensor, keys: Tensor, memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Context and weights of each query.

        Args: query (B, Q, H); keys (B, S, K) from `project`; memory (B, S, M);
            padding (B, 1, S), 0 on tokens and -inf on padding, which so gets a weight of exactly zero.
        Returns: context (B, Q, M), weights (B, Q, S).
        """
        unroll = recurrence.current()
        if unroll is not None and query.size(1) == 1:
            context, weights = self._read(unroll, query, keys, memory, padding)
            return context.unsqueeze(1), weights.unsqueeze(1)
        weights = torch.softmax(self.energies(query, keys, padding), dim=-1)
        return torch.bmm(weights, memory), weights

    def _read(
        self, unroll: recurrence.Unroll, query: Tensor, keys: Tensor, memory: Tensor, padding: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Context (B, M) and weights (B, S) on the fast path."""

        def enter() -> recurrence.Read:
            score = self.fast_score(keys, unroll) or recurrence.Score()
            return recurrence.Read(score, memory, padding, recurrence.autocast_dtype(memory))

        read = unroll.once((id(self), id(memory)), enter)
        if type(read.score) is recurrence.Score:
            query = self.energies(query, keys, padding)
        return recurrence.attend(read, query.squeeze(1))


class Dot(Attention):
    """score(q, m) = <q, m> (Luong et al. 2015, `dot`). No parameters; needs H = M."""

    scale = 1.0

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None) -> None:
        super().__init__()

    def energies(self, query: Tensor, keys: Tensor, padding: Tensor) -> Tensor:
        return torch.baddbmm(padding, query, keys.transpose(1, 2), alpha=self.scale)

    def fast_score(self, keys: Tensor, unroll: recurrence.Unroll) -> recurrence.Score | None:
        return recurrence.InnerProduct(keys, self.scale, recurrence.autocast_dtype(keys))


class ScaledDot(Dot):
    """score(q, m) = <q, m> / sqrt(H) (Vaswani et al. 2017). No parameters; needs H = M."""

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None) -> None:
        super().__init__(query_size, memory_size, attention_size)
        self.scale = 1.0 / math.sqrt(query_size)


class General(Dot):
    """score(q, m) = q^T W m (Luong et al. 2015, `general`); the keys are W m."""

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None) -> None:
        super().__init__(query_size, memory_size, attention_size)
        self.key = nn.Linear(memory_size, query_size, bias=False)
        nn.init.xavier_uniform_(self.key.weight)

    def project(self, memory: Tensor) -> Tensor:
        return self.key(memory)


class Additive(Attention):
    """score(q, m) = v^T tanh(W_q q + W_k m) (Bahdanau et al. 2015); the keys are W_k m."""

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None) -> None:
        super().__init__()
        assert attention_size is not None, "check_model asks for it"
        self.query = nn.Linear(query_size, attention_size, bias=False)
        self.key = nn.Linear(memory_size, attention_size, bias=False)
        self.v = nn.Parameter(torch.empty(attention_size))
        nn.init.xavier_uniform_(self.query.weight)
        nn.init.xavier_uniform_(self.key.weight)
        nn.init.uniform_(self.v, -(attention_size**-0.5), attention_size**-0.5)

    def project(self, memory: Tensor) -> Tensor:
        return self.key(memory)

    def energies(self, query: Tensor, keys: Tensor, padding: Tensor) -> Tensor:
        # The sum x is the largest tensor of a step, (B, Q, S, A), and is overwritten. A CPU takes three times as long
        # over tanh as over the sigmoid: v^T tanh(x) = 2 v^T σ(2x) - Σ_a v_a. In 16 bits that is too coarse.
        query = self.query(query).unsqueeze(2)
        if keys.dtype != torch.float32 or query.dtype != torch.float32:
            return (query + keys.unsqueeze(1)).tanh_() @ self.v + padding
        doubled = torch.add(2.0 * query, keys.unsqueeze(1), alpha=2.0)
        return doubled.sigmoid_() @ (2.0 * self.v) - self.v.sum() + padding

    def fast_score(self, keys: Tensor, unroll: recurrence.Unroll) -> recurrence.Score | None:
        query = unroll.weight(self.query.weight)
        return recurrence.AdditiveScore(query, keys, self.v, recurrence.autocast_dtype(keys))


class Location(Attention):
    """score(q, m_i) = (W q)_i: where to look, whatever stands there (Luong et al. 2015, `location`).

    W has a row for each of the first A positions; later positions of a longer source get no weight.
    """

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None) -> None:
        super().__init__()
        assert attention_size is not None, "check_model asks for it"
        self.position = nn.Linear(query_size, attention_size, bias=False)
        nn.init.xavier_uniform_(self.position.weight)

    def energies(self, query: Tensor, keys: Tensor, padding: Tensor) -> Tensor:
        energies = self.position(query)  # (B, Q, A)
        missing = padding.size(-1) - energies.size(-1)
        if missing > 0:
            energies = nn.functional.pad(energies, (0, missing), value=-math.inf)
        return energies[..., : padding.size(-1)] + padding


class Uniform(Attention):
    """score(q, m) = 0: the mean of the memory, the same at every step. No parameters; nothing is attended to.

    A control: it tells what attention brings from what a source vector at every step brings (a fixed one enters each
    step of the decoder of Cho et al. 2014, section 2.2).
    """

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None) -> None:
        super().__init__()

    def energies(self, query: Tensor, keys: Tensor, padding: Tensor) -> Tensor:
        return padding.expand(-1, query.size(1), -1)


class MultiHead(Attention):
    """Scaled dot products in several heads h (Vaswani et al. 2017, section 3.2.2), each of size D = M / heads:

    α^h_i = softmax_i(<W_q^h q, W_k^h m_i> / sqrt(D)), c = W_o [Σ_i α^1_i W_v^1 m_i; ...; Σ_i α^heads_i W_v^heads m_i].
    No biases, as in the paper. The weights given back are the mean of the heads'. Needs heads to divide M.
    """

    sums_memory = False

    def __init__(self, query_size: int, memory_size: int, attention_size: int | None, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(query_size, memory_size, bias=False)
        self.key = nn.Linear(memory_size, memory_size, bias=False)
        self.value = nn.Linear(memory_size, memory_size, bias=False)
        self.output = nn.Linear(memory_size, memory_size, bias=False)
        for linear in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(linear.weight)
        self.head = ScaledDot(memory_size // heads, memory_size // heads, None)

    def project(self, memory: Tensor) -> Tensor:
        """Keys and values of all heads, [W_k^h m_i; W_v^h m_i]: (B, heads, S, 2 D)."""
        keys, values = (
            linear(memory).unflatten(-1, (self.heads, -1)).transpose(1, 2) for linear in (self.key, self.value)
        )
        return torch.cat((keys, values), dim=-1)

    def forward(self, query: Tensor, keys: Tensor, memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        batch, queries, _ = query.shape
        projected = recurrence.linear(query.flatten(0, 1), self.query.weight)  # (B * Q, M)
        projected = projected.view(batch, queries, self.heads, -1).transpose(1, 2).flatten(0, 1)  # (B * heads, Q, D)

        def as_rows() -> tuple[Tensor, Tensor, Tensor]:
            """Keys, values (B * heads, S, D) and padding (B * heads, 1, S): each head is a row to the single one."""
            of_keys, of_values = keys.flatten(0, 1).chunk(2, dim=-1)
            return of_keys, of_values, padding.repeat_interleave(self.heads, dim=0)

        unroll = recurrence.current()
        of_heads = as_rows() if unroll is None else unroll.once((id(self), id(keys)), as_rows)
        contexts, weights = self.head(projected, *of_heads)
        contexts = contexts.view(batch, self.heads, queries, -1).transpose(1, 2).reshape(batch * queries, -1)
        context = recurrence.linear(contexts, self.output.weight).view(batch, queries, -1)
        return context, weights.view(batch, self.heads, queries, -1).mean(dim=1)


SCORES: dict[str, type[Dot] | type[Additive] | type[Location] | type[Uniform] | type[MultiHead]] = {
    "dot": Dot,
    "scaled_dot": ScaledDot,
    "general": General,
    "additive": Additive,
    "location": Location,
    "uniform": Uniform,
    "multi_head": MultiHead,
}


def build_attention(config: ModelConfig) -> Attention:
    """The attention that `config.score` names."""
    assert config.score is not None, "check_model asks for it"
    score, sizes = SCORES[config.score], (config.hidden_size, memory_size(config), config.attention_size)
    return MultiHead(*sizes, config.heads) if issubclass(score, MultiHead) else score(*sizes)
