"""The service as it is started: gunicorn, its workers, and bodies over a socket."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from cds_service.samples import paperwork_missing
from tests.service.bodies import SIGN, code, encoded

JSON = {"Content-Type": "application/json"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(port: int, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port)]
    return subprocess.Popen(
        command,
        # Nobody reads the pipe before the end: with a line for each request it would run full.
        env={
            **os.environ,
            "COVERAGE_HOOKS_BODY_LIMIT_MB": "4",
            "COVERAGE_HOOKS_LOG_LEVEL": "warning",
            "COLUMNS": "200",
        }
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(base: str, process: subprocess.Popen[str]) -> None:
    """Until the service answers."""
    end = time.monotonic() + 30
    while True:
        try:
            assert requests.get(f"{base}/health/ready", timeout=30).json()["status"] == "ok"
            return
        except requests.ConnectionError:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    port = free_port()
    process = start(port)
    base = f"http://127.0.0.1:{port}"
    wait_for(base, process)
    yield base
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "Open: no token is asked" in out
    assert "Development mode" in out
    assert "no token is asked" in err
    assert base in out
    assert "Traceback" not in err


def test_an_order_is_answered(base: str) -> None:
    response = requests.post(f"{base}{SIGN}", json=paperwork_missing(), timeout=10)
    assert [card["indicator"] for card in response.json()["cards"]] == ["info", "info"]


def test_gzip_and_chunks_are_read(base: str) -> None:
    body = encoded(paperwork_missing())
    plain = requests.post(f"{base}{SIGN}", data=body, headers=JSON, timeout=10)
    packed = requests.post(
        f"{base}{SIGN}", data=gzip.compress(body), headers=JSON | {"Content-Encoding": "gzip"}, timeout=10
    )
    pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
    chunked = requests.post(f"{base}{SIGN}", data=pieces, headers=JSON, timeout=10)
    assert plain.status_code == 200
    assert plain.content == packed.content == chunked.content


@pytest.mark.parametrize("size", [4_000_001, 7_900_000])
def test_a_sender_of_a_large_body_gets_to_see_the_answer(base: str, size: int) -> None:
    response = requests.post(f"{base}{SIGN}", data=b" " * size, headers=JSON, timeout=10)
    assert (response.status_code, code(response.json())) == (413, "too-large")


def test_a_large_chunked_body_is_refused(base: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(5):
            yield b" " * 1_000_000

    try:
        response = requests.post(f"{base}{SIGN}", data=pieces(), headers=JSON, timeout=10)
    except requests.ConnectionError:
        return  # the server closed while the rest was on its way
    assert response.status_code == 413


def raw(base: str, request: bytes) -> bytes:
    """What the server answers to bytes on a socket."""
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize(
    "request_body",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["short", "bad chunk size", "cut chunk"],
)
def test_a_broken_body_is_a_bad_request(base: str, request_body: bytes) -> None:
    head = (
        f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n".encode()
    )
    answer = raw(base, head + request_body)
    assert answer.split(b"\r\n")[0].split()[1] == b"400"
    outcome = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert code(outcome) == "not-json"


def test_a_taken_port_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(taken.getsockname()[1])
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1:" in err
    assert "Traceback" not in err
    assert out == ""
