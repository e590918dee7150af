"""The MLflow store: where it is, created safely, and still whole after the project folder has been moved.

Nothing here imports mlflow before `connect` is called.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from softalign.config import TrackingConfig

if TYPE_CHECKING:
    from mlflow import MlflowClient

ROOT_TAG = "softalign.root"  # of an experiment: the folder that its artifacts lay below when it was last opened
LOCATIONS = {  # every column of MLflow's schema that holds the place of an artifact
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
ENVIRONMENT = {  # unless the person has chosen otherwise: MLflow's own defaults hang for minutes, and chat
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def tracking_uri(tracking: TrackingConfig, store: Path) -> str:
    """`tracking.uri`, else MLFLOW_TRACKING_URI, else mlflow.db in the project that owns the store (`Layout.store`)."""
    return tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{store / 'mlflow.db'}"


def connect(uri: str) -> MlflowClient:
    """A client of the store at `uri`, which is created or put right first where it is an sqlite file.

    A server that does not answer makes its calls raise within seconds.
    """
    ensure_store(uri)
    return _client(uri)


def ensure_store(uri: str) -> None:
    """Create the sqlite database of `uri` where there is none, and correct its artifact locations after a move.

    Safe in several processes at once. Does nothing for another kind of store.
    """
    database = sqlite_file(uri)
    if database is None:
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with store_lock(database):
        if not database.exists():
            _create(database)
        relocate(database)


def sqlite_file(uri: str) -> Path | None:
    """The file of an sqlite URI; None for every other store."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").split("?")[0]).absolute()


def store_lock(database: Path) -> FileLock:
    """What a process holds while it creates or corrects the database, or looks for a run in order to create it."""
    return FileLock(database.with_name(f"{database.name}.lock"), timeout=120)


def artifact_root(database: Path) -> str:
    """The URI of the folder that the artifacts of an sqlite store lie below."""
    return (database.parent / "mlruns").as_uri()


def _create(database: Path) -> None:
    """Create the tables in a file of another name first: a process killed meanwhile leaves no half a database."""
    beside = database.with_name(f"{database.name}.new")
    beside.unlink(missing_ok=True)
    _client(f"sqlite:///{beside}").search_experiments(max_results=1)
    root = artifact_root(database)
    with sqlite3.connect(beside) as connection:  # MLflow took the working directory
        connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0", (f"{root}/0",))
        connection.execute("INSERT INTO experiment_tags (experiment_id, key, value) VALUES (0, ?, ?)", (ROOT_TAG, root))
    connection.close()
    os.replace(beside, database)


def relocate(database: Path) -> None:
    """Rewrite the artifact locations of a database whose folder has been moved or copied.

    MLflow stores them absolute. The tag ROOT_TAG of the experiments says what they begin with.
    """
    new = artifact_root(database)
    connection = sqlite3.connect(database, timeout=60)
    try:
        with connection:
            roots = connection.execute("SELECT DISTINCT value FROM experiment_tags WHERE key = ?", (ROOT_TAG,))
            moved = [old for (old,) in roots if old != new]
            for old in moved:
                for table, columns in LOCATIONS.items():
                    for column in columns:
                        connection.execute(
                            f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                            (new, len(old) + 1, len(old) + 1, f"{old}/"),
                        )
            if moved:
                connection.execute("UPDATE experiment_tags SET value = ? WHERE key = ?", (new, ROOT_TAG))
    finally:
        connection.close()


def experiment_of(client: MlflowClient, uri: str, task: str) -> str:
    """The id of the experiment of a task, created where there is none. For sqlite call it under `store_lock`."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(task)
    if found is None:
        database = sqlite_file(uri)
        root = artifact_root(database) if database else None
        tags: dict[str, Any] = {"mlflow.note.content": f"softalign, {task}: one run per arm and seed"}
        if root:
            tags[ROOT_TAG] = root
        try:
            location = f"{root}/{task}" if root else None  # a server chooses its own
            return str(client.create_experiment(task, artifact_location=location, tags=tags))
        except MlflowException:
            found = client.get_experiment_by_name(task)  # another process was faster
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _client(uri: str) -> MlflowClient:
    """A client that says nothing of every migration and every retry."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)  # before mlflow is imported
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic", "alembic.runtime.migration", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(uri)
