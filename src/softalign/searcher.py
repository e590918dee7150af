"""A trained model as search uses it: products in bf16 where asked for, candidates compared in fp32."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from softalign.hardware.precision import resolved_precision
from softalign.models.packed import packed
from softalign.models.seq2seq import Seq2Seq


class FixedOutput(nn.Linear):
    """An output layer that is not trained any more, in the type of its weights, whatever comes in. Weights that are
    changed in their place are not noticed."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer.in_features, layer.out_features, device="meta")
        self.weight, self.bias = layer.weight, layer.bias  # the same, not copies
        self._packed = packed(layer.weight)

    def _apply(self, *arguments: Any, **named: Any) -> FixedOutput:  # .to(...), .double(): the weights are others
        super()._apply(*arguments, **named)
        self._packed = packed(self.weight)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_packed": None}  # which cannot be copied

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._packed = packed(self.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        inputs = inputs.to(self.weight.dtype)
        return super().forward(inputs) if self._packed is None else self._packed(inputs, self.bias)


def searcher(model: Seq2Seq, precision: str) -> Seq2Seq:
    """A copy of the trained model with an output layer that multiplies as fast as it can: in fp32 with the weights of
    the model, in bf16 with everything before the output layer in bf16. `precision` is fp32, bf16 or auto, which goes by
    the model's device (`decoding.precision`).

    Logits of 8 significant bits tie, and a search among equals takes any of them; so the output layer, which is shared
    with `model`, and the softmax stay in fp32. (A pointer's gate and the weights that it copies by are in bf16.)
    Likelihoods and attention weights are to be asked of `model`.
    """
    output = model.decoder.readout.output
    if resolved_precision(precision, next(model.parameters()).device) == "fp32":
        made = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    else:
        made = copy.deepcopy(model).to(torch.bfloat16)
    made.decoder.readout.output = FixedOutput(output)
    return made.eval()
