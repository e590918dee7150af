"""Luong et al.'s attentional vector, which several arms compute."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import recurrence
from softalign.models.options import memory_size


class AttentionalVector(nn.Linear):
    """tanh(W [c; h]) (Luong et al. 2015, equation 5)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(memory_size(config) + config.hidden_size, config.hidden_size, bias=False)
        nn.init.xavier_uniform_(self.weight)

    def of(self, context: Tensor, hidden: Tensor) -> Tensor:
        """(..., H) of contexts (..., M) and hidden states (..., H)."""
        return torch.tanh(recurrence.linear(torch.cat((context, hidden), dim=-1), self.weight))
