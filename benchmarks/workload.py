"""What is measured: a configuration, the sizes of its vocabularies, and batches, real or random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from softalign.composition import compose
from softalign.config import Config, DataConfig
from softalign.data.batching import Batch, collate
from softalign.data.datamodule import Seq2SeqData
from softalign.data.prepared import Prepared, load_prepared, prepare
from softalign.data.provenance import NAME, write_raw
from softalign.data.revisions import RevisionLock
from softalign.data.sources import load
from softalign.data.tokenizer import SPECIAL_TOKENS
from softalign.models.seq2seq import Seq2Seq
from softalign.paths import Layout
from softalign.training.identity import digest
from softalign.typed import to_dict

LARGER = ["model.cell=gru", "model.embedding_size=256", "model.hidden_size=512", "model.dropout=0.3"]


@dataclass(frozen=True)
class Workload:
    """One arm and what it trains on or decodes."""

    config: Config
    batches: list[Batch]
    source_vocabulary: int
    target_vocabulary: int
    shared_vocabulary: bool = False

    def model(self) -> Seq2Seq:
        """The arm as it starts, the same at every call."""
        torch.manual_seed(self.config.seed)
        return Seq2Seq(self.config.model, self.source_vocabulary, self.target_vocabulary, self.shared_vocabulary)


def real_workload(layout: Layout, overrides: Sequence[str], count: int) -> Workload:
    """The first `count` training batches of the first epoch of what the overrides configure."""
    config = compose(layout, overrides)
    data = prepared_data(config, layout)
    loader = Seq2SeqData(data, config.optimization, config.seed).train_dataloader()
    batches = [batch for _, batch in zip(range(count), loader, strict=False)]
    return Workload(config, batches, len(data.source_tokenizer), len(data.target_tokenizer), data.shared_vocabulary)


def prepared_data(config: Config, layout: Layout) -> Prepared:
    """The data of `config`, made where that has not been done yet."""
    folder = layout.root / "outputs" / "bench" / digest(to_dict(config.data))
    if not (folder / "prepared" / "report.json").exists():
        prepare(raw_text(layout, config.data), folder / "prepared", config.data)
    return load_prepared(folder / "prepared", config.data)


def raw_text(layout: Layout, config: DataConfig) -> Path:
    """The folder of the raw text of `config`, made where that has not been done yet."""
    folder = layout.root / "outputs" / "bench" / digest(to_dict(config.source)) / "raw"
    if not (folder / NAME).exists():
        splits, origin = load(config.source, [layout.root, layout.store], RevisionLock.of(layout))
        write_raw(splits, origin, config.name, folder)
    return folder


def random_workload(
    layout: Layout, overrides: Sequence[str], batch: int, source: int, target: int, vocabulary: int, count: int
) -> Workload:
    """`count` batches of random tokens, every sentence of the same length, EOS counted."""
    config = compose(layout, overrides)
    generator = torch.Generator().manual_seed(config.seed)
    first = len(SPECIAL_TOKENS)

    def sentence(length: int) -> list[int]:
        return torch.randint(first, vocabulary, (length - 1,), generator=generator).tolist()

    batches = [collate([(row, sentence(source), sentence(target)) for row in range(batch)]) for _ in range(count)]
    config = replace(config, optimization=replace(config.optimization, batch_size=batch))
    return Workload(config, batches, vocabulary, vocabulary)
