"""Arms whose attention comes after the recurrence: nothing of the context is fed back."""

from __future__ import annotations

from torch import Tensor

from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.base import Attending, FusionStep, Unrolled


class After(Attending):
    """h_t = cell(x_t, h_{t-1}); e_ti = score(h_t, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i.

    The readout sees fuse(c_t, h_t). The states do not depend on the attention, so that all of them are computed first,
    and all queries are then scored at once.
    """

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        """What the readout sees, (..., F), of contexts (..., M) and hidden states (..., H)."""
        raise NotImplementedError

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        state = self.cell(projected, state)
        context, weights = self.attend(state.top, encoded)
        return FusionStep(self.fuse(context, state.top), state, weights)

    def unroll(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> Unrolled:
        if not self._is_of_step("unroll", "project"):
            return super().unroll(embedded, state, encoded)
        hidden = self.cell.unroll(embedded, state)  # (B, T, H)
        assert encoded.keys is not None
        context, weights = self.attention(hidden, encoded.keys, encoded.memory, encoded.padding)
        return Unrolled(self.fuse(context, hidden), weights)
