"""The example orders over real HTTP, by prefetch and by the service's own discovery."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.contexts import HOOKS
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from tests.examples.agreement import disagreements, nodes
from tests.fhir_stub import FhirStub

EXAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*-*") if path.is_dir())


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(Settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_gives_its_expected_determination_over_http(name: str, base: str) -> None:
    body = (EXAMPLES / name / "request.json").read_bytes()
    expected = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    answer = requests.post(
        f"{base}/determinations", data=body, headers={"Content-Type": "application/json"}, timeout=10
    )
    assert answer.status_code == 200
    (found,) = answer.json()["determinations"]
    assert disagreements(found, expected) == []


@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.parametrize("includes", [True, False], ids=["with _include", "without _include"])
@pytest.mark.parametrize("name", NAMES)
def test_an_example_gives_its_expected_determination_from_a_fhir_server(
    name: str, includes: bool, base: str
) -> None:
    folder = EXAMPLES / name
    chart, request, expected = (
        json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
        for part in ("chart", "request", "expected")
    )
    del request["prefetch"]
    with FhirStub.of_bundle(chart, page_size=100, includes=includes, token="secret") as server:
        request |= {"fhirServer": server.base, "fhirAuthorization": {"access_token": "secret"}}
        answer = requests.post(f"{base}/determinations", json=request, timeout=20).json()
    assert "could_not" not in answer
    (found,) = answer["determinations"]
    assert disagreements(found, expected) == []
    evidence = [e for node in nodes(found) for e in node.get("evidence", ())]
    assert {e.get("from") for e in evidence} <= {"fhir-server", "order", "statement"}


def test_the_samples_give_no_card_a_warning_and_an_information_with_a_proposal(base: str) -> None:
    found = {}
    for name, build in SAMPLES.items():
        url = f"{base}/cds-services/infusion-pump-order-sign"
        answer = requests.post(url, json=build(), timeout=10)
        found[name] = [card["indicator"] for card in answer.json()["cards"]]
    assert found == {"all-shown": [], "too-few-tests": ["warning"], "paperwork-missing": ["info", "info"]}


def test_discovery_lists_all_hooks_and_allows_browsers(base: str) -> None:
    answer = requests.get(f"{base}/cds-services", timeout=10)
    assert {service["hook"] for service in answer.json()["services"]} == set(HOOKS)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("body", "status"), [(b"not json", 400), (b"[]", 422), (b'{"hook": "patient-view"}', 422)]
)
def test_a_malformed_request_is_an_operation_outcome(body: bytes, status: int, base: str) -> None:
    url = f"{base}/cds-services/infusion-pump-order-sign"
    answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
