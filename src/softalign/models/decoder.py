"""The decoder: bridge from the encoder, recurrence with its fusion, readout. The arms differ in the fusion alone.

Notation: B batch, N rows of decoder state, T target length, E embedding size, H hidden size, M memory size, L layers,
V target vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models.capture import CapturedUnroll
from softalign.models.cells import State
from softalign.models.dropout import Dropout
from softalign.models.encoder import EncoderOutput
from softalign.models.fusion import FUSIONS, FusionStep, Unrolled
from softalign.models.options import memory_size


class Bridge(nn.Module):
    """The decoder's first state s_l = tanh(W_l f_l + b_l), f_l the encoder's last hidden state of layer l.

    The same in every arm. An LSTM's memory cell gets its own W_l and b_l, on the same f_l.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.hidden = self._linears(config)
        self.cells = self._linears(config) if config.cell == "lstm" else nn.ModuleList()

    @staticmethod
    def _linears(config: ModelConfig) -> nn.ModuleList:
        linears = nn.ModuleList(nn.Linear(memory_size(config), config.hidden_size) for _ in range(config.layers))
        for name, parameter in linears.named_parameters():
            nn.init.zeros_(parameter) if "bias" in name else nn.init.xavier_uniform_(parameter)
        return linears

    def forward(self, final: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Final states (L, B, M) to hidden states and memory cells, each L of (B, H)."""
        hidden = tuple(torch.tanh(linear(state)) for linear, state in zip(self.hidden, final, strict=True))
        return hidden, tuple(torch.tanh(linear(state)) for linear, state in zip(self.cells, final, strict=False))


class Decoder(nn.Module):
    """Target tokens, and an encoded source, to features and logits."""

    def __init__(self, config: ModelConfig, embedding: nn.Embedding) -> None:
        super().__init__()
        arm = FUSIONS[config.fusion]
        self.embedding = embedding
        self.dropout = Dropout(config.dropout)
        self.bridge = Bridge(config)
        self.fusion = arm(config)
        self.captured: CapturedUnroll | None = None  # on a GPU, where `trainer.cuda_graphs` asks for it
        self.readout = arm.readout_class(config, arm.feature_size(config), embedding.num_embeddings)

    def embed(self, tokens: Tensor) -> Tensor:
        """x: (...) ids -> (..., E)."""
        return self.dropout(self.embedding(tokens))

    def start(self, encoded: EncoderOutput) -> State:
        """The state before the first token, one row per sentence."""
        hidden, cells = self.bridge(encoded.final)
        return self.fusion.start(hidden, cells, encoded)

    def unroll(self, embedded: Tensor, encoded: EncoderOutput) -> Unrolled:
        """Teacher forced: all steps over embedded targets (B, T, E)."""
        if self.captured is not None:
            return self.captured(embedded, self.start, encoded)
        return self.fusion.unroll(embedded, self.start(encoded), encoded)

    def step(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        """One step over embedded tokens (N, E)."""
        return self.fusion.step(self.fusion.project(embedded), state, encoded)
