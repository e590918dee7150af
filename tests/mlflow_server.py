"""A real MLflow server on the loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Server:
    """A server that can be stopped and started again; `command` without its --port."""

    def __init__(self, folder: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = environment
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.command = [*command, "--port", str(port)]
        self.uri = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(self.log())

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "server.log").read_text()

    def interrupt(self) -> None:
        """Ctrl-C in its terminal; returns when it has ended."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def stop(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):  # after an interrupt
                os.killpg(self.process.pid, signal.SIGKILL)  # the group that it leads: its workers too
            self.process.wait()
            self.process = None
