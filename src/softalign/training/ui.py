"""Open MLflow on the project's runs: `make ui`, or python -m softalign.training.ui --port 5000."""

from __future__ import annotations

import argparse
import os
import socket
import sqlite3
import sys
from pathlib import Path

from softalign.config import TrackingConfig
from softalign.errors import UserError, reported
from softalign.paths import Layout, project_root
from softalign.training.mlflow_store import connect, sqlite_file, tracking_uri


def main() -> None:
    parser = argparse.ArgumentParser(description="open MLflow on the project's runs")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    with reported():
        uri = tracking_uri(TrackingConfig(), Layout(project_root()).store)
        address, database = f"http://{arguments.host}:{arguments.port}", sqlite_file(uri)
        if uri.startswith(("http://", "https://")):
            print(f"the runs are on a server, which has its own pages: {_without_credentials(uri)}")
            return
        _check_free(arguments.host, arguments.port)
        _check_opens(uri)
        pages = [f"  {address}"] if database is None else _pages(database, address)
        print(f"MLflow on {_without_credentials(uri)} (Ctrl-C ends it)", *pages, sep="\n", flush=True)
        os.environ.update(
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", MLFLOW_DISABLE_TELEMETRY="true"
        )  # 0.5 GB, not 1.7
        command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--workers", "1"]
        command += ["--host", arguments.host, "--port", str(arguments.port)]
        # Only MLflow's assistant needs what the lifespan does, which answers Ctrl-C with a traceback.
        command += ["--uvicorn-opts", "--lifespan off --log-level warning"]
        if database is not None:
            command += ["--default-artifact-root", str(database.parent / "mlruns")]
        os.execv(sys.executable, command)


def _pages(database: Path, server: str) -> list[str]:
    """The address of each experiment's table of runs, a line each; MLflow itself opens a page for language models."""
    connection = sqlite3.connect(database, timeout=60)
    try:
        tasks = connection.execute(
            "SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'active' AND name != 'Default'"
            " ORDER BY name"
        ).fetchall()
    finally:
        connection.close()
    width = max((len(name) for name, _ in tasks), default=0)
    return [
        f"  {name:{width}}  {server}/#/experiments/{number}?workflowType=machine_learning" for name, number in tasks
    ] or [f"  no runs yet: {server}/#/experiments?workflowType=machine_learning"]


def _check_opens(uri: str) -> None:
    """MLflow's server says what is wrong with a store with a traceback. Creates an sqlite file."""
    try:
        connect(uri).search_experiments(max_results=1)
    except Exception as error:  # whatever MLflow, SQLAlchemy or the driver of a database can come up with
        lines = str(error).splitlines() or [type(error).__name__]
        remedy = "mend the file, or name another store in MLFLOW_TRACKING_URI"
        if not sqlite_file(uri):
            remedy = "check MLFLOW_TRACKING_URI; a database other than sqlite needs its driver installed"
        raise UserError(f"cannot open the runs: {lines[0]}", _without_credentials(uri), remedy) from None


def _without_credentials(uri: str) -> str:
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError

    if sqlite_file(uri):  # SQLAlchemy would write its letters beyond ASCII as %C3%A4
        return uri
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):  # "databricks", or a port that is no number
        return "MLFLOW_TRACKING_URI"
    return URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()


def _check_free(host: str, port: int) -> None:
    """MLflow says it in the middle of other lines, and ends with status 0."""
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot listen: {what}", f"{host}:{port}", "take another port: make ui PORT=5001") from None


if __name__ == "__main__":
    main()
