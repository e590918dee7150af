"""Checkpoints: one for the best epoch and one for the last, and read back as a model."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from softalign.config import ModelConfig
from softalign.errors import UserError

if TYPE_CHECKING:
    from softalign.models.seq2seq import Seq2Seq

BEST, LAST = "best.ckpt", "last.ckpt"


def serialized(checkpoint: dict[str, Any]) -> bytes:
    """`checkpoint` as torch.save writes it (in memory first: a full disk then raises an ordinary OSError)."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    return buffer.getvalue()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint on the CPU, read with weights_only=True. Raises `UserError` if it is not one."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError("no such checkpoint", str(path), "train the model first") from None
    except pickle.UnpicklingError:  # whose text, of torch, says how to run the code that may be in it
        what = "not a readable checkpoint: it is damaged, or holds more than numbers"
        raise UserError(what, str(path), "train the model again") from None
    except OSError as error:
        reason = f"not a readable checkpoint: {error.strerror or error}"
        raise UserError(reason, str(path), "train the model again") from None
    except (RuntimeError, EOFError):
        raise UserError("not a readable checkpoint: it is damaged", str(path), "train the model again") from None
    if not isinstance(content, dict) or "hyper_parameters" not in content or "state_dict" not in content:
        raise UserError("not a checkpoint of softalign", str(path), "train the model again")
    return content


def model_of(checkpoint: dict[str, Any]) -> Seq2Seq:
    """The model that a checkpoint holds, in evaluation mode on the CPU."""
    from softalign.models.seq2seq import Seq2Seq

    described = checkpoint["hyper_parameters"]
    model = Seq2Seq(
        ModelConfig(**described["model"]),
        described["source_vocabulary"],
        described["target_vocabulary"],
        described["shared_vocabulary"],
    )
    prefix = "model."  # the attribute of Seq2SeqModule
    weights = {key.removeprefix(prefix): value for key, value in checkpoint["state_dict"].items()}
    model.load_state_dict(weights)
    return model.eval()


def load_model(checkpoint: Path) -> Seq2Seq:
    """The model of a checkpoint file (best.ckpt, last.ckpt), rebuilt from its stored hyper-parameters, for evaluation.

    Raises `UserError` for a file that is missing or is no checkpoint.
    """
    return model_of(read_checkpoint(checkpoint))
