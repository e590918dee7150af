"""The trained model as an MLflow model, which `mlflow.pyfunc.load_model` loads and `mlflow models serve` serves."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from softalign.training.checkpointing import BEST, read_checkpoint, serialized
from softalign.training.run_record import RunRecord
from softalign.typed import to_dict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

TOKENIZERS = ("source_tokenizer", "target_tokenizer")
REQUIREMENTS = ("torch", "tokenizers", "hydra-core", "pyyaml", "numpy", "mlflow")
PACKAGE = Path(__file__).resolve().parents[1]


def servable(record: RunRecord, prepared: Path) -> bool:
    """Whether everything is there that serving needs: the checkpoint, and the tokenizers it was trained with."""
    report = prepared / "report.json"
    present = (record.folder / "train" / BEST).exists() and report.exists()
    if not present or not all((prepared / f"{name}.json").exists() for name in TOKENIZERS):
        return False
    fingerprint = json.loads(report.read_text(encoding="utf-8")).get("fingerprint")
    return bool(fingerprint == record.identity.data_fingerprint)


def log_model(client: MlflowClient, uri: str, run: Run, record: RunRecord, prepared: Path) -> None:
    """Log the model of the best epoch to a run, with the code that it needs."""
    import mlflow
    import mlflow.pyfunc
    from mlflow.models import Model

    run_id = run.info.run_id
    with tempfile.TemporaryDirectory() as temporary, _tracking_to(uri):
        checkpoint = read_checkpoint(record.folder / "train" / BEST)
        slim = Path(temporary) / BEST  # without the optimizer's state, which is two thirds of it
        slim.write_bytes(serialized({key: checkpoint[key] for key in ("hyper_parameters", "state_dict")}))
        config = Path(temporary) / "config.yaml"
        config.write_text(yaml.safe_dump(to_dict(record.config), sort_keys=False), encoding="utf-8")
        # Created here, because Model.log would put it into MLflow's default experiment.
        model = client.create_logged_model(run.info.experiment_id, record.identity.model, source_run_id=run_id)
        Model.log(
            artifact_path=None,
            model_id=model.model_id,
            flavor=mlflow.pyfunc,
            run_id=run_id,
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={
                "checkpoint": str(slim),
                "config": str(config),
                **{name: str(prepared / f"{name}.json") for name in TOKENIZERS},
            },
            code_paths=[str(PACKAGE)],
            pip_requirements=[f"{name}=={version(name)}".split("+")[0] for name in REQUIREMENTS],
        )


@contextmanager
def _tracking_to(uri: str) -> Iterator[None]:
    """MLflow logs models to its global tracking URI alone; it and the environment are as before afterwards."""
    import mlflow
    from mlflow.tracking._tracking_service import utils

    before, environment = utils._tracking_uri, os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None means unset
        if environment is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        else:
            os.environ["MLFLOW_TRACKING_URI"] = environment
