"""What MLflow loads and serves: strings in, strings out. MLflow runs this file ("models from code")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import torch
import yaml
from mlflow.pyfunc import PythonModel
from torch.nn.utils.rnn import pad_sequence

from softalign.composition import typed
from softalign.data.cleaning import clean_text
from softalign.data.tokenizer import EOS, PAD, Tokenizer
from softalign.decoding import search
from softalign.training.checkpointing import load_model


class ServedModel(PythonModel):
    """The best checkpoint of a run with its tokenizers, its cleaning of the source, and its beam search."""

    def load_context(self, context: Any) -> None:
        paths = {name: Path(path) for name, path in context.artifacts.items()}
        self.config = typed(yaml.safe_load(paths["config"].read_text(encoding="utf-8")))
        self.model = load_model(paths["checkpoint"])
        self.source_tokenizer = Tokenizer.load(paths["source_tokenizer"])
        self.target_tokenizer = Tokenizer.load(paths["target_tokenizer"])

    def predict(self, context: Any, model_input: list[str], params: dict[str, Any] | None = None) -> list[str]:
        """The output for each source text."""
        sources = [clean_text(text, self.config.data.cleaning) for text in model_input]
        decoding = self.config.decoding
        outputs: list[str] = []
        for start in range(0, len(sources), decoding.batch_size):
            ids = self.source_tokenizer.encode_batch(sources[start : start + decoding.batch_size])
            rows = [torch.tensor([*row, EOS]) for row in ids]
            source = pad_sequence(rows, batch_first=True, padding_value=PAD)
            lengths = torch.tensor([len(row) for row in rows])
            found = search(self.model, source, lengths, decoding)
            outputs += self.target_tokenizer.decode_batch([hypothesis.tokens for hypothesis in found])
        return outputs


mlflow.models.set_model(ServedModel())
