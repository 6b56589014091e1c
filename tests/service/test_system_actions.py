"""Coverage information in the answers of the service: real engine, real orders, the checks of CRD."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient

from cards.response_types import Version
from cds_service.app import create_app
from cds_service.hook_request import read_hook_request
from cds_service.judging import Judge
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from cds_service.system_actions import system_actions
from policies.engine import Engine
from tests.cards.coverage_information.samples import URL, parts
from tests.conformance.crd_check import sent_with, violations
from tests.service.bodies import BOOK, PATIENT, SELECT, SIGN, Json, book, bundle, pump_order, sign
from tests.service.conftest import NOW, client_of
from tests.service.fake_engine import FakeEngine

COVERED = {"all-shown": "covered", "too-few-tests": "conditional", "paperwork-missing": "conditional"}


@pytest.fixture(scope="module")
def served(engine: Engine) -> FlaskClient:
    """A client of a service with the packaged policies."""
    return create_app(Settings(), engine, clock=lambda: NOW).test_client()


def orders(body: Json) -> list[Json]:
    return [entry["resource"] for entry in body["context"]["draftOrders"]["entry"]]


def asserted(response: Json) -> list[Json]:
    """All coverage information of a response."""
    return [
        extension
        for action in response["systemActions"]
        for extension in action["resource"]["extension"]
        if extension["url"] == URL
    ]


@pytest.mark.req("A5.59", "B3.131")
@pytest.mark.req("B1.97")
@pytest.mark.req("A5.60")
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_order_gets_coverage_information(name: str, served: FlaskClient) -> None:
    body = SAMPLES[name]()
    response = served.post(SIGN, json=body).json
    assert violations(response, "2.0", hook="order-sign", sent=orders(body)) == []
    (extension,) = asserted(response)
    assert parts(extension, "covered") == [COVERED[name]]
    assert parts(extension, "pa-needed") == ["conditional"]
    assert parts(extension, "date") == ["2026-03-01"]
    (reference,) = parts(extension, "coverage")
    assert reference["reference"].startswith("Coverage/")


@pytest.mark.req("B2.121")
@pytest.mark.parametrize("version", ["2.0", "2.2"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_order_gets_it_in_either_version(name: str, version: Version, engine: Engine) -> None:
    body = SAMPLES[name]() | {"extension": {"davinci-crd.requestedVersion": version}}
    request = read_hook_request(json.dumps(body).encode())
    judgement = Judge(engine, None, lambda: NOW).judge(request)
    form = "https://plan.example/Questionnaire/pump"
    answer = {"cards": [], **system_actions(request, judgement, lambda _: form)}
    response = json.loads(msgspec.json.encode(answer))
    assert violations(response, version, hook="order-sign", sent=orders(body)) == []
    (extension,) = asserted(response)
    assert parts(extension, "questionnaire") == ([form] if parts(extension, "doc-needed") else [])


@pytest.mark.req("B3.128")
@pytest.mark.req("B3.130")
def test_what_the_client_took_over_is_not_sent_again(served: FlaskClient) -> None:
    body = SAMPLES["paperwork-missing"]()
    first = served.post(SIGN, json=body).json
    expected = asserted(copy.deepcopy(first))
    (action,) = first["systemActions"]
    body["context"]["draftOrders"]["entry"][0]["resource"] = action["resource"]
    assert served.post(SIGN, json=body).json["systemActions"] == []
    (extension,) = [e for e in action["resource"]["extension"] if e["url"] == URL]
    extension["extension"][1]["valueCode"] = "not-covered"
    (again,) = served.post(SIGN, json=body).json["systemActions"]
    assert asserted({"systemActions": [again]}) == expected


@pytest.mark.req("B3.126")
def test_the_order_comes_back_digit_by_digit(served: FlaskClient) -> None:
    body = SAMPLES["all-shown"]()
    body["context"]["draftOrders"]["entry"][0]["resource"]["parameter"] = ["HERE"]
    amount = '{"valueQuantity":{"value":1.50,"unit":"mL"}}'
    text = json.dumps(body).replace('"HERE"', amount)
    response = served.post(SIGN, data=text, content_type="application/json")
    assert amount in response.text
    assert len(response.json["systemActions"]) == 1


@pytest.mark.req("B1.99")
def test_order_select_asks_for_no_documents(served: FlaskClient) -> None:
    body = SAMPLES["paperwork-missing"]()
    sent = orders(body)
    body["hook"] = "order-select"
    body["context"]["selections"] = [f"{sent[0]['resourceType']}/{sent[0]['id']}"]
    response = served.post(SELECT, json=body).json
    assert violations(response, "2.0", hook="order-select", sent=sent) == []
    (extension,) = asserted(response)
    assert parts(extension, "doc-needed") == []


COVERAGE: Json = {
    "resourceType": "Coverage",
    "id": "cov1",
    "status": "active",
    "beneficiary": {"reference": "Patient/p1"},
    "payor": [{"display": "Aetna"}],
}


def request_with(*coverages: Json) -> Json:
    order = pump_order(requester={"reference": "Practitioner/dr"})
    return sign(order, prefetch={"patient": PATIENT, "coverage": bundle(*coverages)})


@pytest.mark.req("B1.104", "B3.129")
def test_each_coverage_is_spoken_about(served: FlaskClient) -> None:
    response = served.post(
        SIGN, json=request_with(COVERAGE, COVERAGE | {"id": "cov2", "payor": [{"display": "HUSKY Health"}]})
    ).json
    (action,) = response["systemActions"]
    assert [parts(e, "coverage")[0]["reference"] for e in asserted(response)] == [
        "Coverage/cov1",
        "Coverage/cov2",
    ]
    ids = [parts(e, "coverage-assertion-id")[0] for e in asserted(response)]
    assert len(set(ids)) == 2
    assert action["resource"]["id"] == "pump-1"


@pytest.mark.req("B3.135")
def test_a_coverage_that_is_over_is_not_covered(served: FlaskClient) -> None:
    over = COVERAGE | {"period": {"end": "2025-12-31"}}
    body = request_with(
        over, COVERAGE | {"id": "x", "status": "cancelled", "payor": [{"display": "Somebody"}]}
    )
    response = served.post(SIGN, json=body).json
    (extension,) = asserted(response)
    assert parts(extension, "coverage") == [{"reference": "Coverage/cov1"}]
    assert parts(extension, "covered") == ["not-covered"]
    found = [
        v
        for v in violations(response, "2.0", hook="order-sign", sent=orders(body))
        if v.where.startswith("system")
    ]
    assert found == []


@pytest.mark.req("B3.139")
@pytest.mark.parametrize(
    "coverages", [(), (COVERAGE | {"payor": [{"display": "Somebody"}]},)], ids=["none", "unknown payer"]
)
def test_without_a_known_coverage_nothing_is_asserted(
    coverages: tuple[Json, ...], served: FlaskClient
) -> None:
    response = served.post(SIGN, json=request_with(*coverages)).json
    assert response["systemActions"] == []
    assert len(response["cards"]) == 1


@pytest.mark.req("B4.144")
def test_a_client_may_switch_it_off(served: FlaskClient) -> None:
    off = {"davinci-crd.configuration": {"coverage-info": False}}
    body = SAMPLES["all-shown"]() | {"extension": off}
    assert served.post(SIGN, json=body).json["systemActions"] == []


@pytest.mark.req("B1.97")
def test_an_order_that_is_dispatched_gets_it_from_where_it_stands(served: FlaskClient) -> None:
    body = request_with(COVERAGE)
    (order,) = orders(body)
    order["status"] = "active"
    body["prefetch"]["order"] = order
    body["hook"] = "order-dispatch"
    body["context"] = {
        "patientId": "p1",
        "dispatchedOrders": ["DeviceRequest/pump-1"],
        "performer": "Organization/supplier",
    }
    response = served.post("/cds-services/infusion-pump-order-dispatch", json=body).json
    assert violations(response, "2.0", hook="order-dispatch", sent=[order]) == []
    assert len(asserted(response)) == 1


@pytest.mark.req("B1.97", "B1.106")
@pytest.mark.parametrize(
    ("version", "updated"),
    [("2.0", ["Appointment/a1", "ServiceRequest/implant"]), ("2.2", ["ServiceRequest/implant"])],
)
def test_an_appointment_carries_it_in_crd_2_0_alone(
    version: Version, updated: list[str], served: FlaskClient
) -> None:
    implant = {
        "resourceType": "ServiceRequest",
        "id": "implant",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "62362"}]},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-16",
        "requester": {"reference": "Practitioner/dr"},
    }
    hour = {"start": "2026-03-20T09:00:00Z", "end": "2026-03-20T10:00:00Z"}
    fitting = {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "proposed",
        **hour,
        "requestedPeriod": [hour],
        "basedOn": [{"reference": "https://ehr.example.org/fhir/ServiceRequest/implant"}],
        "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
    }
    other = fitting | {"id": "other", "basedOn": [{"reference": "ServiceRequest/other"}]}
    body = book(
        fitting,
        other,
        prefetch={"patient": PATIENT, "coverage": bundle(COVERAGE), "requests": bundle(implant)},
        extension={"davinci-crd.requestedVersion": version},
    )
    response = served.post(BOOK, json=body).json
    assert violations(response, version, hook="appointment-book", sent=sent_with(body)) == []
    resources = [action["resource"] for action in response["systemActions"]]
    assert [f"{r['resourceType']}/{r['id']}" for r in resources] == updated
    said = [
        {json.dumps([parts(e, n) for n in ("coverage", "covered", "billingCode")]) for e in r["extension"]}
        for r in resources
    ]
    assert said == [said[0]] * len(updated)


@pytest.mark.req("A5.61")
def test_the_key_is_there_even_when_the_service_has_a_fault(fake_engine: FakeEngine) -> None:
    fake_engine.error = RuntimeError("boom")
    body = sign(prefetch={"coverage": bundle(COVERAGE)})
    response = client_of(fake_engine).post(SIGN, json=body).json
    assert response["systemActions"] == []
    assert "had a fault" in response["cards"][0]["summary"]


def test_trace_ids_differ_between_servers_and_patients(engine: Engine) -> None:
    ids = set()
    for patient, server in (("p1", ""), ("p2", ""), ("p1", "https://ehr.example/fhir")):
        body = request_with(COVERAGE | {"beneficiary": {"reference": f"Patient/{patient}"}})
        body["context"]["patientId"] = patient
        body["context"]["draftOrders"]["entry"][0]["resource"]["subject"] = {
            "reference": f"Patient/{patient}"
        }
        body["prefetch"]["patient"] = PATIENT | {"id": patient}
        if server:
            body["fhirServer"] = server
        request = read_hook_request(json.dumps(body).encode())
        judgement = Judge(engine, None, lambda: NOW).judge(request)
        response = json.loads(msgspec.json.encode(system_actions(request, judgement)))
        ids.update(parts(e, "coverage-assertion-id")[0] for e in asserted(response))
    assert len(ids) == 3


EXAMPLES = Path(__file__).parents[3] / "shared" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*-*") if path.is_dir())


@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.req("B3.125")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_order_gets_coverage_information(name: str, served: FlaskClient) -> None:
    body = json.loads((EXAMPLES / name / "request.json").read_text(encoding="utf-8"))
    expected = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    response = served.post(SIGN, json=body).json
    found = violations(response, "2.0", hook="order-sign", sent=orders(body))
    assert [v for v in found if v.where.startswith("systemActions")] == []
    (extension,) = asserted(response)
    covered = {"met": "covered", "excluded": "not-covered"}.get(expected["outcome"], "conditional")
    assert parts(extension, "covered") == [covered]
