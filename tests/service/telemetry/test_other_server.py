"""The service under gunicorn's own command: the log lines are those of `serve`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.samples import paperwork_missing
from tests.service.bodies import SIGN
from tests.service.test_served import free_port, wait_for

# As docs/operations.md has it.
OURS = (
    *("--logger-class", "cds_service.server.Log"),
    *("--worker-class", "cds_service.slow_clients.ImpatientWorker", "--threads", "8"),
)


@contextmanager
def gunicorn(log: Path, *options: str) -> Iterator[int]:
    """The port of a started gunicorn that writes its standard error into `log`; it has ended at the end."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *options]
    with log.open("w") as err:
        process = subprocess.Popen(
            [*command, "cds_service.app:create_app()"],
            env=os.environ | {"COVERAGE_HOOKS_DATABASE_URL": "none"},
            stderr=err,
            text=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def is_access(line: dict[str, Any]) -> bool:
    return line["event"] == "request" and line["route"] == "/cds-services/<service_id>"


def sign(port: int) -> None:
    assert requests.post(f"http://127.0.0.1:{port}{SIGN}", json=paperwork_missing(), timeout=30).ok


def test_each_request_has_its_line(tmp_path: Path) -> None:
    with gunicorn(tmp_path / "err") as port:
        sign(port)
    lines = [json.loads(line) for line in (tmp_path / "err").read_text().splitlines() if line[0] == "{"]
    (line,) = filter(is_access, lines)
    assert (line["method"], line["status"], line["logger"]) == ("POST", 200, "cds_service.telemetry.access")


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["each worker loads", "loaded once"])
def test_gunicorns_own_lines_take_the_same_way(tmp_path: Path, options: tuple[str, ...]) -> None:
    with gunicorn(tmp_path / "err", *OURS, *options) as port:
        sign(port)
        with socket.create_connection(("127.0.0.1", port), 5) as broken:
            broken.sendall(b"GET /Haldane HTTP/1.1\r\nMiriam Haldane\r\n\r\n")
            assert broken.recv(1000).startswith(b"HTTP/1.1 400")
    text = (tmp_path / "err").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(list(filter(is_access, lines))) == 1
    own = [line["event"] for line in lines if line["logger"] == "gunicorn.error"]
    assert any(event.startswith(f"Listening at: http://127.0.0.1:{port}") for event in own)
    assert "a request was not read" in text
    assert "Haldane" not in text
