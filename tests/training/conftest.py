"""Toy data, prepared once, and a configuration that trains on it in a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_arm import tiny_config, write_toy_data

from softalign.config import Config, TrackingConfig
from softalign.paths import Layout

EPOCHS = 4


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(Layout(tmp_path_factory.mktemp("toy")), tiny_config("bahdanau"))


@pytest.fixture(scope="session")
def configured() -> Callable[..., Config]:
    """A configuration of an arm with options of optimization, trainer and tracking replaced."""

    def make(fusion: str = "bahdanau", seed: int = 1, tracked: bool = False, **options: Any) -> Config:
        config = tiny_config(fusion)
        optimization = {"max_epochs": EPOCHS, "patience": EPOCHS, "batch_size": 50, "lr": 0.01} | options
        asked = {key: optimization.pop(key) for key in ("precision", "progress") if key in options}
        trainer = {"threads": 1, "precision": "fp32"} | asked
        return replace(
            config,
            model=replace(config.model, dropout=0.2),
            optimization=replace(config.optimization, **optimization),
            trainer=replace(config.trainer, **trainer),
            tracking=TrackingConfig(enabled=tracked),
            seed=seed,
        )

    return make


@pytest.fixture(autouse=True)
def no_outside_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an MLflow store without runs; a test copies it, which is quicker than creating one."""
    from softalign.training.mlflow_store import ensure_store, tracking_uri

    folder = tmp_path_factory.mktemp("store")
    ensure_store(tracking_uri(TrackingConfig(), folder))
    return folder
