"""A server that is full turns orders away before it reads them, in words, and lets everything else in."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from cds_service.samples import paperwork_missing
from tests.service.bodies import SIGN, code, encoded
from tests.service.telemetry.conftest import Running, running
from tests.service.test_places import until

ID = "0123456789abcdef0123456789abcdef"
PLANTED = "Zebulon"


class SlowFhir(BaseHTTPRequestHandler):
    """A FHIR server that answers when it is let; until then the orders that ask it hold their places."""

    go = threading.Event()

    def do_GET(self) -> None:
        self.go.wait(60)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with one place, which is taken by an order that waits for its FHIR server."""
    fhir = ThreadingHTTPServer(("127.0.0.1", 0), SlowFhir)
    threading.Thread(target=fhir.serve_forever, daemon=True).start()
    limits = {"WORKERS": "1", "THREADS": "1", "WAITING": "0", "FHIR_DEADLINE": "60"}
    with running(tmp_path_factory.mktemp("full"), **limits) as service, ThreadPoolExecutor(1) as pool:
        order = paperwork_missing() | {"fhirServer": f"http://127.0.0.1:{fhir.server_port}", "prefetch": {}}
        first = pool.submit(requests.post, f"{service.base}{SIGN}", json=order, timeout=60)
        until(lambda: service.metrics()["coverage_hooks_requests_running"] >= 2)
        until(lambda: sign(service).status_code == 503)
        yield service
        SlowFhir.go.set()
        assert first.result().status_code == 200
        assert sign(service).status_code == 200
    fhir.shutdown()
    fhir.server_close()


def sign(service: Running, **headers: str) -> requests.Response:
    body = encoded(paperwork_missing())
    all_headers = {"Content-Type": "application/json", **headers}
    return requests.post(f"{service.base}{SIGN}", data=body, headers=all_headers, timeout=20)


def takes_more(connection: socket.socket) -> bool:
    try:
        connection.sendall(b" ")
    except OSError:
        return False
    return True


def test_an_order_is_refused_in_words_and_told_of(full: Running) -> None:
    refused = sign(full, **{"X-Request-ID": ID, "Authorization": f"Bearer {PLANTED}"})
    assert (refused.status_code, code(refused.json())) == (503, "busy")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"] == "application/fhir+json"
    assert refused.headers["X-Request-ID"] == ID
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.headers["Connection"] == "close"
    until(lambda: ID in full.err)
    [line] = [json.loads(line) for line in full.err.splitlines() if ID in line]
    assert {name: line.get(name) for name in ("event", "route", "status", "error")} == {
        "event": "request",
        "route": "unread",
        "status": 503,
        "error": "busy",
    }
    assert PLANTED not in full.err
    counted = (
        'coverage_hooks_requests_total{error="busy",method="POST",route="unread",service="",status="503"}'
    )
    assert full.metrics()[counted] >= 1


def test_an_id_that_could_be_a_name_is_replaced(full: Running) -> None:
    refused = sign(full, **{"X-Request-ID": PLANTED})
    assert refused.status_code == 503
    assert len(refused.headers["X-Request-ID"]) == 32
    assert PLANTED not in full.err


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/cds-services", "/"])
def test_what_needs_no_place_is_answered(full: Running, path: str) -> None:
    assert requests.get(f"{full.base}{path}", timeout=20).status_code == 200


def test_feedback_is_kept(full: Running) -> None:
    card = "3f2b0c64-6a0e-4d3f-9d1e-0c1d2e3f4a5b"
    outcome = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-03-01T12:00:00Z"}
    given = requests.post(f"{full.base}{SIGN}/feedback", json={"feedback": [outcome]}, timeout=20)
    assert given.status_code == 200


def test_a_kept_connection_hears_it_and_ends(full: Running) -> None:
    with requests.Session() as session:
        assert session.get(f"{full.base}/health/live", timeout=20).status_code == 200
        body, headers = encoded(paperwork_missing()), {"Content-Type": "application/json"}
        refused = session.post(f"{full.base}{SIGN}", data=body, headers=headers, timeout=20)
        assert refused.status_code == 503
        assert session.get(f"{full.base}/health/live", timeout=20).status_code == 200


def test_who_still_sends_hears_it_and_cannot_stay(full: Running) -> None:
    head = f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(full.base.rpartition(":")[2])), 20) as connection:
        connection.sendall(head.encode() + b" " * 200_000)
        assert connection.recv(12) == b"HTTP/1.1 503"
        until(lambda: not takes_more(connection))
    assert requests.get(f"{full.base}/health/live", timeout=20).status_code == 200
