"""The encoder: source tokens to a memory, one vector per token, and a final state per layer.

Notation: B batch, S source length, E embedding size, M memory size (both directions together), L layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import transitions
from softalign.models.cells import CELLS, input_weight, recurrent_kernel, recurrent_weight, run_kernel
from softalign.models.dropout import Dropout
from softalign.models.options import memory_size
from softalign.models.recurrence import sequence, turn
from softalign.models.self_attention import SelfAttention


@dataclass(frozen=True)
class EncoderOutput:
    """A batch of encoded sources, in the order of the source whatever the encoder's reading order."""

    source: Tensor  # (B, S) int64 token ids
    memory: Tensor  # (B, S, M); zeros on padding
    mask: Tensor  # (B, S) bool, True on tokens
    padding: Tensor  # (B, 1, S): 0 on tokens, -inf on padding; added to attention scores
    final: Tensor  # (L, B, M): each layer's hidden state after the last token it reads, both directions
    keys: Tensor | None = None  # (B, S, K), or (B, heads, S, K): the memory as the arm's attention scores it
    values: Tensor | None = None  # (B, S, R): the memory as the arm reads it, where that is not the memory itself

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
            values=None if self.values is None else self.values[sentences],
        )


class EncoderLayer(nn.Module):
    """One recurrent layer, in one direction or in both, on sentences laid out as rows of S * B tokens, time first.

    Each direction reads a sentence's tokens first and the padding after them, so that padding changes nothing. (Packed
    sequences would do the same, but on a CPU their backward pass takes time quadratic in S.)
    """

    def __init__(self, config: ModelConfig, input_size: int) -> None:
        super().__init__()
        size = memory_size(config) // (2 if config.bidirectional else 1)
        self.cell = CELLS[config.cell]
        self.relu = config.activation == "relu"
        self.layer_norm = config.layer_norm
        self.left_to_right = recurrent_kernel(config, input_size, size, layers=1)
        self.right_to_left = recurrent_kernel(config, input_size, size, layers=1) if config.bidirectional else None
        self.transitions = nn.ModuleList(  # one a direction
            self.cell.transition_class(size, config.layer_norm, self.relu)
            for _ in range(2 if config.bidirectional else 1)
        )

    def forward(self, inputs: Tensor, batch: int, reversal: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (S * B, M) and final states (B, M) of inputs (S * B, I); see `Encoder` for the two indices."""
        kernels = [self.left_to_right] if self.right_to_left is None else [self.left_to_right, self.right_to_left]
        if self.layer_norm:
            read = self._read_step_by_step
        else:
            read = self._read_at_once if inputs.is_cpu else self._read_in_turn
        outputs = read(kernels, inputs, batch, reversal)
        final = torch.cat([direction[last] for direction in outputs], dim=-1)
        if len(outputs) > 1:
            outputs[1] = turn(outputs[1], reversal)
        return torch.cat(outputs, dim=-1), final

    def _read_at_once(self, kernels: list[nn.RNNBase], inputs: Tensor, batch: int, reversal: Tensor) -> list[Tensor]:
        """Each direction's outputs (S * B, H) in its reading order; both directions in one loop."""
        weights, biases = zip(*(input_weight(kernel, self.cell) for kernel in kernels), strict=True)
        gates = list(F.linear(inputs, torch.cat(weights), torch.cat(biases)).chunk(len(kernels), dim=-1))
        gates[1:] = [turn(backward, reversal) for backward in gates[1:]]
        recurrent, recurrent_biases = zip(*(recurrent_weight(kernel, self.cell) for kernel in kernels), strict=True)
        start = inputs.new_zeros(len(kernels), batch, kernels[0].hidden_size)
        outputs = sequence(
            self.cell.layer_class,
            torch.stack([direction.view(-1, batch, direction.size(-1)) for direction in gates], dim=1),
            start,
            start if self.cell.layer_class.carries_cell else None,
            torch.stack(recurrent),
            None if self.cell.recurrent_bias_joins else torch.stack(recurrent_biases),
            relu=self.relu,
        )
        return [direction.reshape(inputs.size(0), -1) for direction in outputs.unbind(1)]

    @staticmethod
    def _read_in_turn(kernels: list[nn.RNNBase], inputs: Tensor, batch: int, reversal: Tensor) -> list[Tensor]:
        """The same with torch's kernels, which are quicker on a GPU."""
        readings = [inputs, turn(inputs, reversal)][: len(kernels)]
        return [
            run_kernel(kernel, reading.view(-1, batch, reading.size(-1)).transpose(0, 1)).transpose(0, 1).flatten(0, 1)
            for kernel, reading in zip(kernels, readings, strict=True)
        ]

    def _read_step_by_step(
        self, kernels: list[nn.RNNBase], inputs: Tensor, batch: int, reversal: Tensor
    ) -> list[Tensor]:
        """The same with layer normalisation, which neither of them has."""
        readings = [inputs, turn(inputs, reversal)][: len(kernels)]
        outputs = []
        for kernel, transition, reading in zip(kernels, self.transitions, readings, strict=True):
            gates = F.linear(reading, *input_weight(kernel, self.cell))
            start = gates.new_zeros(batch, kernel.hidden_size)
            steps = gates.view(-1, batch, gates.size(-1))
            cell = start if self.cell.layer_class.carries_cell else None
            states = transitions.sequence(transition, steps, start, cell, *recurrent_weight(kernel, self.cell))
            outputs.append(states.flatten(0, 1))
        return outputs


class Encoder(nn.Module):
    """A stack of recurrent layers over the source; with `reverse_source` (Sutskever et al. 2014) last token first; with
    `self_attention` the memory then attends to itself, and the final states stay those of the recurrent layers.

    A token's vector depends neither on how much padding follows it nor on the other rows.
    """

    def __init__(self, config: ModelConfig, embedding: nn.Embedding) -> None:
        super().__init__()
        self.reverse_source = config.reverse_source
        self.embedding = embedding
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(config, memory_size(config) if depth else config.embedding_size)
            for depth in range(config.layers)
        )
        self.self_attention = (
            SelfAttention(memory_size(config), config.heads, config.dropout) if config.self_attention else None
        )

    def forward(self, source: Tensor, source_lengths: Tensor) -> EncoderOutput:
        """Encode source ids (B, S) of these lengths (B,), none of them zero."""
        batch, length = source.shape
        lengths = source_lengths.to(source.device).unsqueeze(1)
        positions = torch.arange(length, device=source.device)
        mask = positions < lengths
        # Indices into the S * B tokens. One turns each sentence round and leaves its padding; it is its own inverse.
        row = torch.arange(batch, device=source.device).unsqueeze(1)
        reversal = (torch.where(mask, lengths - 1 - positions, positions) * batch + row).t().reshape(-1)
        last = ((lengths - 1) * batch + row).view(-1)

        outputs = self.dropout(self.embedding(source.t())).view(length * batch, -1)
        if self.reverse_source:
            outputs = turn(outputs, reversal)
        finals = []
        for depth, layer in enumerate(self.layers):
            outputs, final = layer(self.dropout(outputs) if depth else outputs, batch, reversal, last)
            finals.append(final)
        if self.reverse_source:
            outputs = turn(outputs, reversal)

        memory = outputs.view(length, batch, -1).transpose(0, 1).contiguous().masked_fill(~mask.unsqueeze(2), 0.0)
        if self.self_attention is not None:
            memory = self.self_attention(memory, mask)
        padding = torch.zeros(batch, 1, length, dtype=memory.dtype, device=memory.device)
        padding = padding.masked_fill(~mask.unsqueeze(1), -math.inf)
        return EncoderOutput(source, memory, mask, padding, torch.stack(finals))
