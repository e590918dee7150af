"""The model as Lightning trains it: loss, optimizer, schedule, and nothing else."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch

from softalign.config import Config, ModelConfig, OptimizationConfig
from softalign.data.batching import Batch
from softalign.data.prepared import Prepared
from softalign.models.seq2seq import Seq2Seq
from softalign.training.schedule import rate_factor
from softalign.typed import to_dict


class Seq2SeqModule(pl.LightningModule):
    """A thin adapter around `Seq2Seq`, which runs without it just as well.

    The loss of a step is the mean over the batch's target tokens; `validation_loss` is the mean over all target
    tokens of the split, in nats, without label smoothing and without dropout. `gradient_norm` is the last step's, of
    all parameters together, before clipping: it stays on the device until somebody asks for it.
    """

    gradient_norm: torch.Tensor

    def __init__(
        self,
        model: ModelConfig,
        optimization: OptimizationConfig,
        source_vocabulary: int,
        target_vocabulary: int,
        shared_vocabulary: bool = False,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(
            {  # plain containers, so that a checkpoint loads with weights_only=True
                "model": to_dict(model),
                "source_vocabulary": source_vocabulary,
                "target_vocabulary": target_vocabulary,
                "shared_vocabulary": shared_vocabulary,
            }
        )
        self.optimization = optimization
        self.model = Seq2Seq(model, source_vocabulary, target_vocabulary, shared_vocabulary)

    @classmethod
    def of(cls, config: Config, prepared: Prepared) -> Seq2SeqModule:
        """The arm of `config` as it starts, for the vocabularies of the prepared data."""
        return cls(
            config.model,
            config.optimization,
            len(prepared.source_tokenizer),
            len(prepared.target_tokenizer),
            prepared.shared_vocabulary,
        )

    def training_step(self, batch: Batch, batch_index: int) -> dict[str, Any]:
        summed = self.model.loss(batch, self.optimization.label_smoothing)
        return {"loss": summed.objective / summed.tokens, "tokens": summed.tokens}

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        summed = self.model.loss(batch)
        loss = summed.nll / summed.tokens
        # Lightning's mean over the epoch weights by batch_size: tokens here.
        self.log("validation_loss", loss, on_epoch=True, prog_bar=True, batch_size=summed.tokens)

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the norm of all gradients together (Pascanu et al., 2013).

        Lightning's own refuses a fused optimizer in bf16, because of a gradient scaler that only fp16 has.
        """
        if gradient_clip_val:
            self.gradient_norm = torch.nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val)

    def configure_optimizers(self) -> Any:
        config = self.optimization
        optimizer = torch.optim.AdamW(  # with weight_decay 0 it is Adam
            self.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=True
        )
        total_steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_factor(step, total_steps, config))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
