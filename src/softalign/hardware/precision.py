"""The number format of matrix products. In training, weights, sums and the optimizer stay in fp32; in search, the
output layer and the softmax (searcher.py)."""

from __future__ import annotations

from typing import Literal

import torch

from softalign.config import ModelConfig

LIGHTNING: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}
# Instructions that multiply bf16 numbers; a processor without them imitates them, many times slower than fp32.
CPU_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16")  # the last is Arm's name
FIRST_GPU = (8, 0)  # compute capability: the first generation of NVIDIA's that multiplies bf16
# Embedding size below which a CPU trains faster in fp32: sentences bring ever new shapes of products, and oneDNN makes
# code for each one of bf16 (docs/speed.md).
SMALLEST_EMBEDDING = 160


def training_precision(precision: str, device: torch.device, model: ModelConfig) -> str:
    """fp32 or bf16: what `trainer.precision` asks for; `auto` is bf16 where the device has it in hardware, and on a CPU
    where the model is large enough to gain from it."""
    # Its embedding, not its hidden size: that of a control with as many parameters is another than that of its arm, and
    # both have to train in the same format.
    if precision == "auto" and device.type == "cpu" and model.embedding_size < SMALLEST_EMBEDDING:
        return "fp32"
    return resolved_precision(precision, device)


def resolved_precision(precision: str, device: torch.device) -> str:
    """fp32 or bf16: what `decoding.precision` asks for; `auto` is bf16 where the device has it in hardware."""
    if precision != "auto":
        return precision
    return "bf16" if multiplies_bf16(device) else "fp32"


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for products of bf16 matrices."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= FIRST_GPU
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in CPU_INSTRUCTIONS)
    return False
