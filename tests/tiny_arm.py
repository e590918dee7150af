"""A toy language pair (each word has one translation, in the same order) and arms trained on it in a second or two."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from softalign.config import (
    CleaningConfig,
    Config,
    DataConfig,
    DecodingConfig,
    EmbeddedSource,
    EvaluationConfig,
    ModelConfig,
    OptimizationConfig,
    TaskConfig,
    TokenizerConfig,
    TrackingConfig,
    TrainerConfig,
)
from softalign.data.batching import collate
from softalign.data.prepared import load_prepared, prepare
from softalign.evaluation.split import split_of
from softalign.models.seq2seq import Seq2Seq
from softalign.paths import Layout
from softalign.training.history import EPOCH_COLUMNS, write_table
from softalign.training.identity import identify
from softalign.typed import to_dict

WORDS = {
    "eins": "one",
    "zwei": "two",
    "drei": "three",
    "vier": "four",
    "sechs": "six",
    "sieben": "seven",
    "zehn": "ten",
    "elf": "eleven",
}


def tiny_config(fusion: str) -> Config:
    """A configuration of an arm that trains in seconds."""
    attention = {"vanilla": None, "multiply": "dot", "bahdanau": "additive"}[fusion]
    return Config(
        task=TaskConfig(name="translation", headline_metric="bleu", lead_words=2),
        data=DataConfig(
            name="numbers",
            source=EmbeddedSource(corpus="phrasebook", seed=1, train_rows=400, validation_rows=30, test_rows=40),
            cleaning=CleaningConfig(max_source_words=20, max_target_words=20),
            tokenizer=TokenizerConfig(vocabulary_size=400, shared=False),
        ),
        model=ModelConfig(
            name=fusion,
            fusion=fusion,
            score=attention,
            attention_size=32 if attention == "additive" else None,
            cell="gru",
            embedding_size=64,
            hidden_size=64,
        ),
        optimization=OptimizationConfig(lr=0.005, max_epochs=1, patience=1, batch_size=40),
        decoding=DecodingConfig(beam_size=3, batch_size=16, precision="fp32"),
        evaluation=EvaluationConfig(length_buckets=3, bootstrap_samples=100, attention_examples=2),
        trainer=TrainerConfig(accelerator="cpu", progress="none", threads=1),
        tracking=TrackingConfig(enabled=False),
    )


def write_toy_data(layout: Layout, config: Config) -> Path:
    """Write raw Parquet and prepare it."""
    generator = np.random.default_rng(0)
    raw = layout.raw(config.task.name)
    raw.mkdir(parents=True)
    for split, rows in (("train", 400), ("validation", 30), ("test", 40)):
        words = [list(generator.choice(list(WORDS), generator.integers(2, 7))) for _ in range(rows)]
        targets = [" ".join(WORDS[word] for word in row) for row in words]
        table = {
            "source": [" ".join(row) for row in words],
            "target": targets,
            "references": [[target] for target in targets],
            "alignment": [" ".join(f"{i}-{i}" for i in range(len(row))) for row in words],
        }
        pq.write_table(pa.table(table), raw / f"{split}.parquet")
    (raw / "provenance.json").write_text(json.dumps({"data": "numbers", "kind": "embedded", "revision": None}))
    prepare(raw, layout.prepared(config.task.name), config.data)
    return layout.prepared(config.task.name)


def train_tiny(layout: Layout, config: Config, steps: int) -> Path:
    """Train on the toy data with a plain loop; leave train/ as far as evaluation reads it. Returns the run's folder."""
    prepared = layout.prepared(config.task.name)
    data = load_prepared(prepared, config.data)
    sizes = len(data.source_tokenizer), len(data.target_tokenizer)
    torch.set_num_threads(config.trainer.threads)  # such small products only lose by a second thread
    torch.manual_seed(config.seed)
    model = Seq2Seq(config.model, *sizes)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.optimization.lr)
    rows, size = split_of(data.splits["train"]).rows, config.optimization.batch_size
    for step in range(steps):
        start = step * size % len(rows)
        loss = model.loss(collate(rows[start : start + size]))
        optimizer.zero_grad()
        (loss.objective / loss.tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.optimization.clip_norm)
        optimizer.step()
    run = layout.run(config.task.name, config.model.name, config.seed)
    (run / "train").mkdir(parents=True)
    identify(config, prepared).write(run / "train" / "run.json")
    epochs = ([1, 2, 5.5, 5.6, 270.4, 0.1, 1.0], [2, 4, 5.1, 5.3, 200.3, 0.1, 2.0])
    rows = [dict(zip(EPOCH_COLUMNS, epoch, strict=True)) for epoch in epochs]
    write_table(run / "train" / "history.csv", EPOCH_COLUMNS, rows)
    torch.save(
        {
            "hyper_parameters": {
                "model": to_dict(config.model),
                "source_vocabulary": sizes[0],
                "target_vocabulary": sizes[1],
                "shared_vocabulary": False,
            },
            "state_dict": {f"model.{name}": value for name, value in model.state_dict().items()},
        },
        run / "train" / "best.ckpt",
    )
    return run
