"""What the demonstration shows of answers that are no cards."""

from __future__ import annotations

import io

import pytest
import responses
from rich.console import Console

from cds_service.demo import SERVICE, sign_samples
from cds_service.samples import SAMPLES

BASE = "http://127.0.0.1:8080"
REFUSED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "throttled", "diagnostics": "Too many requests. Send it again."}],
}


def shown() -> str:
    console = Console(file=io.StringIO(), width=200)
    sign_samples(BASE, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@responses.activate
def test_a_refusal_is_shown_and_not_taken_for_an_order_in_order() -> None:
    responses.post(f"{BASE}/cds-services/{SERVICE}", json=REFUSED, status=503)
    said = shown()
    assert said.count("The service refused the order: Too many requests. Send it again.") == len(SAMPLES)
    assert "No card" not in said


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "[]", '{"issue": [{}]}', '{"issue": 1}'])
@responses.activate
def test_a_refusal_in_no_form_that_is_known_shows_its_status(body: str) -> None:
    responses.post(f"{BASE}/cds-services/{SERVICE}", body=body, status=502)
    assert shown().count("The service refused the order: status 502") == len(SAMPLES)


@responses.activate
def test_each_sample_is_sent_as_an_ehr_would_send_it() -> None:
    responses.post(f"{BASE}/cds-services/{SERVICE}", json={"cards": []})
    assert shown().count("No card") == len(SAMPLES)
    assert [call.request.headers["Content-Type"] for call in responses.calls] == ["application/json"] * len(
        SAMPLES
    )
