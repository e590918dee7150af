"""MLflow: one experiment per task, one run per arm and seed, found again by the tag `softalign.fingerprint`.

The files of a run are the truth, and MLflow shows them: `record_runs` makes a run in MLflow hold what the files hold,
whether it was logged live, came out of DVC's cache, or lost points while a server was down. So nothing here stops
a training: what fails becomes one warning, and is made up for by the next `record_runs`.
"""

from __future__ import annotations

import hashlib
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from softalign.config import Config, TrackingConfig
from softalign.errors import UserError
from softalign.paths import Layout
from softalign.training import run_record
from softalign.training.failure import FAILURE, DivergedError, Failure, origin_of
from softalign.training.identity import Identity
from softalign.training.mlflow_store import connect, experiment_of, sqlite_file, store_lock, tracking_uri
from softalign.training.points import Point
from softalign.training.run_record import RunRecord
from softalign.typed import to_dict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Draw = Callable[[RunRecord], Mapping[str, bytes]]  # figures of a run, by file name

FINGERPRINT, FILES, MODEL = "softalign.fingerprint", "softalign.files", "softalign.model"
CHUNK = 900  # metrics a call; MLflow takes 1000
FAILURE_TAG = "failure."  # and a field of `Failure`
SAMPLE = 200  # predictions in the table
WARM_UP = 60.0  # seconds of a training before which nobody watches it in MLflow


class RunTracker:
    """Logs the points of one training to one run; keeps what could not be sent and tries again later, less and less
    often, so that a server that is down costs a training a few seconds. Opens the run when `warm_up` seconds have
    passed."""

    def __init__(self, uri: str, identity: Identity, config: Config, warm_up: float = 0.0) -> None:
        self._uri, self._identity, self._config = uri, identity, config
        self._client: MlflowClient | None = None
        self._run_id = ""
        self._pending: list[Point] = []
        self._known: dict[str, set[int]] = {}
        self._started = time.time()
        self._open_at = time.monotonic() + warm_up
        self._retry_at = 0.0
        self._pause = 15.0  # seconds
        self.log([])  # opens the run

    @property
    def warming_up(self) -> bool:
        """Whether it is too early for the run to have been opened."""
        return time.monotonic() < self._open_at

    def log(self, points: Iterable[Point]) -> None:
        """Send points, and those that wait. Neither raises nor blocks for long."""
        self._pending += points
        if not self.warming_up and time.monotonic() >= self._retry_at:
            self._try()

    def close(self, status: str, failure: Failure | None = None) -> None:
        """Send what waits and end the run: FINISHED, FAILED or KILLED; a `failure` becomes its tags."""
        if self._retry_at and time.monotonic() < self._retry_at:
            return  # it was down a moment ago
        self._try(status, failure)

    def _try(self, status: str | None = None, failure: Failure | None = None) -> None:
        try:
            client = self._opened()
            new = [p for p in self._pending if p.step not in self._steps(client, p.key)]
            log_points(client, self._run_id, new)
            for point in new:
                self._known[point.key].add(point.step)
            self._pending = []
            if failure:
                _log_batch(client, self._run_id, tags=run_record.flat(asdict(failure), FAILURE_TAG))
            if status:
                client.set_terminated(self._run_id, status)
            self._retry_at, self._pause = 0.0, 15.0
        except Exception as error:  # whatever a store or a network can come up with
            self._client = None
            if not self._retry_at:
                warn(self._uri, error)
            self._retry_at, self._pause = time.monotonic() + self._pause, 2 * self._pause

    def _opened(self) -> MlflowClient:
        if self._client is None:
            client = connect(self._uri)
            run = ensure_run(client, self._uri, self._identity, self._config, self._started)
            self._run_id = run.info.run_id
            if run.info.status != "RUNNING":
                client.update_run(self._run_id, status="RUNNING")
                _forget_failure(client, run)
            self._client = client
        return self._client

    def _steps(self, client: MlflowClient, key: str) -> set[int]:
        """The steps of `key` that the run has: of an earlier training that was interrupted or is repeated."""
        if key not in self._known:
            self._known[key] = {metric.step for metric in client.get_metric_history(self._run_id, key)}
        return self._known[key]


