"""The attention of an arm over test items: scored against the gold alignment, and shown for a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from softalign.data.tokenizer import EOS, Tokenizer
from softalign.evaluation.alignment import AlignmentScore, parse_links, same_word_links
from softalign.evaluation.lengths import example_rows
from softalign.evaluation.split import Split
from softalign.evaluation.teacher_forcing import attention_over
from softalign.models.seq2seq import Seq2Seq

DECIMALS = 4  # of a weight in a file that is read for heat maps


def score_alignment(
    model: Seq2Seq,
    test: Split,
    tokenizers: tuple[Tokenizer, Tokenizer],
    batch_size: int,
    device: torch.device,
) -> AlignmentScore:
    """Score the attention over the reference targets; source and target tokenizer are given.

    Nothing is scored of an arm without attention, and of data without a gold alignment. Rows without one are left out;
    of a source that was cut (data.cleaning.long_sources=truncate), target words that meant the part cut off count as
    wrong, for any arm and baseline alike.
    """
    aligned = [row for row in test.rows if test.alignment[row[0]]]
    score = AlignmentScore()
    source_tokenizer, target_tokenizer = tokenizers
    for index, weights in attention_over(model, aligned, batch_size, device):
        score.add(
            index,
            weights,
            source_tokenizer.word_spans(test.source[index]),
            target_tokenizer.word_spans(test.target[index]),
            parse_links(test.alignment[index]),
            same_word_links(test.source[index].split(), test.target[index].split()),
        )
    return score


def attention_examples(
    model: Seq2Seq,
    test: Split,
    predicted_ids: Sequence[Sequence[int]],
    tokenizers: tuple[Tokenizer, Tokenizer],
    count: int,
    device: torch.device,
) -> list[dict[str, Any]]:
    """Attention maps (T, S) of `count` predictions, with readable tokens and the end of both sentences.

    None at all for an arm without attention.
    """
    source_tokenizer, target_tokenizer = tokenizers
    chosen = [(row, test.source_ids[row], predicted_ids[row]) for row in example_rows(test.source_words, count)]
    maps = {
        index: {
            "row": index,
            "source_tokens": source_tokenizer.tokens([*test.source_ids[index], EOS]),
            "target_tokens": target_tokenizer.tokens([*predicted_ids[index], EOS]),
            "weights": weights.round(DECIMALS).tolist(),
            "kind": "prediction",
        }
        for index, weights in attention_over(model, chosen, max(count, 1), device)
    }
    return [maps[row] for row, _, _ in chosen if row in maps]
