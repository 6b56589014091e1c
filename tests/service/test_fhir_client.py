"""Whatever a FHIR server does becomes resources or a short reason, in time, and the token stays with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.fhir_client import Fetched, FhirAccess, FhirServer
from cds_service.settings import Settings
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import PATIENT, bundle, condition

SEARCH = "Condition?patient=p1"


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with FhirStub([PATIENT, *(condition(f"c{n}") for n in range(5))]) as running:
        yield running


def server(base: str, token: str = "", **settings: Any) -> FhirServer:
    found = FhirAccess(Settings(**settings)).server(base, token)
    assert isinstance(found, FhirServer)
    return found


def ids(fetched: Fetched) -> list[str]:
    return [item.resource.id for item in fetched.items]


def test_a_search_gives_its_resources(stub: FhirStub) -> None:
    fetched = server(stub.base).search(SEARCH)
    assert (ids(fetched), fetched.failure) == (["c0", "c1", "c2", "c3", "c4"], "")
    assert stub.seen[0].headers["Accept"] == "application/fhir+json"


def test_a_search_that_finds_nothing_is_no_failure(stub: FhirStub) -> None:
    assert server(stub.base).search("Procedure?patient=p1") == Fetched()


def test_a_read_gives_one_resource(stub: FhirStub) -> None:
    assert ids(server(stub.base).read("Patient/p1")) == ["p1"]


def test_a_base_with_a_slash_at_its_end_will_do(stub: FhirStub) -> None:
    assert ids(server(f"{stub.base}/").read("Patient/p1")) == ["p1"]


def test_all_pages_are_read(stub: FhirStub) -> None:
    stub.page_size = 2
    assert ids(server(stub.base).search(SEARCH)) == ["c0", "c1", "c2", "c3", "c4"]
    assert len(stub.seen) == 3


def test_pages_stop_at_the_limit_and_what_came_is_kept(stub: FhirStub) -> None:
    stub.page_size = 2
    fetched = server(stub.base, fhir_page_limit=2).search(SEARCH)
    assert (ids(fetched), fetched.failure) == (["c0", "c1", "c2", "c3"], "only the first 2 pages were read")


def test_the_last_page_allowed_is_no_failure_when_it_is_the_last(stub: FhirStub) -> None:
    stub.page_size = 2
    assert server(stub.base, fhir_page_limit=3).search(SEARCH).failure == ""


def test_endless_pages_end(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(endless=True)
    assert server(stub.base, fhir_page_limit=7).search(SEARCH).failure == "only the first 7 pages were read"
    assert len(stub.seen) == 7


def test_pages_in_a_circle_end(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(next_url=f"{stub.base}/Condition?patient=p1&_count=1000")
    fetched = server(stub.base).search(SEARCH)
    assert fetched.failure == "the pages of the FHIR server lead in a circle"
    assert len(fetched.items) == 5


def test_a_relative_next_page_is_followed(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(next_url="Procedure?patient=p1")
    assert server(stub.base).search(SEARCH).failure == ""
    assert [seen.path for seen in stub.seen] == ["Condition", "Procedure"]


@pytest.mark.req("A8.83")
@pytest.mark.parametrize(
    "next_url",
    [
        "https://other.example.org/fhir/Condition?page=2",
        "http://127.0.0.1:1/fhir/Condition?page=2",
        "//other.example.org/fhir",
        "http://user@127.0.0.1/fhir",
        "file:///etc/passwd",
        "http://[",
        "http://127.0.0.1:port/",
    ],
)
def test_the_next_page_of_another_origin_is_not_asked_for(stub: FhirStub, next_url: str) -> None:
    stub.faults["Condition"] = Fault(next_url=next_url)
    fetched = server(stub.base, token="secret").search(SEARCH)
    assert fetched.failure in ("the next page lies on another server", "the next page is no usable URL")
    assert len(fetched.items) == 5
    assert len(stub.seen) == 1


@pytest.mark.req("A8.80")
def test_the_token_is_sent_to_the_server(stub: FhirStub) -> None:
    stub.token = "secret"
    assert server(stub.base, token="secret").search(SEARCH).failure == ""
    assert stub.seen[0].headers["Authorization"] == "Bearer secret"


def test_without_a_token_no_authorization_is_sent(stub: FhirStub) -> None:
    server(stub.base).search(SEARCH)
    assert "Authorization" not in stub.seen[0].headers


@pytest.mark.parametrize("token", ["se\ncret", "se\r\nX: 1", "sécret€"])
def test_a_token_that_is_no_header_is_a_reason_and_no_crash(stub: FhirStub, token: str) -> None:
    fetched = server(stub.base, token=token).search(SEARCH)
    assert fetched.failure
    assert token not in fetched.failure


@pytest.mark.req("A8.83")
def test_redirects_are_not_followed(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(status=302, location=f"{stub.base}/Patient/p1")
    fetched = server(stub.base, token="secret").search(SEARCH)
    assert fetched.failure == "the FHIR server redirects (302), which is not followed"
    assert len(stub.seen) == 1


def test_cookies_are_not_carried_from_one_request_to_another(stub: FhirStub) -> None:
    stub.faults["Patient"] = Fault(headers={"Set-Cookie": "session=of-another-patient"})
    access = FhirAccess(Settings())
    for _ in range(2):
        found = access.server(stub.base, "")
        assert isinstance(found, FhirServer)
        assert ids(found.read("Patient/p1")) == ["p1"]
    assert "Cookie" not in stub.seen[1].headers


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "did not understand the query (400)"),
        (401, "did not accept the access token (401)"),
        (403, "refused access (403)"),
        (404, "does not have it (404)"),
        (410, "was deleted (410)"),
        (418, "had an error (418)"),
        (429, "too many requests (429)"),
        (500, "had an error (500)"),
        (503, "had an error (503)"),
    ],
)
def test_every_status_has_its_reason(stub: FhirStub, status: int, reason: str) -> None:
    stub.faults["*"] = Fault(status=status)
    for fetched in (server(stub.base).search(SEARCH), server(stub.base).read("Patient/p1")):
        assert reason in fetched.failure
        assert fetched.items == ()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=b"<html>Please log in</html>", content_type="text/html"),
        Fault(body=b"<Bundle xmlns='http://hl7.org/fhir'/>", content_type="application/fhir+xml"),
        Fault(body=b'{"resourceType": "Bundle", "entry": ['),
        Fault(body=b"[" * 100_000),
        Fault(body=b'{"resourceType": "\xff"}'),
        Fault(body=b"[]"),
        Fault(body=b'"text"'),
        Fault(body=b'{"resourceType": "Bundle", "entry": 5}'),
        Fault(body=json.dumps(PATIENT).encode()),
    ],
    ids=["html", "xml", "cut", "deep", "no utf-8", "list", "text", "odd", "no bundle"],
)
def test_an_answer_that_is_no_bundle_has_a_reason(stub: FhirStub, fault: Fault) -> None:
    stub.faults["Condition"] = fault
    fetched = server(stub.base).search(SEARCH)
    assert fetched.failure
    assert fetched.items == ()


def test_an_outcome_in_place_of_a_bundle_has_a_reason_without_its_words(stub: FhirStub) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "login", "diagnostics": "Patient Doe"}],
    }
    stub.faults["Condition"] = Fault(body=json.dumps(outcome).encode())
    fetched = server(stub.base).search(SEARCH)
    assert fetched.failure == "the FHIR server reported an error"


def test_an_outcome_in_place_of_a_resource_has_a_reason(stub: FhirStub) -> None:
    stub.faults["Patient"] = Fault(body=b'{"resourceType": "OperationOutcome"}')
    assert server(stub.base).read("Patient/p1").failure == "the FHIR server reported an error"


def test_a_cut_answer_has_a_reason(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(cut=True)
    assert server(stub.base).search(SEARCH).failure


def test_a_closed_connection_has_a_reason(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(closed=True)
    assert server(stub.base).search(SEARCH).failure == "the connection to the FHIR server broke"


class Once(dict[str, Fault]):
    """Faults that happen once."""

    def get(self, kind: str, default: Any = None) -> Any:
        return self.pop(kind, default)


def test_a_pooled_connection_that_was_closed_meanwhile_is_opened_anew(stub: FhirStub) -> None:
    asked = server(stub.base)
    assert ids(asked.read("Patient/p1")) == ["p1"]
    stub.faults = Once(Patient=Fault(closed=True))
    assert ids(asked.read("Patient/p1")) == ["p1"]
    assert len(stub.seen) == 3


def test_a_server_that_does_not_listen_is_asked_once(stub: FhirStub) -> None:
    stub.__exit__(None, None, None)
    gone = server(stub.base)
    assert gone.search(SEARCH).failure == "the FHIR server cannot be reached"
    started = time.monotonic()
    assert gone.search(SEARCH).failure == "the FHIR server cannot be reached"
    assert time.monotonic() - started < 0.05


def test_silence_ends_at_the_read_timeout(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(delay=2)
    started = time.monotonic()
    fetched = server(stub.base, fhir_read_timeout=0.2).search(SEARCH)
    assert fetched.failure == "the FHIR server did not answer in time"
    assert time.monotonic() - started < 1


@pytest.mark.req("A8.84")
def test_an_answer_that_drips_ends_at_the_deadline(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(drip=0.02)
    started = time.monotonic()
    fetched = server(stub.base, fhir_deadline=0.3, fhir_read_timeout=5).search(SEARCH)
    assert fetched.failure == "the FHIR server did not answer in time"
    assert time.monotonic() - started < 1


def test_after_the_deadline_nothing_is_asked(stub: FhirStub) -> None:
    late = server(stub.base, fhir_deadline=0.01)
    time.sleep(0.02)
    assert late.search(SEARCH).failure == "the FHIR server did not answer in time"
    assert stub.seen == []


def test_too_many_bytes_end_the_reading(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(body=b" " * 3_000_000 + json.dumps(bundle(condition())).encode())
    assert server(stub.base, fhir_byte_limit_mb=4).search(SEARCH).failure == ""
    assert "more data" in server(stub.base, fhir_byte_limit_mb=2).search(SEARCH).failure


def test_bytes_are_counted_over_all_queries_of_a_request(stub: FhirStub) -> None:
    stub.faults["Condition"] = Fault(body=b" " * 700_000 + json.dumps(bundle(condition())).encode())
    asked = server(stub.base, fhir_byte_limit_mb=1)
    assert asked.search(SEARCH).failure == ""
    assert "more data" in asked.search(SEARCH).failure


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("ehr.example.org", "fhirServer cannot be used"),
        ("https://user:pass@ehr.example.org", "fhirServer cannot be used"),
        ("https://ehr.example.org/fhir", "not one of those"),
        ("http://169.254.169.254/latest", "not one of those"),
    ],
)
def test_a_server_that_may_not_be_called_has_a_reason(base: str, says: str) -> None:
    reason = FhirAccess(Settings()).server(base, "secret")
    assert isinstance(reason, str)
    assert says in reason
    assert "example" not in reason


@pytest.mark.req("A8.84")
def test_production_calls_only_listed_servers(stub: FhirStub) -> None:
    assert isinstance(FhirAccess(Settings(mode="production")).server(stub.base, ""), str)
    origin = stub.base.removesuffix("/fhir")
    listed = FhirAccess(Settings(mode="production", fhir_servers=(origin,))).server(stub.base, "")
    assert isinstance(listed, FhirServer)


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("Practitioner/1", "Practitioner/1"),
        ("http://127.0.0.1:9/fhir/Practitioner/1", "Practitioner/1"),
        ("http://127.0.0.1:9/other/Practitioner/1", ""),
        ("http://127.0.0.1:8/fhir/Practitioner/1", ""),
        ("https://ehr.example.org/fhir/Practitioner/1", ""),
        ("ftp://x/Practitioner/1", ""),
    ],
)
def test_only_references_to_the_same_server_have_a_path(reference: str, path: str) -> None:
    assert server("http://127.0.0.1:9/fhir").path_of(reference) == path
