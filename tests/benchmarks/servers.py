"""The servers that a benchmark compares, each in processes of its own.

Ours runs as `coverage-hooks serve` does, or under another server for the choice among them; the bare
Flask view as one would start a Flask app, with the same kind of worker and the same threads; the
Express view in as many processes.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask, request

from cds_service.settings import Settings

PATH = "/cds-services/infusion-pump-order-sign"
OURS, BARE, EXPRESS = "coverage-hooks", "bare Flask view", "Express view"
OTHERS = ("gunicorn sync", "gunicorn gevent", "granian")
"""Other servers than the one that `serve` starts, for the same application."""
_EXPRESS = Path(__file__).parent / "express"


def bare_view() -> Flask:
    """A view that only parses its body."""
    app = Flask("bare")

    @app.post(PATH)
    def view() -> dict[str, Any]:
        request.get_json()
        return {"cards": []}

    return app


def has_express() -> bool:
    """Whether Node is there; installs Express the first time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    if not (_EXPRESS / "node_modules").is_dir():
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        return subprocess.run(command, cwd=_EXPRESS, check=False).returncode == 0
    return True


class Server:
    """A running server; use as a context manager, then post bodies over one connection.

    port: where it listens on this machine. url: where it takes orders.
    """

    def __init__(self, name: str, workers: int = 1, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{PATH}"
        # The store of a benchmark is a file as by default, in a place of its own.
        self._state = tempfile.TemporaryDirectory()
        own = {"COVERAGE_HOOKS_WORKERS": str(workers), "XDG_STATE_HOME": self._state.name}
        # The same answer by every server.
        own |= {
            "COVERAGE_HOOKS_PUBLIC_URL": "https://coverage.example.org",
            "COVERAGE_HOOKS_HASH_KEY": "k" * 40,
        }
        # Installed packages are compiled, Flask here too; a checkout is compiled when it first runs.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            _command(name, self.port, workers),
            env={**inherited, **own, **environment},
            stdout=subprocess.DEVNULL,
            # It is written as in service, a line for each request; nobody reads it here.
            stderr=subprocess.DEVNULL,
        )
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def __enter__(self) -> Server:
        end = time.monotonic() + 60
        while True:
            try:
                self._connection.connect()
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait()
        self._state.cleanup()

    def post(self, body: bytes) -> bytes:
        """Send a body; the answer. Raises RuntimeError for an error status."""
        try:
            response = self._send(body)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # A server closes a connection that is idle for some seconds.
            self._connection.close()
            response = self._send(body)
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:200]!r}")
        return answer

    def _send(self, body: bytes) -> http.client.HTTPResponse:
        self._connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        return self._connection.getresponse()

    def reset_peak(self) -> None:
        """Forget the highest memory so far."""
        for process in self._workers():
            (process / "clear_refs").write_text("5")

    def memory(self, name: str) -> float:
        """VmHWM (highest since reset_peak) or VmRSS (now) of the largest worker in MB; Linux only."""
        found = 0
        for process in self._workers():
            for line in (process / "status").read_text().splitlines():
                if line.startswith(name):
                    found = max(found, int(line.split()[1]))
        return found / 1000

    def _workers(self) -> list[Path]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [Path("/proc") / child for child in children.read_text().split()]


def _command(name: str, port: int, workers: int) -> list[str]:
    app = "cds_service.app:create_app()"
    address = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--log-level", "error"]
    gunicorn = [sys.executable, "-m", "gunicorn", *address]
    if name == OURS:
        return [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port)]
    if name == EXPRESS:
        return ["node", str(_EXPRESS / "server.js"), str(port), str(workers), PATH]
    if name == "gunicorn sync":
        return [*gunicorn, "--preload", app]
    if name == "gunicorn gevent":
        return [*gunicorn, "--worker-class", "gevent", app]
    if name == "granian":
        place = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
        return [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-log"),
            *place,
            "cds_service.app:create_app",
        ]
    threads = ["--worker-class", "gthread", "--threads", str(Settings().threads)]
    return [*gunicorn, *threads, "tests.benchmarks.servers:bare_view()"]
