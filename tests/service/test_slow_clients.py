"""A real server under clients that send or read slowly: everybody else is answered all the same."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from cds_service.samples import paperwork_missing
from tests.service.bodies import SIGN, code, encoded
from tests.service.test_served import free_port

HEAD = f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = encoded(paperwork_missing())
SENDERS = 4
THREADS = 2 + 1 + SENDERS


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """One process with few threads, which waits two seconds for a request to arrive."""
    port = free_port()
    limits = {"WORKERS": "1", "THREADS": "2", "WAITING": "1", "SENDERS": str(SENDERS), "REQUEST_TIMEOUT": "2"}
    limits["LOG_LEVEL"] = "warning"  # nobody reads the pipe before the end
    process = subprocess.Popen(
        [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port)],
        env=os.environ | {f"COVERAGE_HOOKS_{name}": value for name, value in limits.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not _answers(port):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    yield port
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in err


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=10).ok
    except requests.ConnectionError:
        return False


def open_to(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def answer(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def post(port: int) -> requests.Response:
    return requests.post(
        f"http://127.0.0.1:{port}{SIGN}", data=BODY, headers={"Content-Type": "application/json"}, timeout=30
    )


def test_idle_connections_take_no_thread(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(10 * THREADS):
            stack.enter_context(open_to(port))
        assert post(port).status_code == 200


def test_a_body_that_drips_is_ended_and_answered(port: int) -> None:
    with open_to(port) as connection:
        connection.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode())
        started = time.monotonic()
        connection.settimeout(0.1)
        found = b""
        while not found:
            assert time.monotonic() - started < 20
            connection.sendall(b" ")
            try:
                found = connection.recv(65536)
            except TimeoutError:
                continue
        connection.settimeout(30)
        found += answer(connection)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert code(json.loads(found.partition(b"\r\n\r\n")[2])) == "too-slow"


@pytest.mark.parametrize(
    "beginning",
    [
        b"P",
        HEAD.encode(),
        f"{HEAD}Content-Length: 1000\r\n\r\n{{".encode(),
        f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{{".encode(),
    ],
    ids=["method", "headers", "body", "chunks"],
)
def test_more_slow_senders_than_threads_hold_up_nobody(port: int, beginning: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(open_to(port)) for _ in range(3 * THREADS)]
        for connection in slow:
            connection.sendall(beginning)
        assert post(port).status_code == 200
        assert _answers(port)
        for connection in slow:
            assert answer(connection).split(b" ")[1:2] in ([], [b"408"], [b"503"])


def test_clients_that_do_not_close_after_an_error_hold_up_nobody(port: int) -> None:
    bad = b"NONSENSE\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(4 * THREADS):
            stack.enter_context(open_to(port)).sendall(bad)
        assert post(port).status_code == 200


def test_who_never_reads_the_answer_holds_up_nobody(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(THREADS):
            connection = stack.enter_context(open_to(port))
            connection.sendall(f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        end = time.monotonic() + 30
        while post(port).status_code != 200:
            assert time.monotonic() < end


@pytest.mark.parametrize("size", [300_000, 12_000_000])
def test_the_sender_of_a_body_that_is_refused_unread_gets_to_see_the_answer(port: int, size: int) -> None:
    response = requests.post(
        f"http://127.0.0.1:{port}{SIGN}", data=b" " * size, headers={"Content-Type": "text/xml"}, timeout=30
    )
    assert response.status_code == 415


def test_connections_are_kept_for_the_next_request(port: int) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"http://127.0.0.1:{port}/cds-services", timeout=30).ok
        (pool,) = session.get_adapter("http://").poolmanager.pools._container.values()
        assert pool.num_connections == 1


def test_after_all_that_the_server_answers_as_before(port: int) -> None:
    assert {card["indicator"] for card in post(port).json()["cards"]} == {"info"}
