"""Small models of every arm, in double precision, with random weights, and batches for them."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from softalign.config import ModelConfig
from softalign.data.batching import Batch, collate
from softalign.models.options import FUSIONS
from softalign.models.seq2seq import Seq2Seq

ARMS = tuple(FUSIONS)
ATTENDING = tuple(name for name, option in FUSIONS.items() if option.attends)
CELLS = ("elman", "gru", "lstm")
ARMS_AND_CELLS = list(itertools.product(ARMS, CELLS))
SCORES = {"vanilla": None} | dict.fromkeys(
    ("bahdanau", "cgru", "gated_source", "gated_target", "gated_both", "pointer", "pointer_coverage"), "additive"
)
VOCABULARY = 11


def _with_options(fusion: str) -> list[tuple[str, str, dict[str, Any]]]:
    """An arm with each cell layer-normalised and, where it attends, the other options beside it."""
    normalised, option = {"layer_norm": True}, FUSIONS[fusion]
    self_attention = {"self_attention": True, "heads": 3} if option.attends else {}
    multi_head = {"score": "multi_head", "heads": 2} if option.attends and option.score is None else {}
    return [
        (fusion, "elman", normalised | self_attention),
        (fusion, "gru", normalised | multi_head),
        (fusion, "lstm", normalised | {"deep_output": False}),
    ]


MODELS = [(fusion, cell, {}) for fusion, cell in ARMS_AND_CELLS] + [
    model for fusion in ARMS for model in _with_options(fusion)
]
FEWER_MODELS = [(fusion, cell, options) for fusion, cell, options in MODELS if not options or fusion == "bahdanau"]


def small_config(fusion: str = "bahdanau", cell: str = "elman", **options: Any) -> ModelConfig:
    values = {
        "name": fusion,
        "score": SCORES.get(fusion, "dot"),
        "attention_size": 5,
        "embedding_size": 4,
        "hidden_size": 6,
    }
    return ModelConfig(fusion=fusion, cell=cell, **(values | options))


def small_model(fusion: str = "bahdanau", cell: str = "elman", vocabulary: int = VOCABULARY, **options: Any) -> Seq2Seq:
    """In evaluation mode; biases are random too, since a bias of zero hides where it is added."""
    torch.manual_seed(len(fusion) + len(cell))
    model = Seq2Seq(small_config(fusion, cell, **options), vocabulary, vocabulary, shared_vocabulary=True).double()
    for name, parameter in model.named_parameters():
        if "bias" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def batch_of(*lengths: tuple[int, int], vocabulary: int = VOCABULARY) -> Batch:
    """A row of random ids for each (source length, target length), EOS counted in neither."""
    generator = torch.Generator().manual_seed(7)

    def ids(length: int) -> list[int]:
        return torch.randint(3, vocabulary, (length,), generator=generator).tolist()

    return collate([(row, ids(source), ids(target)) for row, (source, target) in enumerate(lengths)])


def row_of(batch: Batch, row: int) -> Batch:
    """One row as a batch of its own, without padding."""
    source, target = int(batch.source_lengths[row]), int(batch.target_mask[row].sum())
    one = slice(row, row + 1)
    return Batch(
        source=batch.source[one, :source],
        source_lengths=batch.source_lengths[one],
        target_in=batch.target_in[one, :target],
        target_out=batch.target_out[one, :target],
        rows=batch.rows[one],
    )
