"""An untrained model and random rows, for what must hold whatever the weights are."""

from __future__ import annotations

import numpy as np
import torch

from softalign.config import ModelConfig
from softalign.data.batching import Row
from softalign.models.seq2seq import Seq2Seq

VOCABULARY = 23


def random_model(fusion: str, cell: str = "gru") -> Seq2Seq:
    """An arm in evaluation mode, with the weights that it starts from."""
    torch.manual_seed(0)
    score = {"vanilla": None, "multiply": "dot", "bahdanau": "additive"}[fusion]
    config = ModelConfig(
        name=fusion, fusion=fusion, score=score, attention_size=8, cell=cell, embedding_size=8, hidden_size=12
    )
    return Seq2Seq(config, VOCABULARY, VOCABULARY).eval()


def random_rows(count: int, longest: int = 9) -> list[Row]:
    """Rows with indices 10, 11, ...: an index is not a place in the list."""
    generator = np.random.default_rng(1)

    def ids(shortest: int) -> list[int]:
        return generator.integers(3, VOCABULARY, generator.integers(shortest, longest)).tolist()

    return [(10 + row, ids(1), ids(0)) for row in range(count)]
