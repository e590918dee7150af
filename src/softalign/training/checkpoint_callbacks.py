"""When and how Lightning saves: best and last, at the end of each epoch, after every other callback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from softalign.data.atomic import replace_bytes
from softalign.training.checkpointing import BEST, LAST, serialized


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's own is atomic only when the temporary folder lies on the same file system."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        replace_bytes(Path(path), serialized(checkpoint))


class MovableCheckpoint(ModelCheckpoint):
    """A `ModelCheckpoint` that still knows its best score when its folder has been moved before resuming."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        old, new = str(state_dict.get("dirpath")), str(self.dirpath)

        def moved(value: Any) -> Any:
            return new + value[len(old) :] if isinstance(value, str) and value.startswith(old) else value

        state = {key: moved(value) for key, value in state_dict.items()}
        state["best_k_models"] = {moved(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state)


def checkpoint_callbacks(folder: Path) -> list[ModelCheckpoint]:
    """The checkpoint of the lowest validation loss and that of the last finished epoch, in `folder`."""
    best = MovableCheckpoint(
        dirpath=folder,
        filename=Path(BEST).stem,
        monitor="validation_loss",
        mode="min",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    last = MovableCheckpoint(  # after `best`, whose state it stores
        dirpath=folder, filename=Path(LAST).stem, save_on_train_epoch_end=True, enable_version_counter=False
    )
    return [best, last]