@contextmanager
def tracked_training(config: Config, layout: Layout, identity: Identity, output: Path) -> Iterator[RunTracker | None]:
    """A tracker for the training in the block; None where tracking is off.

    At the end the run in MLflow gets what the files in `output` (train/ of a run) hold, or the status FAILED after
    an error (where the training diverged, with failure.json as tags) and KILLED after an interruption. kill -9 leaves
    it RUNNING until the training is resumed.

    A training shorter than `WARM_UP` is logged when it has ended; that of a pipeline by its last stage, which starts
    MLflow once for all arms, because starting it here would take several seconds of each.
    """
    if not config.tracking.enabled:
        yield None
        return
    tracker = RunTracker(tracking_uri(config.tracking, layout.store), identity, config, WARM_UP)
    try:
        yield tracker
    except Exception as error:
        tracker.close("FAILED", error.failure if isinstance(error, DivergedError) else None)
        raise
    except BaseException:  # Ctrl-C, or Lightning's SystemExit for it
        tracker.close("KILLED")
        raise
    if tracker.warming_up and not layout.by_hand:
        return
    tracker.close("FINISHED")
    record_runs(config.tracking, layout, [output.parent])


def record_runs(tracking: TrackingConfig, layout: Layout, folders: Iterable[Path], draw: Draw = lambda _: {}) -> None:
    """Make MLflow hold what these run folders (runs/<task>/<model>/<seed>) hold, creating runs that are missing.

    What it holds already is left alone, so that this is quick to repeat. A run that a person has deleted in MLflow
    stays deleted. `draw` makes the figures of a run that MLflow lacks. Never raises: what goes wrong becomes a warning.
    """
    if not tracking.enabled:
        return
    uri = tracking_uri(tracking, layout.store)
    try:
        client = connect(uri)
        for folder in folders:
            try:
                if (folder / "train" / FAILURE).exists():
                    _record_failure(client, uri, folder / "train" / FAILURE)
                    continue
                record = RunRecord.read(folder)
            except (OSError, ValueError, TypeError, KeyError, UserError) as error:
                print(f"warning: MLflow is not told about {folder}: {error}", file=sys.stderr)
                continue
            _record(client, uri, record, layout.prepared(record.identity.task), draw)
    except Exception as error:
        warn(uri, error)


def ensure_run(client: MlflowClient, uri: str, identity: Identity, config: Config, start: float | None = None) -> Run:
    """The run with this identity's fingerprint, created where there is none. `start`: seconds since 1970."""
    database = sqlite_file(uri)
    with store_lock(database) if database else nullcontext():
        experiment = experiment_of(client, uri, identity.task)
        run = find_run(client, experiment, identity.fingerprint)
        if run is None:
            run = client.create_run(
                experiment,
                run_name=run_record.run_name(identity),
                tags=run_record.tags(identity, config),
                start_time=round(1000 * (start or time.time())),
            )
            params = run_record.parameters(config)
            _log_batch(client, run.info.run_id, params=params)
            _write_texts(client, run.info.run_id, identity, config)
    return run


def find_run(client: MlflowClient, experiment: str, fingerprint: str, deleted: bool = False) -> Run | None:
    """The run with this fingerprint that is not deleted (or, on request, that is)."""
    from mlflow.entities import ViewType

    view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    query = f"tags.`{FINGERPRINT}` = '{fingerprint}'"
    runs = client.search_runs([experiment], filter_string=query, run_view_type=view, max_results=1)
    return runs[0] if runs else None


def log_points(client: MlflowClient, run_id: str, points: Iterable[Point]) -> None:
    """Log points in as few calls as MLflow allows."""
    from mlflow.entities import Metric

    metrics = [Metric(p.key, p.value, round(1000 * p.time), p.step) for p in points if math.isfinite(p.value)]
    for start in range(0, len(metrics), CHUNK):
        client.log_batch(run_id, metrics=metrics[start : start + CHUNK])


def warn(uri: str, error: BaseException) -> None:
    reason = (str(error).strip().splitlines() or [""])[0]
    print(
        f"warning: MLflow at {uri} cannot be used ({type(error).__name__}: {reason[:300]}); going on without it,"
        " and what it misses is added later from the files",
        file=sys.stderr,
        flush=True,
    )


def _run_of(client: MlflowClient, uri: str, identity: Identity, config: Config, start: float) -> Run | None:
    """The run of a training, created where there never was one; None where a person has deleted it."""
    experiment = experiment_of(client, uri, identity.task)
    run = find_run(client, experiment, identity.fingerprint)
    if run is None and find_run(client, experiment, identity.fingerprint, deleted=True):
        return None
    return run or ensure_run(client, uri, identity, config, start)


def _record_failure(client: MlflowClient, uri: str, path: Path) -> None:
    """Fail the run of a training that diverged, where MLflow was not told when it did."""
    origin = origin_of(path)
    if origin is None:
        return
    identity, config = origin
    run = _run_of(client, uri, identity, config, path.stat().st_mtime)
    if run is None or run.info.status == "FINISHED":  # it has ended well since, elsewhere or with other code
        return
    tags = run_record.flat(asdict(Failure.read(path)), FAILURE_TAG)
    if run.info.status != "FAILED" or not tags.items() <= run.data.tags.items():
        _log_batch(client, run.info.run_id, tags=tags)
        client.set_terminated(run.info.run_id, "FAILED", end_time=round(1000 * path.stat().st_mtime))


