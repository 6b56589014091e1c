"""The servers that a benchmark compares, each in a process of its own with one worker.

Ours runs as `coverage-hooks serve` does; the bare view as one would start a Flask app, with the same
kind of worker and the same threads.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask, request

from cds_service.settings import Settings

PATH = "/cds-services/infusion-pump-order-sign"
OURS, BARE = "coverage-hooks", "bare Flask view"


def bare_view() -> Flask:
    """A view that only parses its body."""
    app = Flask("bare")

    @app.post(PATH)
    def view() -> dict[str, Any]:
        request.get_json()
        return {"cards": []}

    return app


class Server:
    """A server with one worker; use as a context manager, then post bodies over one connection.

    port: where it listens on this machine.
    """

    def __init__(self, name: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            _command(name, port),
            env={**os.environ, "COVERAGE_HOOKS_WORKERS": "1"},
            stdout=subprocess.DEVNULL,
        )
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __enter__(self) -> Server:
        end = time.monotonic() + 30
        while True:
            try:
                self._connection.connect()
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait()

    def post(self, body: bytes) -> bytes:
        """Send a body; the answer. Raises RuntimeError for an error status."""
        self._connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:200]!r}")
        return answer

    def reset_peak(self) -> None:
        """Forget the highest memory so far."""
        for process in self._workers():
            (process / "clear_refs").write_text("5")

    def memory(self, name: str) -> float:
        """VmHWM (highest since reset_peak) or VmRSS (now) of the worker in MB; Linux only."""
        found = 0
        for process in self._workers():
            for line in (process / "status").read_text().splitlines():
                if line.startswith(name):
                    found = max(found, int(line.split()[1]))
        return found / 1000

    def _workers(self) -> list[Path]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [Path("/proc") / child for child in children.read_text().split()]


def _command(name: str, port: int) -> list[str]:
    if name == OURS:
        return [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port)]
    worker = ["--worker-class", "gthread", "--threads", str(Settings().threads), "--log-level", "error"]
    bind = ["--bind", f"127.0.0.1:{port}", "tests.benchmarks.servers:bare_view()"]
    return [sys.executable, "-m", "gunicorn", *worker, *bind]
