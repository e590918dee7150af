"""Arms that feed the fused state back into the recurrence, in place of the cell's own."""

from __future__ import annotations

from torch import Tensor

from softalign.models import recurrence
from softalign.models.cells import State
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.base import Attending, FusionStep
from softalign.models.recurrence import Given, Layer, Loop, Past, Read, ToGiven


class FedBack(Attending):
    """ĥ_t = cell(x_t, h̃_{t-1}); e_ti = score(ĥ_t, m_i); α_t = softmax_i(e_ti); c_t = Σ_i α_ti m_i;
    h̃_t = fuse(c_t, ĥ_t), which replaces the top layer's hidden state and is what the readout sees.

    With several layers ĥ_t = ĥ^L_t = cell^L(h^{L-1}_t, h̃_{t-1}), and the layers below go on from states of their own,
    h^l_t = cell^l(h^{l-1}_t, h^l_{t-1}). An LSTM's memory cells stay as the cell left them.

    A subclass gives `fuse`, and beside it `loop` with the derivative, where it is to run on the fast path as a whole.
    """

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        """h̃ (N, H) of contexts (N, M) and hidden states (N, H)."""
        raise NotImplementedError

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        state = self.cell(projected, state)
        context, weights = self.attend(state.top, encoded)
        fused = self.fuse(context, state.top)
        return FusionStep(fused, state.with_top(fused), weights)

    def loop_of(self, fuse: Fuse, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        """The whole loop with the derivative of `fuse`; None where the score has none."""
        read = self._read(unroll, encoded)
        return None if read is None else FedBackLoop(self.cell.fast_layer(unroll, 0), read, fuse)


class Fuse:
    """h̃ = fuse(c, ĥ) and its derivative, on the fast path."""

    anchors: tuple[Tensor, ...] = ()  # of the weights that it shares between steps: see recurrence.Shared

    def forward(self, context: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        """h̃ (B, H) and tensors to keep."""
        raise NotImplementedError

    def backward(
        self, to_fused: Tensor, context: Tensor, hidden: Tensor, fused: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """to_c (B, M) and to_ĥ (B, H)."""
        raise NotImplementedError


class FedBackLoop(Loop):
    """The step of `FedBack` and its derivative."""

    def __init__(self, layer: Layer, read: Read, fuse: Fuse) -> None:
        super().__init__(layer, read)
        self.fuse = fuse
        self.anchors += fuse.anchors
        self.feature_size = layer.recurrent.value.size(-1)

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Given, list[Tensor]]:
        plain, cell, kept = self.layer.forward(gates, hidden, cell)
        context, weights, kept_by_read = self.read.forward(plain)
        fused, kept_by_fuse = self.fuse.forward(context, plain)
        return Given(fused, fused, cell, weights), [plain, context, fused, *kept, *kept_by_read, *kept_by_fuse]

    def backward(self, to: ToGiven, past: Past) -> tuple[Tensor, Tensor, Tensor | None]:
        plain, context, fused, *kept = past.kept
        to_layer = self.layer.n_kept
        to_read = to_layer + self.read.score.n_kept
        to_fused = to.features if to.hidden is None else to.features + to.hidden
        to_context, to_plain = self.fuse.backward(to_fused, context, plain, fused, kept[to_read:])
        to_query = self.read.backward(to_context, to.weights, plain, past.weights, kept[to_layer:to_read])
        assert to_query is not None
        return self.layer.backward(to_plain.add_(to_query), to.cell, past.hidden, past.cell, kept[:to_layer])
