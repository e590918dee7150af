"""From softalign's configuration to those of the peers: the same sizes, batches and optimization for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from softalign.config import Config
from softalign.errors import UserError
from softalign.models.options import memory_size

HERE = Path(__file__).parent
CELLS = ("gru", "lstm")


def check_comparable(config: Config) -> None:
    """Raises `UserError` for what the peers do not have."""
    if config.model.fusion != "bahdanau" or config.model.score != "additive":
        raise UserError("the peers have no such arm", f"model={config.model.name}", "set model=bahdanau")
    if config.model.cell not in CELLS:
        raise UserError("the peers have no such cells", f"model.cell={config.model.cell}", f"set {' or '.join(CELLS)}")
    if not config.model.bidirectional or memory_size(config.model) != config.model.hidden_size:
        raise UserError(
            "OpenNMT-py wants a bidirectional encoder as large as the decoder", "model", "leave encoder_size at null"
        )
    if config.optimization.batch_unit != "sentences":
        raise UserError("batches are counted in sentences here", "optimization.batch_unit", "leave it as it is")


def joeynmt_settings(config: Config, folder: Path, length: int) -> dict[str, Any]:
    """joeynmt.yaml, completed."""
    settings = _read("joeynmt.yaml")
    settings["model_dir"] = str(folder / "joeynmt")
    data, training = settings["data"], settings["training"]
    data |= {"train": str(folder / "train"), "dev": str(folder / "validation")}
    data["src"]["voc_file"] = str(folder / "source.vocabulary")
    data["trg"]["voc_file"] = str(folder / "target.vocabulary")
    sizes = {"encoder": memory_size(config.model) // 2, "decoder": config.model.hidden_size}
    for part, size in sizes.items():
        settings["model"][part] |= {
            "rnn_type": config.model.cell,
            "num_layers": config.model.layers,
            "hidden_size": size,
            "dropout": config.model.dropout,
            "hidden_dropout": config.model.dropout,
            "embeddings": {"embedding_dim": config.model.embedding_size, "dropout": config.model.dropout},
        }
    training |= {
        "learning_rate": config.optimization.lr,
        "clip_grad_norm": config.optimization.clip_norm,
        "label_smoothing": config.optimization.label_smoothing,
        "batch_size": config.optimization.batch_size,
    }
    settings["testing"] |= {
        "batch_size": config.decoding.batch_size,
        "max_output_length": length,
        "min_output_length": length,
    }
    return settings


def opennmt_settings(config: Config, folder: Path, attention: str, rows: int) -> dict[str, Any]:
    """opennmt.yaml, completed, for an attention `mlp` or `general` and a corpus of `rows`."""
    corpora = {"corpus": "train", "valid": "validation"}  # OpenNMT-py's name: name of our files
    return _read("opennmt.yaml") | {
        "data": {
            name: {"path_src": f"{folder / split}.source", "path_tgt": f"{folder / split}.target", "weight": 1}
            for name, split in corpora.items()
        },
        "src_vocab": str(folder / "source.vocabulary"),
        "tgt_vocab": str(folder / "target.vocabulary"),
        "global_attention": attention,
        "rnn_type": config.model.cell.upper(),
        "layers": config.model.layers,
        "word_vec_size": config.model.embedding_size,
        "hidden_size": config.model.hidden_size,
        "dropout": [config.model.dropout],
        "learning_rate": config.optimization.lr,
        "max_grad_norm": config.optimization.clip_norm,
        "label_smoothing": config.optimization.label_smoothing,
        "batch_size": config.optimization.batch_size,
        "valid_batch_size": config.optimization.batch_size,
        # The default, 262144, would read a smaller corpus again and again before the first batch, and then leave out
        # the copies: no source stands twice in one of its batches.
        "bucket_size": min(rows, 262144),
    }


def _read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / name).read_text(encoding="utf-8")))
