"""The prepared data as Lightning wants it."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from softalign.config import OptimizationConfig
from softalign.data.batching import BucketSampler, Row, collate
from softalign.data.encoded import EncodedSplit
from softalign.data.prepared import Prepared


class Seq2SeqData(pl.LightningDataModule):
    """Batches of training, shuffled by `seed` and epoch, and of validation in a fixed order; the test split is for
    evaluation alone.

    Batches are assembled in the training process: the ids lie in memory, and worker processes would cost more than
    they save.
    """

    def __init__(self, prepared: Prepared, optimization: OptimizationConfig, seed: int) -> None:
        super().__init__()
        self._splits = {
            name: EncodedSplit.from_table(split) for name, split in prepared.splits.items() if name != "test"
        }
        self._optimization = optimization
        self._seed = seed

    def train_dataloader(self) -> DataLoader[Row]:
        return self._loader("train", shuffle=True)

    def val_dataloader(self) -> DataLoader[Row]:
        return self._loader("validation", shuffle=False)

    def _loader(self, name: str, shuffle: bool) -> DataLoader[Row]:
        split = self._splits[name]
        sampler = BucketSampler(
            split.source_lengths,
            split.target_lengths,
            self._optimization.batch_size,
            self._optimization.batch_unit,
            self._seed,
            shuffle,
        )
        # A generator of its own: else each epoch would draw from the global one, and dropout depend on the loader.
        generator = torch.Generator().manual_seed(self._seed)
        return DataLoader(split, batch_sampler=sampler, collate_fn=collate, generator=generator)
