"""New workers take over while orders come: no request fails."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from cds_service.samples import paperwork_missing
from tests.service.bodies import SIGN, encoded
from tests.service.test_served import JSON, free_port, start, wait_for

BODY = encoded(paperwork_missing())
WORKERS, RELOADS = 2, 3


class Clients:
    """Clients that send orders until they are told to stop, half of them over connections that they keep."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}{SIGN}"
        self._over = threading.Event()
        self.answers: Counter[object] = Counter()
        self._threads = [threading.Thread(target=self._send, args=(n % 2 == 0,)) for n in range(6)]

    def _send(self, keep: bool) -> None:
        headers = JSON if keep else JSON | {"Connection": "close"}
        with requests.Session() as session:
            while not self._over.is_set():
                try:
                    answer = session.post(self._url, data=BODY, headers=headers, timeout=30)
                    self.answers[answer.status_code] += 1
                except requests.RequestException as error:
                    self.answers[repr(error)] += 1

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def workers(process: subprocess.Popen[str]) -> set[str]:
    return set(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def reload(process: subprocess.Popen[str], late: socket.socket) -> None:
    """Have other workers take over from all that are there, and wait until those are gone.

    late: a connection to one that is told to go before it gets the request.
    """
    before = workers(process)
    process.send_signal(signal.SIGHUP)
    until(lambda: len(workers(process) - before) == WORKERS)
    late.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert late.recv(100).startswith(b"HTTP/1.1 200 ")
    until(lambda: not workers(process) & before)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc to see workers in")
def test_reloads_under_load_fail_no_request() -> None:
    port = free_port()
    process = start(port, COVERAGE_HOOKS_WORKERS=str(WORKERS))
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        until(lambda: len(workers(process)) == WORKERS)  # the first answers before the others are there
        clients = Clients(port)
        clients.start()
        try:
            for _ in range(RELOADS):
                with socket.create_connection(("127.0.0.1", port), 30) as late:
                    reload(process, late)
        finally:
            clients.stop()
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert clients.answers.keys() == {200}
    assert clients.answers[200] > 20
    assert process.returncode == 0
    assert "Traceback" not in err
