"""Open MLflow on the project's runs: `make ui`, or python -m softalign.training.ui --port 5000."""

from __future__ import annotations

import argparse
import os
import socket
import sys

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
        _check_free(arguments.host, arguments.port)
        uri = tracking_uri(TrackingConfig(), Layout(project_root()).store)
        pages = _pages(uri, f"http://{arguments.host}:{arguments.port}")
        print(f"MLflow on {uri} (Ctrl-C ends it)", *pages, sep="\n", flush=True)
        os.environ.update(
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", MLFLOW_DISABLE_TELEMETRY="true"
        )  # 0.5 GB, not 1.7
        command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--workers", "1"]
        command += ["--host", arguments.host, "--port", str(arguments.port)]
        # Only MLflow's assistant needs what the lifespan does, which answers Ctrl-C with a traceback.
        command += ["--uvicorn-opts", "--lifespan off --log-level warning"]
        database = sqlite_file(uri)
        if database is not None:
            command += ["--default-artifact-root", str(database.parent / "mlruns")]
        os.execv(sys.executable, command)


def _pages(uri: str, server: str) -> list[str]:
    """The address of each experiment's table of runs, a line each; MLflow itself opens a page for language models."""
    experiments = connect(uri).search_experiments(order_by=["name ASC"])
    tasks = [experiment for experiment in experiments if experiment.name != "Default"]
    if not tasks:
        return [f"  no runs yet: {server}"]
    width = max(len(task.name) for task in tasks)
    return [
        f"  {task.name:{width}}  {server}/#/experiments/{task.experiment_id}?workflowType=machine_learning"
        for task in tasks
    ]


def _check_free(host: str, port: int) -> None:
    """MLflow says it in the middle of other lines, and ends with status 0."""
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot listen: {what}", f"{host}:{port}", "take another port: make ui PORT=5001") from None


if __name__ == "__main__":
    main()
