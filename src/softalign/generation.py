"""From text to text with a trained model: what `python -m softalign generate` prints and MLflow serves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.utils.rnn import pad_sequence

from softalign.config import Config
from softalign.data.cleaning import clean_text, cut_source
from softalign.data.tokenizer import EOS, PAD, Tokenizer
from softalign.decoding import search
from softalign.models.seq2seq import Seq2Seq


def generate(
    model: Seq2Seq, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer, texts: Sequence[str], config: Config
) -> list[str]:
    """The best hypothesis for each text, cleaned and searched for as `config.data.cleaning` and `config.decoding` say.

    A text with nothing in it gives an empty output.
    """
    cleaning = config.data.cleaning
    sources = [cut_source(clean_text(text, cleaning), cleaning)[0] for text in texts]
    asked = [place for place, source in enumerate(sources) if source]
    asked.sort(key=lambda place: len(sources[place]))  # so that a batch holds sources of about the same length
    outputs = [""] * len(texts)
    device = next(model.parameters()).device
    for start in range(0, len(asked), config.decoding.batch_size):
        places = asked[start : start + config.decoding.batch_size]
        ids = source_tokenizer.encode_batch([sources[place] for place in places])
        rows = [torch.tensor([*row, EOS]) for row in ids]
        source = pad_sequence(rows, batch_first=True, padding_value=PAD).to(device)
        found = search(model, source, torch.tensor([len(row) for row in rows]), config.decoding)
        written = target_tokenizer.decode_batch([hypothesis.tokens for hypothesis in found])
        for place, text in zip(places, written, strict=True):
            outputs[place] = text
    return outputs
