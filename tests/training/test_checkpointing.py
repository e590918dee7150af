from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from softalign.config import Config
from softalign.errors import UserError
from softalign.training.checkpointing import load_model, serialized
from softalign.training.module import Seq2SeqModule


def module_of(config: Config) -> Seq2SeqModule:
    torch.manual_seed(0)
    return Seq2SeqModule(config.model, config.optimization, 30, 40)


def checkpoint_of(module: Seq2SeqModule) -> bytes:
    return serialized({"hyper_parameters": dict(module.hparams), "state_dict": module.state_dict()})


@pytest.mark.parametrize("fusion", ["vanilla", "multiply", "bahdanau"])
def test_a_checkpoint_gives_the_same_model_back(configured: Callable[..., Config], tmp_path: Path, fusion: str) -> None:
    module = module_of(configured(fusion))
    (tmp_path / "best.ckpt").write_bytes(checkpoint_of(module))
    model = load_model(tmp_path / "best.ckpt")
    assert not model.training
    for name, weights in module.model.state_dict().items():
        assert torch.equal(weights, model.state_dict()[name])


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 half a zip file"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "best.ckpt").write_bytes(content)
    with pytest.raises(UserError, match="train the model again") as refused:
        load_model(tmp_path / "best.ckpt")
    assert "weights_only" not in str(refused.value)  # torch's advice is to run the code that may be in it


def test_half_a_checkpoint_is_refused(configured: Callable[..., Config], tmp_path: Path) -> None:
    whole = checkpoint_of(module_of(configured()))
    (tmp_path / "best.ckpt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a readable checkpoint"):
        load_model(tmp_path / "best.ckpt")


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch.save({"hyper_parameters": {}, "state_dict": {}, "callback": Path("/")}, tmp_path / "best.ckpt")
    with pytest.raises(UserError, match="not a readable checkpoint"):
        load_model(tmp_path / "best.ckpt")


def test_a_missing_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train the model first"):
        load_model(tmp_path / "best.ckpt")
