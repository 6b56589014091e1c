"""Log lines as they are written, and the service as it is started."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.settings import Settings
from cds_service.telemetry.logs import OWN, set_up_logs
from tests.service.test_served import free_port, wait_for

Json = dict[str, Any]


class Lines:
    """What was written to the log."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def all(self) -> list[Json]:
        return [json.loads(line) for line in self.text.splitlines()]

    def access(self) -> list[Json]:
        """The access lines, without the time."""
        return [line for line in self.all() if line["event"] == "request"]


Logged = Callable[..., Lines]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """Sets up logs as `serve` does, by settings; as before at the end."""
    root, own = logging.getLogger(), logging.getLogger(OWN)
    before = (root.handlers, root.level, own.level, threading.excepthook, warnings.showwarning)

    def set_up(**settings: Any) -> Lines:
        lines = Lines()
        set_up_logs(Settings(**settings), lines.stream)
        return lines

    yield set_up
    root.handlers, _, _, threading.excepthook, warnings.showwarning = before
    root.setLevel(before[1])
    own.setLevel(before[2])


class Running:
    """A started service: its base address and its folder, where it writes its log and its temporary files."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.temporary, self._out, self._err = folder / "tmp", folder / "out", folder / "err"
        self.temporary.mkdir(parents=True)
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port)],
                env=os.environ | environment | {"TMPDIR": str(self.temporary)},
                stdout=out,
                stderr=err,
                text=True,
            )

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def workers(self) -> list[int]:
        """The processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="utf-8").split()]

    def metrics(self) -> dict[str, float]:
        """Sample -> value."""
        text = requests.get(f"{self.base}/metrics", timeout=10).text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Running]:
    """The service as `serve` starts it, with a store and temporary files in a folder."""
    environment = {f"COVERAGE_HOOKS_{name}": value for name, value in settings.items()}
    environment.setdefault("COVERAGE_HOOKS_DATABASE_URL", f"sqlite:///{folder}/store/store.sqlite3")
    service = Running(folder, environment)
    try:
        wait_for(service.base, service.process)
        yield service
    finally:
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(timeout=30)
    assert service.process.returncode == 0, service.err


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="there is no /proc here")
