"""The product of context and state, and its ablations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion.after import After
from softalign.models.fusion.base import register
from softalign.models.fusion.fed_back import FedBack, Fuse
from softalign.models.options import memory_size


@register("multiply")
class Multiply(FedBack):
    """The fusion as first written down for this project: h̃_t = c_t ⊙ ĥ_t, fed back (see `FedBack`).

    Needs M = H; with the score `dot` it has the parameters of `vanilla` and no more.
    """

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return context * hidden

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        return self.loop_of(_Product(), unroll, encoded)


@register("multiply_output")
class MultiplyOutput(After):
    """The product without feedback: the readout sees c_t ⊙ h_t, and h_t goes on in the recurrence (see `After`).

    Ablation of `multiply`, of this project. Needs M = H; adds no parameter.
    """

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return context * hidden


@register("multiply_residual")
class MultiplyResidual(FedBack):
    """h̃_t = ĥ_t ⊙ (1 + c_t), fed back (see `FedBack`): the state stays where the context is near zero.

    Stabilised form of `multiply`, of this project. Needs M = H; adds no parameter.
    """

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return torch.addcmul(hidden, context, hidden)

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        return self.loop_of(_Residual(), unroll, encoded)


@register("multiply_gate")
class MultiplyGate(FedBack):
    """h̃_t = ĥ_t ⊙ σ(W c_t), fed back (see `FedBack`): the context opens and closes the entries of the state.

    Stabilised form of `multiply`, of this project.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.gate = nn.Linear(memory_size(config), config.hidden_size, bias=False)
        nn.init.xavier_uniform_(self.gate.weight)

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return hidden * torch.sigmoid(recurrence.linear(context, self.gate.weight))

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        return self.loop_of(_Gate(unroll.weight(self.gate.weight)), unroll, encoded)


@register("multiply_norm")
class MultiplyNorm(FedBack):
    """h̃_t = LayerNorm(c_t ⊙ ĥ_t), fed back (see `FedBack`): the product's size is set right at each step.

    Stabilised form of `multiply`, of this project; the normalisation is that of Ba et al. 2016, with gain and bias.
    Needs M = H.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.norm = nn.LayerNorm(config.hidden_size)

    def fuse(self, context: Tensor, hidden: Tensor) -> Tensor:
        return self.norm(context * hidden)

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        fuse = unroll.once(id(self.norm), lambda: _NormedProduct(self.norm, recurrence.autocast_dtype(encoded.memory)))
        return self.loop_of(fuse, unroll, encoded)


class _Product(Fuse):
    def forward(self, context: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        return context * hidden, []

    def backward(
        self, to_fused: Tensor, context: Tensor, hidden: Tensor, fused: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        return to_fused * hidden, to_fused * context


class _Residual(Fuse):
    def forward(self, context: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        return torch.addcmul(hidden, context, hidden), []

    def backward(
        self, to_fused: Tensor, context: Tensor, hidden: Tensor, fused: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        return to_fused * hidden, torch.addcmul(to_fused, to_fused, context)


class _Gate(Fuse):
    def __init__(self, weight: recurrence.Weight) -> None:
        self.weight = weight
        self.anchors = (weight.anchor,)

    def forward(self, context: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        gate = self.weight.apply(context).sigmoid_()
        return hidden * gate, [gate]

    def backward(
        self, to_fused: Tensor, context: Tensor, hidden: Tensor, fused: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        (gate,) = kept
        to_sum = torch.ops.aten.sigmoid_backward(to_fused * hidden, gate)
        return self.weight.backward(context, to_sum), to_fused * gate


class _NormedProduct(Fuse, recurrence.Shared):
    """Of the gain and the bias, which every step reads."""

    count = 2

    def __init__(self, norm: nn.LayerNorm, dtype: torch.dtype | None) -> None:
        self.gain, self.bias = (part.detach().to(dtype or part.dtype) for part in (norm.weight, norm.bias))
        self.eps = norm.eps
        recurrence.Shared.__init__(self, norm.weight, norm.bias)
        self.anchors = (self.anchor,)

    def forward(self, context: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        product = context * hidden
        fused, mean, scale = torch.native_layer_norm(product, self.gain.shape, self.gain, self.bias, self.eps)
        return fused, [product, mean, scale]

    def backward(
        self, to_fused: Tensor, context: Tensor, hidden: Tensor, fused: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        product, mean, scale = kept
        to_product, to_gain, to_bias = torch.ops.aten.native_layer_norm_backward(
            to_fused, product, self.gain.shape, mean, scale, self.gain, self.bias, [True, True, True]
        )
        self.add(to_gain, to_bias)
        return to_product * hidden, to_product * context

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        ((to_gain,), (to_bias,)) = notes
        return to_gain, to_bias
