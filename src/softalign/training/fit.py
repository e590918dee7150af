"""Train one arm: from prepared data and a configuration to a folder with checkpoints, curves and costs."""

from __future__ import annotations

import json
import logging
import math
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.callbacks import EarlyStopping

from softalign.config import Config
from softalign.data.atomic import replace_text
from softalign.data.datamodule import Seq2SeqData
from softalign.data.prepared import Prepared, load_prepared
from softalign.hardware.cores import usable_cores
from softalign.hardware.device import chosen_device
from softalign.hardware.memory import steady_memory
from softalign.hardware.precision import LIGHTNING, training_precision
from softalign.models.capture import CapturedUnroll
from softalign.training.checkpoint_callbacks import AtomicCheckpointIO, checkpoint_callbacks
from softalign.training.checkpointing import BEST, LAST, load_model
from softalign.training.cost import Cost, peak_accelerator_memory_mb
from softalign.training.curve import Curve, flattened, late_gain
from softalign.training.history import read_table
from softalign.training.identity import CODE_FILE, Identity, code_digest, identify
from softalign.training.live import LiveTracking, Tracker
from softalign.training.meter import CostMeter
from softalign.training.module import Seq2SeqModule
from softalign.training.progress import progress_callbacks
from softalign.training.reproducible import SeedEpochs, deterministic
from softalign.typed import to_dict

if TYPE_CHECKING:
    from softalign.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class TrainingResult:
    """What `fit` left in `folder`."""

    folder: Path  # best.ckpt, last.ckpt, config.yaml, history.csv, steps.csv, cost.json, run.json, .code
    identity: Identity
    history: list[dict[str, float]]  # a row an epoch
    steps: list[dict[str, float]]
    cost: Cost

    @property
    def best_validation_loss(self) -> float:
        """That of the epoch whose weights `load_model` gives, in nats per target token."""
        return min(row["validation_loss"] for row in self.history)

    def load_model(self) -> Seq2Seq:
        """The model of the best epoch, for evaluation."""
        return load_model(self.folder / BEST)

    @classmethod
    def read(cls, folder: Path) -> TrainingResult:
        return cls(
            folder=folder,
            identity=Identity.read(folder / "run.json"),
            history=read_table(folder / "history.csv"),
            steps=read_table(folder / "steps.csv"),
            cost=Cost(**json.loads((folder / "cost.json").read_text(encoding="utf-8"))),
        )


def fit(prepared: Path, config: Config, output: Path, tracker: Tracker | None = None) -> TrainingResult:
    """Train the arm that `config` describes on the folder `prepared` and leave everything in the folder `output`.

    A training that was interrupted there goes on after its last finished epoch, to the same weights bit for bit (on a
    GPU with trainer.cuda_graphs=false alone); one that was finished is returned as it is; what another configuration,
    other data or other code left is removed.
    Works in a notebook: `fit(prepared, config, Path("some/folder")).load_model()`.

    Raises `UserError` when there are no prepared data or when they were prepared for another `config.data`, and
    `DivergedError` when a loss or a gradient is not finite.
    """
    identity = identify(config, prepared)
    _prepare_folder(output, identity, config)
    if not (output / "cost.json").exists():
        data = load_prepared(prepared, config.data, only=("train", "validation"))  # never the test split
        _train(data, config, output, identity, tracker)
    return TrainingResult.read(output)


def _prepare_folder(output: Path, identity: Identity, config: Config) -> None:
    """Make `output` hold this training's description, and checkpoints of this training or none."""
    output.mkdir(parents=True, exist_ok=True)
    code = code_digest()
    same = (
        (output / "run.json").exists()
        and (output / CODE_FILE).exists()
        and Identity.read(output / "run.json").fingerprint == identity.fingerprint
        and (output / CODE_FILE).read_text(encoding="utf-8") == code
    )
    stale = [".*.partial"] if same else [".*.partial", "*.ckpt", "history.csv", "steps.csv", "cost.json"]
    for path in (path for pattern in stale for path in output.glob(pattern)):
        path.unlink()
    replace_text(output / CODE_FILE, code)
    identity.write(output / "run.json")
    replace_text(output / "config.yaml", yaml.safe_dump(to_dict(config), sort_keys=False))


