"""What MLflow loads and serves: strings in, strings out. MLflow runs this file ("models from code")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow.pyfunc import PythonModel

from softalign.data.tokenizer import Tokenizer
from softalign.generation import generate
from softalign.hardware.memory import steady_memory
from softalign.searcher import searcher
from softalign.training.checkpointing import load_model
from softalign.typed import typed


class ServedModel(PythonModel):
    """The best checkpoint of a run with its tokenizers, its cleaning of the source, and its beam search."""

    def load_context(self, context: Any) -> None:
        paths = {name: Path(path) for name, path in context.artifacts.items()}
        self.config = typed(yaml.safe_load(paths["config"].read_text(encoding="utf-8")))
        steady_memory()
        self.model = searcher(load_model(paths["checkpoint"]), self.config.decoding.precision)
        self.tokenizers = tuple(Tokenizer.load(paths[f"{side}_tokenizer"]) for side in ("source", "target"))

    def predict(self, context: Any, model_input: list[str], params: dict[str, Any] | None = None) -> list[str]:
        """The output for each source text."""
        source, target = self.tokenizers
        return generate(self.model, source, target, model_input, self.config)


mlflow.models.set_model(ServedModel())
