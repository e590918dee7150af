"""A trained model as search uses it: products in bf16 where asked for, candidates compared in fp32."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from softalign.models.seq2seq import Seq2Seq
from softalign.precision import resolved_precision


class WideOutput(nn.Linear):
    """An output layer that computes in the type of its weights, whatever comes in."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer.in_features, layer.out_features, device="meta")
        self.weight, self.bias = layer.weight, layer.bias  # the same, not copies

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.to(self.weight.dtype))


def searcher(model: Seq2Seq, precision: str) -> Seq2Seq:
    """The model itself for fp32; for bf16 a copy with everything before the output layer in bf16. `precision` is fp32,
    bf16 or auto, which goes by the model's device (`decoding.precision`).

    Logits of 8 significant bits tie, and a search among equals takes any of them; so the output layer, which is shared
    with `model`, and the softmax stay in fp32. (A pointer's gate and the weights that it copies by are in bf16.)
    Likelihoods and attention weights are to be asked of `model`.
    """
    if resolved_precision(precision, next(model.parameters()).device) == "fp32":
        return model
    narrow = copy.deepcopy(model).to(torch.bfloat16).eval()
    narrow.decoder.readout.output = WideOutput(model.decoder.readout.output)
    return narrow
