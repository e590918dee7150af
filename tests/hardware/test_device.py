import pytest
import torch

from softalign.config import TrainerConfig
from softalign.errors import UserError
from softalign.hardware.device import chosen_device


def test_the_cpu_is_always_there():
    assert chosen_device(TrainerConfig(accelerator="cpu")) == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_without_a_gpu(monkeypatch):
    assert chosen_device(TrainerConfig(accelerator="auto")) == torch.device("cpu")
    for accelerator in ("gpu", "cuda"):
        with pytest.raises(UserError, match="set it to auto or cpu"):
            chosen_device(TrainerConfig(accelerator=accelerator))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_with_a_gpu():
    for accelerator in ("auto", "gpu", "cuda"):
        assert chosen_device(TrainerConfig(accelerator=accelerator)) == torch.device("cuda")
