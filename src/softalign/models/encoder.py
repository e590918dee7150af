"""The encoder: source tokens to a memory, one vector per token, and a final state per layer.

Notation: B batch, S source length, E embedding size, M memory size (both directions together), L layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from softalign.config import ModelConfig
from softalign.models.cells import recurrent_kernel
from softalign.models.options import memory_size


@dataclass(frozen=True)
class EncoderOutput:
    """A batch of encoded sources, in the order of the source whatever the encoder's reading order."""

    source: Tensor  # (B, S) int64 token ids
    memory: Tensor  # (B, S, M); zeros on padding
    mask: Tensor  # (B, S) bool, True on tokens
    padding: Tensor  # (B, 1, S): 0 on tokens, -inf on padding; added to attention scores
    final: tuple[Tensor, ...]  # (L, B, M): the last hidden states; of an LSTM also the last memory cells
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
            final=tuple(part[:, sentences] for part in self.final),
            keys=None if self.keys is None else self.keys[sentences],
        )


class Encoder(nn.Module):
    """A recurrent network over the source, in both directions where the configuration says so.

    Sequences are packed: a token's vector does not depend on how much padding follows it, nor on the other rows.
    With `reverse_source` (Sutskever et al. 2014) it reads the last token first.
    """

    def __init__(self, config: ModelConfig, embedding: nn.Embedding) -> None:
        super().__init__()
        directions = 2 if config.bidirectional else 1
        self.reverse_source = config.reverse_source
        self.embedding = embedding
        self.dropout = nn.Dropout(config.dropout)
        self.kernel = recurrent_kernel(
            config, config.embedding_size, memory_size(config) // directions, bidirectional=config.bidirectional
        )

    def forward(self, source: Tensor, source_lengths: Tensor) -> EncoderOutput:
        """Encode source ids (B, S) of these lengths (B,), on the CPU."""
        batch, length = source.shape
        positions = torch.arange(length, device=source.device)
        lengths = source_lengths.to(source.device).unsqueeze(1)
        mask = positions < lengths
        order = None
        if self.reverse_source:
            order = torch.where(mask, lengths - 1 - positions, positions)  # its own inverse
        reading = source if order is None else source.gather(1, order)
        packed = pack_padded_sequence(
            self.dropout(self.embedding(reading)), source_lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        outputs, final = self.kernel(packed)
        memory, _ = pad_packed_sequence(outputs, batch_first=True, total_length=length)  # (B, S, M)
        if order is not None:
            memory = memory.gather(1, order.unsqueeze(2).expand_as(memory))
        padding = torch.zeros(batch, 1, length, dtype=memory.dtype, device=memory.device)
        padding = padding.masked_fill(~mask.unsqueeze(1), -math.inf)
        parts = final if isinstance(final, tuple) else (final,)
        return EncoderOutput(source, memory, mask, padding, tuple(self._join_directions(part) for part in parts))

    def _join_directions(self, final: Tensor) -> Tensor:
        """(L * directions, B, M / directions) -> (L, B, M)."""
        directions = 2 if self.kernel.bidirectional else 1
        rows, batch, size = final.shape
        by_layer = final.view(rows // directions, directions, batch, size)
        return by_layer.transpose(1, 2).reshape(rows // directions, batch, directions * size)
