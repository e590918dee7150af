"""Lightning is given every row, in an order that follows from seed and epoch."""

from pathlib import Path

import pyarrow as pa
import pytest
import pytorch_lightning as pl
import torch

from softalign.config import OptimizationConfig, TokenizerConfig
from softalign.data.batching import Batch
from softalign.data.datamodule import Seq2SeqData
from softalign.data.prepared import SPLITS, Prepared
from softalign.data.tokenizer import Tokenizer

OPTIMIZATION = OptimizationConfig(lr=0.1, max_epochs=3, patience=3, batch_size=4)
IDS = {
    "train": [[3 + n % 7] * (n % 5) for n in range(30)],
    "validation": [[4]] * 6,
    "test": [[5] * n for n in range(7)],
}


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    tokenizer = Tokenizer.train(["a"], TokenizerConfig(vocabulary_size=300))
    splits = {}
    for split in SPLITS:
        column = pa.array(IDS[split], pa.list_(pa.int32()))
        splits[split] = pa.table({"source_ids": column, "target_ids": column})
    return Prepared(splits, tokenizer, tokenizer, {"vocabulary": {"shared": True}})


class Recorder(pl.LightningModule):
    """Writes down which rows it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: dict[str, list[list[list[int]]]] = {"train": [], "validation": []}

    def on_train_epoch_start(self) -> None:
        self.seen["train"].append([])

    def on_validation_epoch_start(self) -> None:
        self.seen["validation"].append([])

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        self.seen["train"][-1].append(batch.rows.tolist())
        return self.weight.sum()

    def validation_step(self, batch: Batch, _: int) -> None:
        self.seen["validation"][-1].append(batch.rows.tolist())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(prepared: Prepared, seed: int, folder: Path) -> dict[str, list[list[list[int]]]]:
    recorder = Recorder()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=3,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    trainer.fit(recorder, datamodule=Seq2SeqData(prepared, OPTIMIZATION, seed))
    return recorder.seen


@pytest.mark.filterwarnings("ignore")
def test_lightning_tells_the_sampler_the_epoch(prepared: Prepared, tmp_path: Path) -> None:
    seen = fit(prepared, 1, tmp_path)
    for epoch in seen["train"]:
        assert sorted(row for batch in epoch for row in batch) == list(range(30))
    assert len({str(epoch) for epoch in seen["train"]}) == 3
    assert len({str(epoch) for epoch in seen["validation"]}) == 1
    torch.manual_seed(99)  # nothing but seed and epoch decides
    assert fit(prepared, 1, tmp_path) == seen
    assert fit(prepared, 2, tmp_path)["train"] != seen["train"]


def test_rows_keep_their_ids(prepared: Prepared) -> None:
    data = Seq2SeqData(prepared, OPTIMIZATION, seed=1)
    for split, loader in (
        ("train", data.train_dataloader()),
        ("validation", data.val_dataloader()),
    ):
        found = {}
        for batch in loader:
            assert len(batch) <= OPTIMIZATION.batch_size
            for place, row in enumerate(batch.rows.tolist()):
                found[row] = batch.target_in[place][batch.target_mask[place]].tolist()[1:]
        assert [found[row] for row in sorted(found)] == IDS[split]


def test_drawing_batches_leaves_the_global_generator_alone(prepared: Prepared) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    list(Seq2SeqData(prepared, OPTIMIZATION, seed=1).train_dataloader())
    assert torch.equal(torch.get_rng_state(), before)
