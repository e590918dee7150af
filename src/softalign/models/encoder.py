"""The encoder: source tokens to a memory, one vector per token, and a final state per layer.

Notation: B batch, S source length, E embedding size, M memory size (both directions together), L layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models.cells import recurrent_kernel, run_kernel
from softalign.models.options import memory_size


@dataclass(frozen=True)
class EncoderOutput:
    """A batch of encoded sources, in the order of the source whatever the encoder's reading order."""

    source: Tensor  # (B, S) int64 token ids
    memory: Tensor  # (B, S, M); zeros on padding
    mask: Tensor  # (B, S) bool, True on tokens
    padding: Tensor  # (B, 1, S): 0 on tokens, -inf on padding; added to attention scores
    final: Tensor  # (L, B, M): each layer's hidden state after the last token it reads, both directions
    keys: Tensor | None = None  # (B, S, K): the memory as the arm's attention scores it

    def with_keys(self, keys: Tensor | None) -> EncoderOutput:
        """The same with the keys of an attention."""
        return replace(self, keys=keys)

    def select(self, sentences: Tensor) -> EncoderOutput:
        """The sentences of these indices (B',), in this order."""
        return replace(
            self,
            source=self.source[sentences],
            memory=self.memory[sentences],
            mask=self.mask[sentences],
            padding=self.padding[sentences],
            final=self.final[:, sentences],
            keys=None if self.keys is None else self.keys[sentences],
        )


class EncoderLayer(nn.Module):
    """One recurrent layer, in one direction or in both, on sentences laid out as rows of B * S tokens.

    Each direction reads a sentence's tokens first and the padding after them, so that padding changes nothing. (Packed
    sequences would do the same, but on a CPU their backward pass takes time quadratic in S.)
    """

    def __init__(self, config: ModelConfig, input_size: int) -> None:
        super().__init__()
        size = memory_size(config) // (2 if config.bidirectional else 1)
        self.left_to_right = recurrent_kernel(config, input_size, size, layers=1)
        self.right_to_left = recurrent_kernel(config, input_size, size, layers=1) if config.bidirectional else None

    def forward(self, inputs: Tensor, batch: int, reversal: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (B * S, M) and final states (B, M) of inputs (B * S, I); see `Encoder` for the two indices."""
        outputs = self._read(self.left_to_right, inputs, batch)
        final = outputs[last]
        if self.right_to_left is None:
            return outputs, final
        backward = self._read(self.right_to_left, inputs[reversal], batch)
        return torch.cat((outputs, backward[reversal]), dim=-1), torch.cat((final, backward[last]), dim=-1)

    @staticmethod
    def _read(kernel: nn.RNNBase, inputs: Tensor, batch: int) -> Tensor:
        return run_kernel(kernel, inputs.view(batch, -1, inputs.size(-1))).reshape(inputs.size(0), -1)


class Encoder(nn.Module):
    """A stack of recurrent layers over the source; with `reverse_source` (Sutskever et al. 2014) last token first.

    A token's vector depends neither on how much padding follows it nor on the other rows.
    """

    def __init__(self, config: ModelConfig, embedding: nn.Embedding) -> None:
        super().__init__()
        self.reverse_source = config.reverse_source
        self.embedding = embedding
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(config, memory_size(config) if depth else config.embedding_size)
            for depth in range(config.layers)
        )

    def forward(self, source: Tensor, source_lengths: Tensor) -> EncoderOutput:
        """Encode source ids (B, S) of these lengths (B,), none of them zero."""
        batch, length = source.shape
        lengths = source_lengths.to(source.device).unsqueeze(1)
        positions = torch.arange(length, device=source.device)
        mask = positions < lengths
        # Indices into the B * S tokens. One turns each sentence round and leaves its padding; it is its own inverse.
        first = torch.arange(batch, device=source.device).unsqueeze(1) * length
        reversal = (first + torch.where(mask, lengths - 1 - positions, positions)).view(-1)
        last = (first + lengths - 1).view(-1)

        outputs = self.dropout(self.embedding(source)).view(batch * length, -1)
        if self.reverse_source:
            outputs = outputs[reversal]
        finals = []
        for depth, layer in enumerate(self.layers):
            outputs, final = layer(self.dropout(outputs) if depth else outputs, batch, reversal, last)
            finals.append(final)
        if self.reverse_source:
            outputs = outputs[reversal]

        memory = outputs.view(batch, length, -1).masked_fill(~mask.unsqueeze(2), 0.0)
        padding = torch.zeros(batch, 1, length, dtype=memory.dtype, device=memory.device)
        padding = padding.masked_fill(~mask.unsqueeze(1), -math.inf)
        return EncoderOutput(source, memory, mask, padding, torch.stack(finals))
