"""A trained arm, ready to be evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from softalign.config import Config
from softalign.data.prepared import Prepared
from softalign.data.tokenizer import Tokenizer
from softalign.errors import UserError
from softalign.hardware.device import chosen_device
from softalign.hardware.memory import steady_memory
from softalign.models.seq2seq import Seq2Seq
from softalign.searcher import searcher
from softalign.training.checkpointing import load_model
from softalign.training.failure import FAILURE
from softalign.training.identity import Identity


@dataclass(frozen=True)
class Arm:
    """A trained model, where it runs, and the tokenizers that it was trained with."""

    model: Seq2Seq  # in fp32, whatever it was trained in
    searcher: Seq2Seq  # the same model, as search uses it
    device: torch.device
    tokenizers: tuple[Tokenizer, Tokenizer]  # of the source, of the target


def trained_on(train: Path, data: Prepared) -> Identity:
    """Who the trained arm is. Raises `UserError` where it is not there, or saw other data."""
    try:
        identity = Identity.read(train / "run.json")
    except FileNotFoundError:
        if (train / FAILURE).exists():
            raise UserError("the training has diverged", str(train / FAILURE), "there is nothing to evaluate") from None
        raise UserError(
            "nothing has been trained",
            str(train),
            "run the stage train with the same arguments; what DVC has trained, dvc repro evaluates",
        ) from None
    if identity.data_fingerprint != data.report["fingerprint"]:
        raise UserError("trained on other data than is there now", str(train), "run the stage train again")
    return identity


def load_arm(checkpoint: Path, data: Prepared, config: Config) -> Arm:
    """The best checkpoint in evaluation mode."""
    if config.trainer.threads is not None:
        torch.set_num_threads(config.trainer.threads)
    steady_memory()
    device = chosen_device(config.trainer)
    model = load_model(checkpoint).to(device)
    tokenizers = data.source_tokenizer, data.target_tokenizer
    return Arm(model, searcher(model, config.decoding.precision), device, tokenizers)
