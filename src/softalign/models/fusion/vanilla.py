"""The control: no attention."""

from __future__ import annotations

from torch import Tensor

from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.base import Fusion, FusionStep, Unrolled, register


@register("vanilla")
class Vanilla(Fusion):
    """No attention: h_t = cell(x_t, h_{t-1}); the decoder sees the encoder's last state (Sutskever et al. 2014)."""

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        state = self.cell(projected, state)
        return FusionStep(state.top, state, None)

    def unroll(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> Unrolled:
        if not self._is_of_step("unroll", "project"):
            return super().unroll(embedded, state, encoded)
        return Unrolled(self.cell.unroll(embedded, state), None)
