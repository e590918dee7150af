"""Copying from the source, and coverage of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.attention import Additive
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.bahdanau import Bahdanau
from softalign.models.fusion.base import FusionStep, Unrolled, register
from softalign.models.options import memory_size
from softalign.models.readout import PointerReadout


@register("pointer")
class Pointer(Bahdanau):
    """Bahdanau's recurrence with the readout of a pointer-generator (See et al. 2017): see `PointerReadout`. Source and
    target share one vocabulary."""

    readout_class = PointerReadout


@register("pointer_coverage")
class PointerCoverage(Pointer):
    """The pointer with coverage (See et al. 2017, equations 10 to 13), cov_t = Σ_{t'<t} α_t':

    the score sees it, e_ti = v^T tanh(W_q h_{t-1} + W_k m_i + w cov_ti), and training minimises besides
    Σ_t Σ_i min(α_ti, cov_ti), the weight 1 of the paper.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        assert config.attention_size is not None, "check_model asks for it"
        self.attention = CoveredAdditive(config.hidden_size, memory_size(config), config.attention_size)

    def start(self, hidden: tuple[Tensor, ...], cells: tuple[Tensor, ...], encoded: EncoderOutput) -> State:
        nothing = torch.zeros_like(encoded.padding[:, 0])
        return State(hidden, cells, fed=(nothing.to(_of_sums(nothing)),))

    def query(self, state: State) -> Tensor:
        return torch.cat((state.top, state.fed[0].to(state.top.dtype)), dim=-1)

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        features, after, weights = super().step(projected, state, encoded)
        assert weights is not None
        return FusionStep(features, State(after.hidden, after.cells, (state.fed[0] + weights,)), weights)

    def penalty(self, unrolled: Unrolled, real: Tensor) -> Tensor:
        assert unrolled.weights is not None
        weights = unrolled.weights.to(_of_sums(unrolled.weights))
        covered = weights.cumsum(dim=1) - weights
        return (torch.minimum(weights, covered).sum(dim=-1) * real).sum()


def _of_sums(numbers: Tensor) -> torch.dtype:
    """The numbers that sums over a sentence are held in: to 0.5 bf16 adds nothing below 0.002."""
    return torch.promote_types(numbers.dtype, torch.float32)


class CoveredAdditive(Additive):
    """score([q; cov], m_i) = v^T tanh(W_q q + W_k m_i + w cov_i): the query (B, Q, H + S) brings its coverage along."""

    def __init__(self, query_size: int, memory_size: int, attention_size: int) -> None:
        super().__init__(query_size, memory_size, attention_size)
        self.covered = nn.Parameter(torch.empty(attention_size))
        nn.init.uniform_(self.covered, -(attention_size**-0.5), attention_size**-0.5)

    def energies(self, query: Tensor, keys: Tensor, padding: Tensor) -> Tensor:
        query, covered = query.split([query.size(-1) - keys.size(1), keys.size(1)], dim=-1)
        projected = recurrence.linear(query.flatten(0, -2), self.query.weight).view(*query.shape[:-1], 1, -1)
        return torch.tanh(projected + keys.unsqueeze(1) + covered.unsqueeze(-1) * self.covered) @ self.v + padding

    def fast_score(self, keys: Tensor, unroll: recurrence.Unroll) -> recurrence.Score | None:
        return None