def _train(prepared: Prepared, config: Config, output: Path, identity: Identity, tracker: Tracker | None) -> None:
    if config.trainer.threads:
        torch.set_num_threads(config.trainer.threads)
    device = chosen_device(config.trainer)
    precision = training_precision(config.trainer.precision, device, config.model)
    if config.trainer.progress != "none":
        said = f"products in {precision} (trainer.precision={config.trainer.precision})"
        print(
            f"{identity.label}: {said}, torch on {torch.get_num_threads()} of {len(usable_cores())} cores", flush=True
        )
    steady_memory()
    with deterministic(), _quiet_lightning():
        pl.seed_everything(config.seed, verbose=False)
        module = Seq2SeqModule.of(config, prepared)
        decoder = module.model.decoder
        if config.trainer.cuda_graphs and device.type == "cuda" and CapturedUnroll.suits(decoder.fusion):
            decoder.captured = CapturedUnroll(decoder.fusion)
        meter = CostMeter()
        curve = Curve(output, meter, config.trainer.log_every_n_steps, identity.label)
        patience = _Patience(monitor="validation_loss", mode="min", patience=config.optimization.patience)
        progress = progress_callbacks(config.trainer.progress, curve, identity.label)
        trainer = pl.Trainer(
            accelerator=device.type,
            devices=1,
            precision=LIGHTNING[precision],
            max_epochs=config.optimization.max_epochs,
            gradient_clip_val=config.optimization.clip_norm,
            gradient_clip_algorithm="norm",
            callbacks=[
                meter,  # the order matters: each reads what those before it have recorded
                SeedEpochs(config.seed),
                curve,
                patience,
                *checkpoint_callbacks(output),
                *progress,
                *([LiveTracking(tracker, curve)] if tracker else []),
            ],
            plugins=[AtomicCheckpointIO()],
            default_root_dir=output,
            logger=False,
            enable_model_summary=False,
            enable_progress_bar=any(isinstance(shown, pl.callbacks.ProgressBar) for shown in progress),
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        last = output / LAST
        data = Seq2SeqData(prepared, config.optimization, config.seed)
        try:
            trainer.fit(module, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
        except (KeyboardInterrupt, SystemExit):  # Lightning makes the one into the other
            done = f"after epoch {len(curve.epochs)}" if curve.epochs else "in its first epoch"
            print(f"{identity.label}: interrupted {done}; the same command goes on from there", flush=True)
            raise
    losses = curve.validation_losses
    _warn_of_guessing(identity.label, min(losses), len(prepared.target_tokenizer))
    _warn_of_warm_up(identity.label, trainer.global_step, config.optimization.warmup_steps)
    cost = Cost(
        precision=precision,
        n_parameters=sum(parameter.numel() for parameter in module.parameters()),
        train_seconds=meter.train_seconds,
        wall_seconds=meter.wall_seconds,
        cores=meter.cores,
        jobs=meter.jobs,
        cpu_seconds=meter.cpu_seconds,
        train_tokens_per_second=meter.tokens / meter.train_seconds,
        peak_memory_mb=meter.peak_memory_mb,
        peak_accelerator_memory_mb=peak_accelerator_memory_mb(trainer.strategy.root_device),
        epochs=len(losses),
        steps=trainer.global_step,
        best_epoch=int(curve.best["epoch"]),
        seconds_to_best=curve.best["seconds"],
        stopped_early=len(losses) < config.optimization.max_epochs,
        flattened=flattened(losses),
        late_gain=late_gain(losses),
        finished_at=time.time(),
    )
    replace_text(output / "cost.json", json.dumps(asdict(cost), indent=2) + "\n")


def _warn_of_guessing(label: str, loss: float, vocabulary: int) -> None:
    """A loss that blew up and stayed finite, or that never fell, ends no training: the validation loss tells."""
    if loss >= math.log(vocabulary):
        said = f"the validation loss, {loss:.2f} at its best, is not below that of guessing, ln {vocabulary:,}"
        print(f"warning: {label}: {said} = {math.log(vocabulary):.2f}: try another optimization.lr", file=sys.stderr)


def _warn_of_warm_up(label: str, steps: int, warmup_steps: int) -> None:
    if steps < warmup_steps:
        said = f"it ended within the warm-up, after {steps:,} of {warmup_steps:,} updates"
        print(f"warning: {label}: {said}: set optimization.warmup_steps lower", file=sys.stderr)


class _Patience(EarlyStopping):
    """Early stopping that also holds for a training that is resumed after it should have stopped."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.wait_count >= self.patience:
            trainer.should_stop = True


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Without Lightning's notes on the hardware, and its warnings on choices that are meant."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # of torch, about Lightning's own code
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
