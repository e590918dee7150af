"""The arms in plain PyTorch: what one would write without softalign, on the same weights, and not made slow on purpose.

torch's own kernels wherever the whole sequence is known, a Python loop of modules and functions where it is not, logits
and cross-entropy over the whole batch. Sequences are not packed: on a CPU that makes the backward pass slower.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softalign.data.batching import Batch
from softalign.data.tokenizer import PAD
from softalign.models.cells import State, run_kernel
from softalign.models.encoder import EncoderLayer, EncoderOutput
from softalign.models.fusion import Fusion
from softalign.models.fusion.vanilla import Vanilla
from softalign.models.seq2seq import Seq2Seq


class PlainSeq2Seq(nn.Module):
    """The loss of `model`'s weights, computed plainly. Built for one layer; shares the parameters of `model`."""

    def __init__(self, model: Seq2Seq, dropout: float) -> None:
        super().__init__()
        self.model = model
        self.dropout = nn.Dropout(dropout)
        self.unroll: Unroll = vanilla if type(model.decoder.fusion) is Vanilla else step_by_step

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy summed over the batch's target tokens."""
        decoder = self.model.decoder
        encoded = self.encode(batch)
        embedded = self.dropout(decoder.embedding(batch.target_in))  # (B, T, E)
        features = self.unroll(decoder.fusion, embedded, decoder.start(encoded), encoded)
        readout = decoder.readout
        seen = torch.cat((features, embedded), dim=-1)
        hidden = seen if readout.hidden is None else self.dropout(torch.tanh(readout.hidden(seen)))
        logits = readout.output(hidden)  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), batch.target_out.flatten(), ignore_index=PAD, reduction="sum")

    def encode(self, batch: Batch) -> EncoderOutput:
        """A bidirectional layer over the source: forwards, and backwards over the reversed sentences."""
        (layer,) = self.model.encoder.layers
        assert isinstance(layer, EncoderLayer) and layer.right_to_left is not None
        lengths = batch.source_lengths
        embedded = self.dropout(self.model.encoder.embedding(batch.source))  # (B, S, E)
        device = batch.source.device
        lengths = lengths.to(device)
        positions = torch.arange(batch.source.size(1), device=device)
        mask = positions < lengths.unsqueeze(1)
        reversal = torch.where(mask, lengths.unsqueeze(1) - 1 - positions, positions)  # (B, S), its own inverse
        rows = torch.arange(len(batch), device=device).unsqueeze(1)
        forward, _ = layer.left_to_right(embedded)
        backward, _ = layer.right_to_left(embedded[rows, reversal])
        last = rows.squeeze(1), lengths - 1
        final = torch.cat((forward[last], backward[last]), dim=-1)
        memory = torch.cat((forward, backward[rows, reversal]), dim=-1).masked_fill(~mask.unsqueeze(2), 0.0)
        padding = torch.zeros(mask.shape, device=device).masked_fill(~mask, -torch.inf).unsqueeze(1)
        encoded = EncoderOutput(batch.source, memory, mask, padding, final.unsqueeze(0))
        return encoded.with_keys(self.model.decoder.fusion.prepare(memory))


Unroll = Callable[[Fusion, Tensor, State, EncoderOutput], Tensor]


def vanilla(fusion: Fusion, embedded: Tensor, state: State, encoded: EncoderOutput) -> Tensor:
    """No attention: torch's kernel over the whole target at once."""
    return run_kernel(fusion.cell.kernel, embedded, state)


def step_by_step(fusion: Fusion, embedded: Tensor, state: State, encoded: EncoderOutput) -> Tensor:
    """The loop over the target; the inputs' product is made once for all steps."""
    return fusion.unroll_plainly(embedded, state, encoded).features
