"""The training objective and the likelihood that perplexity is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class SequenceLoss:
    """Sums over target tokens, end of sentence counted, padding not; divide by `tokens` for a mean."""

    objective: Tensor  # () what training minimises, label smoothing included
    nll: Tensor  # () negative log-likelihood in nats, without smoothing and without a gradient
    tokens: int


def sequence_loss(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> SequenceLoss:
    """Cross-entropy of logits (N, V) against N target ids; flatten a batch to its real tokens first.

    With label smoothing ε (Szegedy et al. 2016) the target distribution is (1-ε) on the target plus ε/V everywhere.
    """
    objective = F.cross_entropy(logits, targets, reduction="sum", label_smoothing=label_smoothing)
    nll = objective if label_smoothing == 0.0 else F.cross_entropy(logits.detach(), targets, reduction="sum")
    return SequenceLoss(objective, nll.detach(), targets.numel())
