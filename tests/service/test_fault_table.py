"""The fault table: whatever the FHIR server does, the answer comes within the deadline and is honest.

The chart is the sample that shows every criterion, so that any loss shows: the outcome must not stay
"met", no criterion may turn to unmet for data that was lost, and the reader is told what was not had.
"""

from __future__ import annotations

import gzip
import json
import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.samples import all_shown
from cds_service.settings import Settings
from policies.engine import Engine
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import SIGN

DEADLINE = 1.5
# What evaluation takes, and the machine of a CI when it is busy.
SLACK = 4.0
TOKEN = "planted-token-8842"

BODY = all_shown()
PREFETCH = BODY.pop("prefetch")
RESOURCES = [
    entry["resource"]
    for value in PREFETCH.values()
    for entry in (value["entry"] if value["resourceType"] == "Bundle" else [{"resource": value}])
]
OUTCOME = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception", "diagnostics": "Haldane, Miriam secret-mrn"}],
    }
).encode()

FAULTS = {
    "latency": (Fault(delay=5), "did not answer in time"),
    "bytes that drip": (Fault(drip=0.2), "did not answer in time"),
    "401": (Fault(status=401), "did not accept the access token (401)"),
    "403": (Fault(status=403), "refused access (403)"),
    "404": (Fault(status=404), "does not have it (404)"),
    "429": (Fault(status=429, headers={"Retry-After": "30"}), "too many requests (429)"),
    "500": (Fault(status=500), "had an error (500)"),
    "503": (Fault(status=503, body=b"<html>down</html>", content_type="text/html"), "had an error (503)"),
    "redirect": (Fault(status=302, location="http://169.254.169.254/latest"), "redirects (302)"),
    "truncated JSON": (Fault(body=b'{"resourceType": "Bundle", "entry": [{"res'), "no usable JSON"),
    "cut short": (Fault(cut=True), "FHIR server"),
    "wrong content type": (Fault(body=b"<html>Log in</html>", content_type="text/html"), "no usable JSON"),
    "no Bundle": (Fault(body=b'{"resourceType": "Basic"}'), "something else than was asked for"),
    "deep JSON": (Fault(body=b'{"resourceType":' + b"[" * 100_000), "no usable JSON"),
    # Ends at the limit of pages or at the deadline, whichever comes first.
    "endless pages": (Fault(endless=True), ""),
    "pages elsewhere": (Fault(next_url="http://169.254.169.254/latest"), "next page lies on another server"),
    "200 MB": (Fault(flood=200_000_000), "FHIR server"),
    "gzip that swells": (
        Fault(body=gzip.compress(b" " * 200_000_000), headers={"Content-Encoding": "gzip"}),
        "FHIR server",
    ),
    "OperationOutcome": (Fault(body=OUTCOME), "reported an error"),
    "closed connection": (Fault(closed=True), "connection to the FHIR server broke"),
}  # fmt: skip

GAVE_DATA = ("endless pages", "pages elsewhere")


@pytest.fixture(scope="module")
def service(engine: Engine) -> FlaskClient:
    return create_app(Settings(fhir_deadline=DEADLINE), engine).test_client()


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with FhirStub(RESOURCES) as running:
        yield running


def body_for(stub: FhirStub) -> dict[str, Any]:
    return BODY | {"fhirServer": stub.base, "fhirAuthorization": {"access_token": TOKEN}}


def determined(service: FlaskClient, stub: FhirStub) -> dict[str, Any]:
    """The answer of POST /determinations, within the deadline."""
    started = time.monotonic()
    response = service.post("/determinations", json=body_for(stub))
    assert time.monotonic() - started < DEADLINE + SLACK
    assert response.status_code == 200
    for word in (b"secret-mrn", TOKEN.encode(), stub.base.encode()):
        assert word not in response.data
    found: dict[str, Any] = response.json
    return found


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "criteria" not in node:
        yield node
    for inner in node.get("criteria", ()):
        yield from leaves(inner)


def test_without_a_fault_everything_is_met(engine: Engine, stub: FhirStub) -> None:
    patient_service = create_app(Settings(fhir_deadline=30), engine).test_client()
    response = patient_service.post("/determinations", json=body_for(stub)).json
    assert [each["outcome"] for each in response["determinations"]] == ["met"]
    assert "could_not" not in response


@pytest.mark.parametrize("name", FAULTS)
def test_observations_that_are_lost_are_unknown_and_said_to_be(
    name: str, service: FlaskClient, stub: FhirStub
) -> None:
    stub.faults["Observation"], reason = FAULTS[name]
    answer = determined(service, stub)
    (determination,) = answer["determinations"]
    if name not in GAVE_DATA:
        assert determination["outcome"] == "needs-documentation"
        assert any(leaf.get("reason") == "fetch_failed" for leaf in leaves(determination["criteria"]))
    assert any("Results and measurements" in line and reason in line for line in answer["could_not"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_server_that_fails_wholly_gives_no_verdict(name: str, service: FlaskClient, stub: FhirStub) -> None:
    stub.faults["*"], reason = FAULTS[name]
    answer = determined(service, stub)
    if name not in GAVE_DATA:
        assert all(each["outcome"] != "met" for each in answer["determinations"])
        assert all(each["outcome"] != "not-met" for each in answer["determinations"])
    assert any(reason in line for line in answer["could_not"])


@pytest.mark.parametrize("name", ["latency", "500", "OperationOutcome", "200 MB"])
def test_the_card_of_a_hook_says_that_nothing_was_checked(
    name: str, service: FlaskClient, stub: FhirStub
) -> None:
    stub.faults["*"], _ = FAULTS[name]
    started = time.monotonic()
    (card,) = service.post(SIGN, json=body_for(stub)).json["cards"]
    assert time.monotonic() - started < DEADLINE + SLACK
    assert card["indicator"] == "info"
    assert "not checked" in card["summary"]
    assert TOKEN not in json.dumps(card)


def test_what_swells_on_arrival_takes_no_more_memory_than_is_allowed(stub: FhirStub, engine: Engine) -> None:
    stub.faults["*"] = FAULTS["gzip that swells"][0]
    small = create_app(Settings(fhir_deadline=DEADLINE, fhir_byte_limit_mb=8), engine).test_client()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    determined(small, stub)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 100


def test_no_log_names_the_token_or_the_patient(
    service: FlaskClient, stub: FhirStub, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        for name in ("401", "closed connection", "truncated JSON", "redirect"):
            stub.faults["*"], _ = FAULTS[name]
            determined(service, stub)
    for word in (TOKEN, "secret-mrn", "Haldane"):
        assert word not in caplog.text
