"""The readout: from what a decoder's step leaves to the distribution of the next token, and its loss.

Notation: ... any leading dimensions, n target tokens, F feature size, E embedding size, S source length, V target
vocabulary.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models.dropout import Dropout
from softalign.models.loss import OutputLayer, SequenceLoss, sequence_loss


class Seen(NamedTuple):
    """What a readout may look at."""

    features: Tensor  # (..., F), of the fusion's step
    embedded: Tensor  # (..., E), the token before
    weights: Tensor | None = None  # (..., S) attention, for a readout that copies
    source: Tensor | None = None  # (..., S) source ids, for a readout that copies


class Readout(nn.Module):
    """p(y_t) = softmax(U dropout(tanh(W [features_t; x_t] + b)) + u); W leads to the embedding size, so that U can be
    tied (a deep output: Pascanu et al. 2014). Without it p(y_t) = softmax(U [features_t; x_t] + u)."""

    copies: ClassVar[bool] = False  # looks at weights and source

    def __init__(self, config: ModelConfig, feature_size: int, vocabulary: int) -> None:
        super().__init__()
        seen = feature_size + config.embedding_size
        self.hidden = nn.Linear(seen, config.embedding_size) if config.deep_output else None
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(config.embedding_size if config.deep_output else seen, vocabulary)
        for linear in (self.hidden, self.output):
            if linear is None:
                continue
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def before_output(self, seen: Seen) -> Tensor:
        """All but the output layer: (..., E), or (..., F + E) without a deep output."""
        features = torch.cat((seen.features, seen.embedded), dim=-1)
        return features if self.hidden is None else self.dropout(torch.tanh(self.hidden(features)))

    def forward(self, seen: Seen) -> Tensor:
        """Logits (..., V) of the vocabulary."""
        return self.output(self.before_output(seen))

    def log_probabilities(self, seen: Seen) -> Tensor:
        """log p(y_t) of every token, (..., V)."""
        return F.log_softmax(_wide(self(seen)), dim=-1)

    def loss(self, seen: Seen, output: OutputLayer, targets: Tensor, smoothing: float) -> SequenceLoss:
        """The loss of targets (n,), summed; `output` is the output layer as the loss sees it."""
        return sequence_loss(self.before_output(seen), output, targets, smoothing)

    def negative_log_likelihood(self, seen: Seen, targets: Tensor) -> Tensor:
        """-log p(y_t) of targets (n,), in nats: (n,)."""
        return F.cross_entropy(self(seen), targets, reduction="none")


class PointerReadout(Readout):
    """The pointer-generator's mixture (See et al. 2017, equations 8 and 9):

    p(y) = g softmax(U ... + u)_y + (1 - g) Σ_{i: x_i = y} α_ti, with g = σ(w [features_t; x_t] + b).
    Source and target ids must mean the same. There is no extended vocabulary: with words for tokens those unknown have
    one id, and none is copied as itself. Label smoothing ε is that of the vocabulary's part alone.
    """

    copies = True

    def __init__(self, config: ModelConfig, feature_size: int, vocabulary: int) -> None:
        super().__init__(config, feature_size, vocabulary)
        self.generate = nn.Linear(feature_size + config.embedding_size, 1)
        nn.init.xavier_uniform_(self.generate.weight)
        nn.init.zeros_(self.generate.bias)

    def log_probabilities(self, seen: Seen) -> Tensor:
        generated, copied = self._log_gates(seen)
        probabilities = (F.log_softmax(_wide(self(seen)), dim=-1) + generated).exp()
        assert seen.weights is not None and seen.source is not None
        copies = seen.weights.to(probabilities.dtype) * copied.exp()
        return _log(probabilities.scatter_add(-1, seen.source.expand_as(copies), copies))

    def loss(self, seen: Seen, output: OutputLayer, targets: Tensor, smoothing: float) -> SequenceLoss:
        logits = _wide(self(seen))
        losses = self._losses(seen, logits, targets)
        objective = losses.sum()
        if smoothing:
            spread = (logits.logsumexp(dim=-1) - logits.mean(dim=-1)).sum()  # -log p, averaged over the vocabulary
            objective = (1.0 - smoothing) * objective + smoothing * spread
        return SequenceLoss(objective, losses.detach().sum(), targets.numel())

    def negative_log_likelihood(self, seen: Seen, targets: Tensor) -> Tensor:
        return self._losses(seen, _wide(self(seen)), targets)

    def _losses(self, seen: Seen, logits: Tensor, targets: Tensor) -> Tensor:
        """-log p(y_t) (n,)."""
        generated, copied = (gate.squeeze(-1) for gate in self._log_gates(seen))
        assert seen.weights is not None and seen.source is not None
        at_target = (seen.weights * (seen.source == targets.unsqueeze(-1))).sum(dim=-1)
        from_vocabulary = -F.cross_entropy(logits, targets, reduction="none")
        return -torch.logaddexp(from_vocabulary + generated, _log(at_target) + copied)

    def _log_gates(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """log g and log (1 - g), each (..., 1)."""
        logit = self.generate(torch.cat((seen.features, seen.embedded), dim=-1))
        return F.logsigmoid(logit), F.logsigmoid(-logit)


def _wide(logits: Tensor) -> Tensor:
    """In fp32 at least: autocast leaves them in bf16, too coarse for sums over a vocabulary."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _log(probabilities: Tensor) -> Tensor:
    """log p, where p may be zero: finite, and without a gradient there."""
    return probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()
