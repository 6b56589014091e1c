"""One line for each request, with its id, and nothing in it that a sender chose."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from cds_service.decision_log import HEADER as DECISION
from cds_service.settings import Settings
from cds_service.telemetry import logs
from cds_service.telemetry.logs import set_up_logs
from cds_service.telemetry.request_id import HEADER
from tests.service.bodies import PATIENT, SIGN, bundle, code, encoded, observation, sign
from tests.service.fake_engine import FakeEngine
from tests.service.telemetry.conftest import Lines, Logged
from tests.service.trust.world import world

PREFETCH = {"patient": PATIENT, "observations": bundle(observation())}
BODY = encoded(sign(prefetch=PREFETCH))
JSON = {"Content-Type": "application/json"}
HEX = re.compile(r"[0-9a-f]{32}")

SENT = "5f4d2c1e-8a3b-4c6d-9e0f-1a2b3c4d5e6f"


def test_each_request_has_one_line_that_tells_how_it_went(client: FlaskClient, logged: Logged) -> None:
    lines = logged()
    response = client.post(SIGN, data=BODY, headers=JSON)
    (line,) = lines.all()
    assert (line["event"], line["level"], line["logger"]) == (
        "request",
        "info",
        "cds_service.telemetry.access",
    )
    assert (line["method"], line["route"]) == ("POST", "/cds-services/<service_id>")
    assert (line["service"], line["status"]) == ("infusion-pump-order-sign", 200)
    assert (line["bytes_in"], line["bytes_out"]) == (len(BODY), len(response.data))
    assert line["request_id"] == response.headers[HEADER]
    assert set(line["stages"]) == {"receive", "read", "gather", "decide", "answer"}
    assert 0 < sum(line["stages"].values()) <= line["milliseconds"] + 0.1
    assert line["timestamp"].endswith("Z")
    assert not line.keys() & {"error", "fault", "client", "decision", "trace"}


def test_the_decision_and_the_client_are_named(
    tmp_path: Path, fake_engine: FakeEngine, logged: Logged
) -> None:
    lines = logged()
    with world(tmp_path, fake_engine, database_url=f"sqlite:///{tmp_path}/s", metrics="off") as town:
        answered = town.post(town.token())
        refused = town.post("not.a.token")
    first, second = lines.access()
    assert (first["client"], first["decision"]) == ("general", answered.headers[DECISION])
    assert "trust" in first["stages"]
    assert (second["status"], second["error"]) == (401, code(refused.json()))
    assert "client" not in second
    assert "not.a.token" not in lines.text


@pytest.mark.parametrize("sent", [SENT, SENT.upper(), SENT.replace("-", "")])
def test_an_id_that_can_hold_no_name_is_taken(client: FlaskClient, logged: Logged, sent: str) -> None:
    lines = logged()
    assert client.get("/cds-services", headers={HEADER: sent}).headers[HEADER] == sent
    assert lines.access()[0]["request_id"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "12345678",
        "Doe-Jane-1931-07-19",
        "a" * 31,
        "a" * 33,
        f"{SENT}x",
        f" {SENT} x",
        "é" * 32,
        "g" * 32,
    ],
)
def test_any_other_id_is_replaced(client: FlaskClient, logged: Logged, sent: str) -> None:
    lines = logged()
    given = client.get("/cds-services", headers={HEADER: sent}).headers[HEADER]
    assert HEX.fullmatch(given)
    assert lines.access()[0]["request_id"] == given
    assert not sent or sent not in lines.text


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "error", "route"),
    [
        ("POST", SIGN, b"{", 400, "not-json", "/cds-services/<service_id>"),
        ("POST", "/cds-services/jane-doe", BODY, 404, "unknown-service", "/cds-services/<service_id>"),
        ("GET", "/jane-doe", b"", 404, "unknown-route", "unknown"),
        ("JANEDOE", SIGN, b"", 405, "wrong-method", "unknown"),
        ("GET", "/policies/jane-doe?q=jane-doe", b"", 404, "unknown-policy", "/policies/<policy_id>"),
        ("OPTIONS", SIGN, b"", 200, None, "/cds-services/<service_id>"),
        ("HEAD", "/health/live", b"", 200, None, "/health/live"),
    ],
)
def test_errors_have_a_line_and_an_id_too(
    client: FlaskClient,
    logged: Logged,
    method: str,
    path: str,
    data: bytes,
    status: int,
    error: str | None,
    route: str,
) -> None:
    lines = logged()
    sent = str(uuid4())
    response = client.open(path, method=method, data=data, headers=JSON | {HEADER: sent})
    assert (response.status_code, response.headers[HEADER]) == (status, sent)
    (line,) = lines.access()
    assert (line["status"], line.get("error"), line["route"]) == (status, error, route)
    assert line["method"] == (method if method != "JANEDOE" else "other")
    assert "doe" not in lines.text.lower()


def test_a_fault_has_its_line_under_the_id_of_the_request(
    client: FlaskClient, fake_engine: FakeEngine, logged: Logged
) -> None:
    lines = logged()
    fake_engine.error = ValueError("Doe, Jane")
    assert client.post(SIGN, data=BODY, headers=JSON).status_code == 200
    fault, access = lines.all()
    assert fault["event"].startswith(f"fault {access['fault']}: ValueError while answering")
    assert fault["request_id"] == access["request_id"]
    assert "Doe" not in lines.text


def test_the_id_ends_with_its_request(client: FlaskClient, logged: Logged) -> None:
    lines = logged()
    client.get("/cds-services")
    logging.getLogger("cds_service.somewhere").warning("between two requests")
    assert "request_id" not in lines.all()[-1]


def test_the_level_decides_what_is_written(client: FlaskClient, logged: Logged) -> None:
    lines = logged(log_level="warning")
    client.get("/cds-services")
    client.get("/nothing")
    assert lines.text == ""


def test_text_is_for_reading(client: FlaskClient, logged: Logged) -> None:
    lines = logged(log_format="text")
    client.post(SIGN, data=BODY, headers=JSON)
    (line,) = lines.text.splitlines()
    assert re.search(r"\binfo\b.*\brequest\b.*service=infusion-pump-order-sign.*status=200", line)
    assert "\x1b" not in line  # colours are for terminals


class _Terminal(Lines):
    def __init__(self) -> None:
        super().__init__()
        self.stream.isatty = lambda: True  # type: ignore[method-assign]


def test_a_terminal_gets_text_and_all_else_json(client: FlaskClient, logged: Logged) -> None:
    logged()
    terminal = _Terminal()
    set_up_logs(Settings(), terminal.stream)
    client.get("/cds-services")
    assert not terminal.text.startswith("{")


# What others write


@pytest.mark.parametrize("format_", ["json", "text"])
@pytest.mark.parametrize(
    ("name", "message", "arguments", "written"),
    [
        ("gunicorn.error", "Error handling request %s", ("/x?name=Doe",), "Error handling request ..."),
        (
            "urllib3.connectionpool",
            "Failed to parse headers (url=%s): %s",
            ("/Patient/Doe", ValueError("Doe")),
            "url=...): ...",
        ),
        (
            "some.library",
            "%(who)s failed %(times)d times",
            ({"who": "Doe", "times": 3},),
            "... failed 3 times",
        ),
        ("some.library", "took %.1f s", ("Doe",), "took %.1f s"),
        ("some.library", "no arguments at all", (), "no arguments at all"),
    ],
)
def test_of_a_librarys_line_only_its_own_words_and_numbers_are_written(
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
    format_: str,
    name: str,
    message: str,
    arguments: tuple[object, ...],
    written: str,
) -> None:
    lines = logged(log_format=format_, log_level="debug")
    # gunicorn's first process sees no request, and this test is one.
    monkeypatch.setattr(logs, "_STARTER", 0)
    logging.getLogger(name).propagate = True
    logging.getLogger(name).warning(message, *arguments)
    assert written in lines.text
    assert "Doe" not in lines.text


def test_what_the_first_process_of_gunicorn_says_is_whole(logged: Logged) -> None:
    lines = logged()
    logging.getLogger("gunicorn.error").error("Worker (pid:%s) was sent %s!", 7, "SIGKILL")
    assert lines.all()[0]["event"] == "Worker (pid:7) was sent SIGKILL!"


def test_libraries_are_heard_from_warnings_on(logged: Logged) -> None:
    lines = logged(log_level="debug")
    logging.getLogger("urllib3.connectionpool").debug('"GET /Patient/Doe"')
    logging.getLogger("some.library").info("Doe")
    assert lines.text == ""


@pytest.mark.parametrize("format_", ["json", "text"])
def test_of_an_exception_the_type_and_the_places_are_written(logged: Logged, format_: str) -> None:
    lines = logged(log_format=format_)
    for name in ("cds_service.x", "some.library"):
        try:
            raise KeyError("Doe")
        except KeyError:
            logging.getLogger(name).exception("it failed")
    assert lines.text.count("KeyError") == 2
    assert lines.text.count("test_access.py:") == 2
    assert "Doe" not in lines.text


def test_a_thread_that_ends_by_a_fault_says_so_without_the_message(logged: Logged) -> None:
    lines = logged()

    def fail() -> None:
        raise ValueError("Doe")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (line,) = lines.all()
    assert (line["event"], line["exception"]) == ("a thread ended by a fault", "ValueError")
    assert "Doe" not in lines.text


def test_a_warning_of_python_is_a_line_without_its_message(logged: Logged) -> None:
    lines = logged()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning("Doe", UserWarning, "x.py", 7)
    (line,) = lines.all()
    assert line["event"] == "Python warns: UserWarning at x.py:7"
