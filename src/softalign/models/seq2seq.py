"""The one model of every arm: encoder, decoder, and the fusion that `ModelConfig.fusion` names.

Notation: B batch, N rows of decoder state, S source length, T target length, E embedding size, V target vocabulary.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.data.tokenizer import PAD
from softalign.models.cells import State
from softalign.models.decoder import Decoder
from softalign.models.encoder import Encoder, EncoderOutput
from softalign.models.fusion import Unrolled
from softalign.models.loss import OutputLayer, SequenceLoss
from softalign.models.options import check_model, check_vocabulary
from softalign.models.readout import Seen

if TYPE_CHECKING:
    from softalign.data.batching import Batch


class Seq2Seq(nn.Module):
    """p(y | x) = Π_t p(y_t | y_<t, x), with a recurrent encoder and a recurrent decoder.

    Raises `UserError` for a configuration that cannot be built.
    """

    def __init__(
        self, config: ModelConfig, source_vocabulary: int, target_vocabulary: int, shared_vocabulary: bool = False
    ) -> None:
        super().__init__()
        check_model(config)
        check_vocabulary(config, shared_vocabulary)
        source = _embedding(source_vocabulary, config.embedding_size)
        target = _embedding(target_vocabulary, config.embedding_size)
        if config.tie_embeddings and shared_vocabulary:
            source = target
        self.encoder = Encoder(config, source)
        self.decoder = Decoder(config, target)
        if config.tie_embeddings:
            self.decoder.readout.output.weight = target.weight

    def encode(self, source: Tensor, source_lengths: Tensor) -> EncoderOutput:
        """Encode source ids (B, S) of these lengths (B,)."""
        encoded = self.encoder(source, source_lengths)
        return encoded.with_keys(self.decoder.fusion.prepare(encoded.memory))

    def start(self, encoded: EncoderOutput) -> State:
        """The decoder's state before the first token, one row per sentence."""
        return self.decoder.start(encoded)

    def step(self, tokens: Tensor, state: State, encoded: EncoderOutput) -> tuple[Tensor, State, Tensor | None]:
        """One step of free decoding.

        Args: tokens (N,), the last ones; state with N rows, N = B * Q, the Q rows of a sentence side by side.
        Returns: log-probabilities (N, V) of the next token, the new state, weights (N, S) or None without attention.
        """
        embedded = self.decoder.embed(tokens)
        features, state, weights = self.decoder.step(embedded, state, encoded)
        seen = Seen(features, embedded)
        if self.decoder.readout.copies:
            seen = Seen(
                features, embedded, weights, encoded.source.repeat_interleave(len(tokens) // len(encoded.source), 0)
            )
        return self.decoder.readout.log_probabilities(seen), state, weights

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Teacher forced: log-probabilities (B, T, V), and weights (B, T, S) or None without attention."""
        encoded = self.encode(batch.source, batch.source_lengths)
        embedded = self.decoder.embed(batch.target_in)
        unrolled = self.decoder.unroll(embedded, encoded)
        seen = Seen(unrolled.features, embedded, unrolled.weights, encoded.source.unsqueeze(1))
        return self.decoder.readout.log_probabilities(seen), unrolled.weights

    def attend(self, encoded: EncoderOutput, target_in: Tensor) -> Tensor | None:
        """Teacher forced attention weights (B, T, S) over BOS y_1 .. y_n (B, T); None where the arm does not attend."""
        return self.decoder.unroll(self.decoder.embed(target_in), encoded).weights

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> SequenceLoss:
        """Teacher forced loss, summed over the batch's real target tokens; padding never reaches the readout."""
        layer = self.decoder.readout.output
        output = OutputLayer(layer.weight, layer.bias)  # before all else, so that its gradient comes last
        tokens, unrolled = self._tokens(batch)
        summed = self.decoder.readout.loss(tokens.seen, output, tokens.targets, label_smoothing)
        penalty = self.decoder.fusion.penalty(unrolled, batch.target_mask)
        return summed if penalty is None else replace(summed, objective=summed.objective + penalty)

    def negative_log_likelihood(self, batch: Batch) -> Tensor:
        """-log p(y | x) of each row (B,), in nats, summed over its target tokens, end of sentence counted."""
        tokens, _ = self._tokens(batch)
        losses = self.decoder.readout.negative_log_likelihood(tokens.seen, tokens.targets)
        return losses.new_zeros(batch.target_out.size(0)).index_add_(0, tokens.rows, losses)

    def _tokens(self, batch: Batch) -> tuple[_Tokens, Unrolled]:
        """The target positions that are not padding, in the order of the steps."""
        encoded = self.encode(batch.source, batch.source_lengths)
        embedded = self.decoder.embed(batch.target_in.t())  # (T, B, E)
        unrolled = self.decoder.unroll(embedded.transpose(0, 1), encoded)
        targets = batch.target_out.t().flatten()
        real = (targets != PAD).nonzero().squeeze(1)
        rows = real % batch.target_out.size(0)

        def of_real(parts: Tensor) -> Tensor:
            return parts.flatten(0, 1).index_select(0, real)

        seen = Seen(of_real(unrolled.features.transpose(0, 1)), of_real(embedded))
        if self.decoder.readout.copies:
            assert unrolled.weights is not None
            seen = seen._replace(weights=of_real(unrolled.weights.transpose(0, 1)), source=encoded.source[rows])
        return _Tokens(seen, targets[real], rows), unrolled


class _Tokens(NamedTuple):
    """Target tokens, n of them."""

    seen: Seen  # (n, ...)
    targets: Tensor  # (n,) ids
    rows: Tensor  # (n,), the batch's row of each


def _embedding(vocabulary: int, size: int) -> nn.Embedding:
    """Vectors of length 2 on average: half and twice that learned more slowly on both embedded corpora."""
    embedding = nn.Embedding(vocabulary, size, padding_idx=PAD)
    nn.init.normal_(embedding.weight, std=2.0 * size**-0.5)
    nn.init.zeros_(embedding.weight.data[PAD])
    return embedding