def _record(client: MlflowClient, uri: str, record: RunRecord, prepared: Path, draw: Draw) -> None:
    start = record.cost.finished_at - record.cost.wall_seconds
    run = _run_of(client, uri, record.identity, record.config, start)
    if run is None:
        return
    run_id = run.info.run_id
    if run.data.tags.get(FILES) != record.digest:
        _record_points(client, run, record)
        _record_artifacts(client, run_id, record, draw)
        tags = run_record.tags(record.identity, record.config) | {FILES: record.digest}
        _log_batch(client, run_id, tags=tags)
    _record_model(client, uri, run, record, prepared)
    _forget_failure(client, run)  # an earlier attempt may have failed
    if run.info.status != "FINISHED" or run.info.end_time is None:
        client.set_terminated(run_id, "FINISHED", end_time=round(1000 * record.cost.finished_at))


def _forget_failure(client: MlflowClient, run: Run) -> None:
    """Remove the tags of a training that diverged: the same training goes on, or has ended well."""
    for key in run.data.tags:
        if key.startswith(FAILURE_TAG):
            client.delete_tag(run.info.run_id, key)


def _record_points(client: MlflowClient, run: Run, record: RunRecord) -> None:
    """Add the points that are missing, and the single numbers that are new or have changed."""
    run_id = run.info.run_id
    curves: dict[str, list[Point]] = {}
    for point in record.points():
        curves.setdefault(point.key, []).append(point)
    missing: list[Point] = []
    for key, points in curves.items():
        known = {metric.step for metric in client.get_metric_history(run_id, key)}
        missing += [point for point in points if point.step not in known]
    for key, value in run_record.summary_metrics(record).items():
        if run.data.metrics.get(key) != value:
            missing.append(Point(key, value, 0))
    for point in run_record.length_points(record):
        values = {m.step: m.value for m in client.get_metric_history(run_id, point.key)}
        if values.get(point.step) != point.value:
            missing.append(point)
    log_points(client, run_id, missing)


def _record_artifacts(client: MlflowClient, run_id: str, record: RunRecord, draw: Draw) -> None:
    for path in (record.folder / "train").iterdir():
        if path.suffix in (".csv", ".json", ".yaml"):
            client.log_artifact(run_id, str(path), "train")
    if record.scores is None:
        return
    client.log_artifact(run_id, str(record.folder / "test" / "scores.json"), "test")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in draw(record).items():
            (Path(folder) / name).write_bytes(content)
        client.log_artifacts(run_id, folder, "figures")
    tables = {"predictions.json": record.predictions[:SAMPLE], "by_length.json": record.scores.get("by_length") or []}
    known = {artifact.path for artifact in client.list_artifacts(run_id)}
    for name, rows in tables.items():
        if not rows:
            continue
        if name not in known:
            client.log_table(run_id, run_record.table(rows), name)
        else:  # log_table would append to the rows of an earlier evaluation
            import pandas as pd

            client.log_text(run_id, pd.DataFrame(run_record.table(rows)).to_json(orient="split", index=False), name)


def _record_model(client: MlflowClient, uri: str, run: Run, record: RunRecord, prepared: Path) -> None:
    """Log the best model, with its tokenizers, as something that MLflow can load and serve."""
    from softalign.training.logged_model import log_model, servable

    if record.scores is None or not servable(record, prepared):
        return
    checkpoint = (record.folder / "train" / "best.ckpt").read_bytes()
    decoding = yaml.safe_dump(to_dict(record.config.decoding)).encode()
    version = hashlib.sha256(checkpoint + decoding).hexdigest()[:32]
    if run.data.tags.get(MODEL) != version:
        log_model(client, uri, run, record, prepared)
        client.set_tag(run.info.run_id, MODEL, version)


def _write_texts(client: MlflowClient, run_id: str, identity: Identity, config: Config) -> None:
    """The resolved configuration, from the first moment of the run on."""
    client.log_text(run_id, yaml.safe_dump(to_dict(config), sort_keys=False), "train/config.yaml")
    client.log_dict(run_id, asdict(identity), "train/run.json")


def _log_batch(client: MlflowClient, run_id: str, **content: dict[str, str]) -> None:
    from mlflow.entities import Param, RunTag

    params = [Param(key, value[:6000]) for key, value in content.get("params", {}).items()]
    tags: list[Any] = [RunTag(key, value[:5000]) for key, value in content.get("tags", {}).items()]
    client.log_batch(run_id, params=params, tags=tags)
