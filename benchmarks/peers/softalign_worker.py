"""softalign by the same protocol: its own model, batches, Lightning training and search.

python -m benchmarks.peers.softalign_worker <run.json>
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from benchmarks.decoding import of_one_length
from benchmarks.peers.session import Run, Session
from benchmarks.workload import prepared_data
from softalign.composition import compose
from softalign.config import Config
from softalign.data.datamodule import Seq2SeqData
from softalign.data.encoded import EncodedSplit
from softalign.data.prepared import Prepared
from softalign.evaluation.prediction import predict
from softalign.hardware.memory import steady_memory
from softalign.hardware.precision import LIGHTNING, training_precision
from softalign.paths import Layout, project_root
from softalign.searcher import searcher
from softalign.training.module import Seq2SeqModule
from softalign.training.reproducible import deterministic

CPU = torch.device("cpu")
ENDLESS = 10**9  # steps


class Softalign:
    """Decoding and validation with the model that is being trained."""

    def __init__(self, module: Seq2SeqModule, data: Seq2SeqData, prepared: Prepared, config: Config, run: Run) -> None:
        self._model, self._data = module.model, data
        sentences = len((run.folder / "decode.source").read_text(encoding="utf-8").splitlines())
        test = EncodedSplit.from_table(prepared.splits["test"])
        self._rows = [test[row] for row in range(sentences)]
        self._decoding, self._length = replace(config.decoding, batch_size=run.decoding_batch), run.length

    def decode(self, beam_size: int) -> Sequence[Sequence[object]]:
        with of_one_length(self._model, self._decoding, beam_size, self._length) as config:
            model = searcher(self._model, config.precision)
            found = predict(model, self._rows, config, CPU)
        return [hypothesis.tokens for hypothesis in found.hypotheses]

    def validation_loss(self) -> float:
        self._model.eval()
        summed, tokens = 0.0, 0
        with torch.no_grad():
            for batch in self._data.val_dataloader():
                found = self._model.loss(batch)
                summed += float(found.nll)
                tokens += found.tokens
        self._model.train()
        return summed / tokens


class Watch(pl.Callback):
    """Tells the session where the training begins and where its steps end."""

    def __init__(self, session: Session, side: Softalign) -> None:
        self._session, self._side = session, side

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._session.begin(self._side, sum(parameter.numel() for parameter in pl_module.parameters()))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._session.step_ended(outputs["tokens"], len(batch))


def main() -> None:
    run = Run.read(Path(sys.argv[1]))
    session = Session("softalign", "softalign", run)
    layout = Layout(project_root())
    config = compose(layout, run.overrides)
    prepared = prepared_data(config, layout)
    steady_memory()
    pl.seed_everything(run.seed, verbose=False)
    module = Seq2SeqModule.of(config, prepared)
    data = Seq2SeqData(prepared, config.optimization, run.seed)
    trainer = pl.Trainer(
        accelerator="cpu",
        precision=LIGHTNING[training_precision(config.trainer.precision, CPU, config.model)],
        max_epochs=-1,
        max_steps=ENDLESS,
        limit_val_batches=0,
        gradient_clip_val=config.optimization.clip_norm,
        callbacks=[Watch(session, Softalign(module, data, prepared, config, run))],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
    )
    with deterministic():
        trainer.fit(module, datamodule=data)


if __name__ == "__main__":
    main()
