"""The device that a model is trained and scored on."""

from __future__ import annotations

import torch

from softalign.config import TrainerConfig
from softalign.errors import UserError


def chosen_device(config: TrainerConfig) -> torch.device:
    """What `trainer.accelerator` names: `auto` is a GPU where there is one; `gpu` and `cuda` are the same.

    Raises `UserError` for an accelerator that this machine or this build of torch lacks.
    """
    if config.accelerator == "cpu" or (config.accelerator == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("no cuda device here", f"trainer.accelerator={config.accelerator}", "set it to auto or cpu")
    return torch.device("cuda")


def wait_for(device: torch.device) -> None:
    """Return when the device has done what it was told; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
