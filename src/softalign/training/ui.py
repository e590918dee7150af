"""Open MLflow on the project's runs: `make ui`, or python -m softalign.training.ui --port 5000."""

from __future__ import annotations

import argparse
import os
import sys

from softalign.config import TrackingConfig
from softalign.errors import reported
from softalign.paths import Layout, project_root
from softalign.training.mlflow_store import ensure_store, sqlite_file, tracking_uri


def main() -> None:
    parser = argparse.ArgumentParser(description="open MLflow on the project's runs")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    with reported():
        uri = tracking_uri(TrackingConfig(), Layout(project_root()).store)
        ensure_store(uri)
        print(f"MLflow on {uri}: http://{arguments.host}:{arguments.port} (Ctrl-C ends it)", flush=True)
        os.environ.update(
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", MLFLOW_DISABLE_TELEMETRY="true"
        )  # 0.5 GB, not 1.7
        command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--workers", "1"]
        command += ["--host", arguments.host, "--port", str(arguments.port)]
        database = sqlite_file(uri)
        if database is not None:
            command += ["--default-artifact-root", str(database.parent / "mlruns")]
        os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
