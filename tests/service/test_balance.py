"""Connections that clients keep are shared out among the workers."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.bodies import small_body
from tests.benchmarks.servers import OURS, PATH, Server

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc, which is Linux's")


@pytest.fixture
def served() -> Iterator[Server]:
    with Server(OURS, workers=2) as server:
        yield server


def kept(server: Server, number: int) -> list[http.client.HTTPConnection]:
    """Connections that come all at once, send an order, have their answer and are kept open."""
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=20) for _ in range(number)]
    for connection in connections:
        connection.connect()
    for connection in connections:
        connection.request("POST", PATH, small_body(), {"Content-Type": "application/json"})
    for connection in connections:
        assert connection.getresponse().read()
    return connections


def held_by(server: Server) -> Counter[str]:
    """Worker -> how many connections to the server's port it holds."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    port = f":{server.port:04X}"
    established = {line[9] for line in lines if line[1].endswith(port) and line[3] == "01"}
    found: Counter[str] = Counter()
    for worker in server._workers():
        targets = [str(file.readlink()) for file in (worker / "fd").iterdir() if file.is_symlink()]
        found[worker.name] = sum(
            target.removeprefix("socket:[").rstrip("]") in established for target in targets
        )
    return found


def shares(server: Server) -> list[int]:
    """How many of eight connections each worker holds."""
    connections = kept(server, 8)
    held = held_by(server)
    for connection in connections:
        connection.close()
    return sorted(held.values())


def test_no_worker_has_all_connections(served: Server) -> None:
    end = time.monotonic() + 20
    while min(shares(served)) < 2:  # the second worker may still be starting
        assert time.monotonic() < end
    # On a busy machine one burst may go astray; without sharing the smaller part is a tenth at most.
    found = [shares(served) for _ in range(6)]
    smaller, all_of_them = sum(min(share) for share in found), sum(map(sum, found))
    assert smaller >= 0.2 * all_of_them
