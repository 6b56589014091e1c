"""Real requests of other projects are sent to the service of their hook and answered as the rules say.

The second half are the demands that Inferno's test kit makes of a server from outside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.contexts import HOOKS
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from policies.engine import Engine
from tests.conformance.crd_check import sent_with, violations
from tests.conftest import REPOSITORY
from tests.service.bodies import (
    BOOK,
    DISPATCH,
    PATIENT,
    SIGN,
    Json,
    bundle,
    code,
    dispatch,
    encoded,
    issue,
    judged,
    pump_order,
    sign,
)

FIXTURES = REPOSITORY.parent / "shared" / "conformance" / "fixtures"
PRESETS = "main/presets/inferno_crd_client_suite"

# Requests that break the rules of their hook, and the element at fault. All others get a 200.
REFUSED = {
    # Drafts of CDS Hooks before order-sign had userId and draftOrders.
    "deviceRequestEmptyPrefetch_r4.json": "context.userId",
    "deviceRequestFullPrefetchWithCoverage_r4.json": "context.userId",
    "deviceRequestFullPrefetch_r4.json": "context.userId",
    "deviceRequestNoPrefetch.json": "context.userId",
    "deviceRequestNoPrefetchNoDoc.json": "context.userId",
    "deviceRequestPrefetch.json": "context.userId",
    "deviceRequestPrefetchNoDoc.json": "context.userId",
    "docs_examples.1.json": "context.draftOrders",
}


def requests() -> Iterator[Any]:
    """Every fixture that is a request, by its hook."""
    index = FIXTURES / "index.json"
    if not index.is_file():
        yield pytest.param("", marks=pytest.mark.skip(reason="shared/ is absent"))
        return
    for entry in json.loads(index.read_text(encoding="utf-8")):
        if entry["kind"] == "request":
            yield f"{entry['repo']}/{entry['file']}"


@pytest.fixture(scope="module")
def real_client(engine: Engine) -> FlaskClient:
    return create_app(Settings(), engine).test_client()


def url_of(hook: str) -> str:
    return f"/cds-services/infusion-pump-{hook}"


def check(body: Json, answer: Any) -> None:
    """The answer to a request holds to the rules of CDS Hooks and CRD."""
    assert violations(answer, "2.0", hook=body["hook"], sent=sent_with(body)) == []


@pytest.mark.req("A3.25")
@pytest.mark.req("A3.28")
@pytest.mark.req("A3.29")
@pytest.mark.req("B5.152")
@pytest.mark.req("B6.157")
@pytest.mark.parametrize("name", list(requests()))
def test_a_real_request_is_answered_as_the_rules_say(name: str, real_client: FlaskClient) -> None:
    body = (FIXTURES / name).read_bytes()
    hook = json.loads(body)["hook"]
    served = hook in HOOKS
    response = real_client.post(
        url_of(hook if served else "order-sign"), data=body, content_type="application/json"
    )
    fault = REFUSED.get(Path(name).name) if served else "hook"
    if fault is None:
        assert response.status_code == 200, response.text
        check(json.loads(body), response.json)
    else:
        assert response.status_code == 422
        assert issue(response.json)["expression"] == [fault]


def preset(shared: Path, name: str) -> Json:
    file = shared / "conformance/fixtures/inferno-framework+davinci-crd-test-kit" / PRESETS / name
    body: Json = json.loads(file.read_text(encoding="utf-8"))
    return body


@pytest.mark.req("B5.152")
def test_the_preset_of_a_dispatch_is_answered_for_a_pump(shared: Path, real_client: FlaskClient) -> None:
    body = preset(shared, "order_dispatch_request_bodies.2.json")
    order = body["prefetch"]["order"]
    order["codeCodeableConcept"]["coding"][0] |= {
        "code": "E0784",
        "display": "External ambulatory infusion pump",
    }
    answer = real_client.post(DISPATCH, json=body).json
    check(body, answer)
    (card,) = answer["cards"]
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": "DeviceRequest/devreq015"}]
    named = [d["order"] for d in card["extension"]["coverage-hooks.determinations"]]
    assert set(named) == {"DeviceRequest/devreq015"}


@pytest.mark.req("B4.143")
def test_the_preset_of_an_order_is_answered_for_a_pump(shared: Path, real_client: FlaskClient) -> None:
    body = preset(shared, "order_sign_request_bodies.1.json")
    assert body["extension"] == {"davinci-crd.configuration": {"alt-drug": True}}
    (entry,) = body["context"]["draftOrders"]["entry"]
    entry["resource"]["codeCodeableConcept"]["coding"][0] |= {"code": "E0784"}
    answer = real_client.post(SIGN, json=body).json
    check(body, answer)
    assert len(answer["cards"]) == 1


@pytest.mark.req("B1.106")
def test_the_order_behind_the_preset_of_an_appointment_is_answered(
    shared: Path, real_client: FlaskClient
) -> None:
    body = preset(shared, "appointment_book_request_bodies.1.json")
    implant = {
        "resourceType": "ServiceRequest",
        "id": "servreq-g0180-1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/pat015"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "62362"}]},
    }
    body["prefetch"]["serviceRequests"] = bundle(implant)
    answer = real_client.post(BOOK, json=body).json
    check(body, answer)
    assert answer["cards"]
    for card in answer["cards"]:
        assert card["extension"]["davinci-crd.associated-resource"] == [
            {"reference": "ServiceRequest/servreq-g0180-1"}
        ]


@pytest.mark.req("A3.25")
@pytest.mark.req("A8.84")
@pytest.mark.parametrize("server", ["http://127.0.0.1:9/fhir", "https://unreachable.example.org/r4"])
def test_an_unreachable_server_is_answered_from_prefetch(engine: Engine, server: str) -> None:
    client = create_app(Settings(fhir_servers=("https://unreachable.example.org",)), engine).test_client()
    body = SAMPLES["too-few-tests"]() | {"fhirServer": server}
    body["prefetch"].pop("documents", None)
    response = client.post(SIGN, json=body)
    assert response.status_code == 200
    check(body, response.json)
    (card,) = response.json["cards"]
    assert "the FHIR server cannot be reached" in card["detail"]
    assert "**Already shown**" in card["detail"]


@pytest.mark.req("B5.152")
def test_prefetch_under_other_keys_gives_the_same_cards(real_client: FlaskClient) -> None:
    body = SAMPLES["too-few-tests"]()
    expected = real_client.post(SIGN, json=body).json
    body["prefetch"] = {f"key{n}": value for n, value in enumerate(body["prefetch"].values())}
    found = real_client.post(SIGN, json=body).json
    assert [card["summary"] for card in found["cards"]] == [card["summary"] for card in expected["cards"]]


def test_several_bodies_may_follow_each_other(real_client: FlaskClient) -> None:
    bodies = [
        SAMPLES["too-few-tests"](),
        SAMPLES["all-shown"](),
        SAMPLES["too-few-tests"](),
    ]
    headers = {"Authorization": "Bearer one.and.same"}
    answers = [real_client.post(SIGN, json=body, headers=headers) for body in bodies]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].data == answers[2].data


@pytest.mark.req("A2.12")
def test_a_hook_instance_that_is_no_uuid_is_taken(real_client: FlaskClient) -> None:
    body = dispatch(prefetch={"order": pump_order(), "patient": PATIENT})
    body["hookInstance"] = "f3945c39-dfbe-444f-ba6d-3e05e123b2va"
    assert real_client.post(DISPATCH, json=body).status_code == 200


# What a request must hold about the FHIR server

TOKEN = {
    "access_token": "secret-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.read",
    "subject": "cds",
}


@pytest.mark.req("A2.14")
def test_a_token_without_a_server_is_refused_and_not_repeated(client: FlaskClient) -> None:
    response = client.post(SIGN, json=sign(prefetch={"patient": PATIENT}, fhirAuthorization=TOKEN))
    assert (response.status_code, code(response.json)) == (422, "invalid-request")
    assert issue(response.json)["expression"] == ["fhirServer"]
    assert "secret-token" not in response.text


@pytest.mark.req("A2.15")
@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"access_token": None}, "fhirAuthorization.access_token"),
        ({"access_token": " "}, "fhirAuthorization.access_token"),
        ({"token_type": "MAC"}, "fhirAuthorization.token_type"),
        ({"token_type": 5}, "fhirAuthorization.token_type"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused(client: FlaskClient, changes: Json, where: str) -> None:
    body = sign(prefetch={"patient": PATIENT}, fhirServer="https://ehr", fhirAuthorization=TOKEN | changes)
    response = client.post(SIGN, json=body)
    assert response.status_code == 422
    assert issue(response.json)["expression"] == [where]
    assert "secret-token" not in response.text


@pytest.mark.req("A2.15")
@pytest.mark.req("A2.16")
@pytest.mark.parametrize("absent", ["expires_in", "scope", "subject", "patient", "token_type"])
def test_what_the_service_does_not_rest_on_may_be_absent(client: FlaskClient, absent: str) -> None:
    token = {name: value for name, value in TOKEN.items() if name != absent} | {"scope": "patient/*.read"}
    token.pop(absent, None)
    body = sign(prefetch={"patient": PATIENT}, fhirServer="https://ehr", fhirAuthorization=token)
    assert client.post(SIGN, json=body).status_code == 200
    bare = sign(prefetch={"patient": PATIENT}, extension={"davinci-crd.requestedVersion": "2.2"})
    assert client.post(SIGN, json=bare).status_code == 200


@pytest.mark.req("B1.105")
@pytest.mark.parametrize("status", ["draft", "active", "on-hold", ""])
def test_orders_that_are_signed_again_are_answered(client: FlaskClient, status: str) -> None:
    answer = client.post(SIGN, json=sign(pump_order(status=status), prefetch={"patient": PATIENT})).json
    assert judged(answer) == ["DeviceRequest/pump-1"]


# What is ordered, by order type; the element of each that says it.
ORDERED = {
    "DeviceRequest": "codeCodeableConcept",
    "MedicationRequest": "medicationCodeableConcept",
    "ServiceRequest": "code",
    "NutritionOrder": "",
    "VisionPrescription": "",
    "CommunicationRequest": "",
    "Task": "code",
    "Appointment": "",
    "Encounter": "",
}


@pytest.mark.req("B1.100", "B1.101")
@pytest.mark.parametrize("kind", ORDERED)
def test_each_order_type_of_crd_is_taken_and_judged_where_a_policy_reads_it(
    kind: str, client: FlaskClient
) -> None:
    order = {"resourceType": kind, "id": "o1", "status": "draft", "subject": {"reference": "Patient/p1"}}
    if ORDERED[kind]:
        order[ORDERED[kind]] = pump_order()["codeCodeableConcept"]
    response = client.post(SIGN, json=sign(order, prefetch={"patient": PATIENT}))
    assert response.status_code == 200
    read = kind in ("DeviceRequest", "MedicationRequest", "ServiceRequest")
    assert judged(response.json) == ([f"{kind}/o1"] if read else [])


@pytest.mark.req("B1.107")
def test_an_order_not_to_do_something_has_no_card(client: FlaskClient) -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "draft",
        "intent": "order",
        "doNotPerform": True,
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "E0784"}]},
        "subject": {"reference": "Patient/p1"},
    }
    assert judged(
        client.post(SIGN, json=sign(order | {"doNotPerform": False}, prefetch={"patient": PATIENT})).json
    )
    assert client.post(SIGN, json=sign(order, prefetch={"patient": PATIENT})).json == {
        "cards": [],
        "systemActions": [],
    }


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"hook":5}', b"\xff"])
def test_nonsense_is_refused_on_every_hook(client: FlaskClient, hook: str, text: bytes) -> None:
    response = client.post(url_of(hook), data=text, content_type="application/json")
    assert response.status_code in (400, 422)
    assert issue(response.json)["severity"] == "error"
    assert client.post(url_of(hook), data=encoded({"hook": hook})).status_code == 422
