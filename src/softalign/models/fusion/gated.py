"""Gates between what comes from the source and what comes from the target."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.bahdanau import Bahdanau
from softalign.models.fusion.base import FusionStep, register
from softalign.models.options import memory_size


class Gated(Bahdanau):
    """Context gates (Tu et al. 2017): Bahdanau's recurrence, in which a gate weighs the source against the target.

    e_ti = score(h_{t-1}, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i; z_t = σ(W_z x_t + U_z h_{t-1} + C_z c_t + b);
    h_t = f(p_t ⊙ (W_x x_t + W_h h_{t-1} + b) + q_t ⊙ W_c c_t), f the cell's nonlinearities and the scales p_t and q_t,
    made of z_t, those of the subclass; a cell with several gates has the same scales in each. The readout sees
    [h_t; c_t].

    With several layers the top one's state is the query and makes the gate, which scales the bottom one's sums, that of
    its own past too, and nothing above: e_ti = score(h^L_{t-1}, m_i); z_t = σ(W_z x_t + U_z h^L_{t-1} + C_z c_t + b);
    h^1_t = f(p_t ⊙ (W_x x_t + W_h h^1_{t-1} + b) + q_t ⊙ W_c c_t); h^l_t = cell^l(h^{l-1}_t, h^l_{t-1}).
    A layer-normalised cell normalises what is scaled already, a = p_t ⊙ W_x x_t + q_t ⊙ W_c c_t and
    u = p_t ⊙ W_h h^1_{t-1} in the notation of models/transitions.py. z_t is not normalised.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.gate_input = nn.Linear(config.embedding_size, config.hidden_size)
        self.gate_rest = nn.Linear(config.hidden_size + memory_size(config), config.hidden_size, bias=False)
        for linear in (self.gate_input, self.gate_rest):
            nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(self.gate_input.bias)

    def scales(self, gate: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """p_t of the target's part and q_t of the source's (N, H), from z_t (N, H); None: one."""
        raise NotImplementedError

    def project(self, embedded: Tensor) -> Tensor:
        return torch.cat((super().project(embedded), self.gate_input(embedded)), dim=-1)

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        assert self.cell.context is not None
        context, from_source, weights = self.look(state, encoded)
        if from_source is None:
            from_source = recurrence.linear(context, self.cell.context.weight)
        size = state.top.size(-1)
        from_target, gate = projected.split((projected.size(-1) - size, size), dim=-1)
        rest = recurrence.linear(torch.cat((state.top, context), dim=-1), self.gate_rest.weight)
        target_scale, source_scale = self.scales(torch.sigmoid(gate + rest))
        if target_scale is not None:
            from_target = from_target * target_scale.repeat(1, self.cell.gates)
        if source_scale is not None:
            from_source = from_source * source_scale.repeat(1, self.cell.gates)
        state = self.cell(from_target + from_source, state, scale=target_scale)
        return FusionStep(torch.cat((state.top, context), dim=-1), state, weights)


@register("gated_source")
class GatedSource(Gated):
    """The gate scales the source: p_t = 1, q_t = z_t (see `Gated`)."""

    def scales(self, gate: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return None, gate


@register("gated_target")
class GatedTarget(Gated):
    """The gate scales the target: p_t = z_t, q_t = 1 (see `Gated`)."""

    def scales(self, gate: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return gate, None


@register("gated_both")
class GatedBoth(Gated):
    """The gate scales both, one at the other's expense: p_t = 1 - z_t, q_t = z_t (see `Gated`)."""

    def scales(self, gate: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return 1.0 - gate, gate
