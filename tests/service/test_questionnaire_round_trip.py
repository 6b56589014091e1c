"""The way of a form, over real HTTP: fetched, answered, sent in prefetch, judged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import requests
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.samples import all_shown
from cds_service.settings import Settings
from policies.engine import Engine
from tests.examples.agreement import nodes
from tests.forms import Json, asked, enabled

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DAY = "2026-03-10"


@pytest.fixture(scope="module")
def base(engine: Engine) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    server.app = create_app(Settings(public_url=address), engine)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def judge(base: str, request: Json) -> Json:
    """The one determination of a request."""
    answer = requests.post(f"{base}/determinations", json=request, timeout=20)
    assert answer.status_code == 200
    (found,) = answer.json()["determinations"]
    return dict(found)


def form_for(base: str, request: Json) -> Json:
    """The form that $questionnaire-package gives for the pump and the coverage of a request."""
    pump = request["context"]["draftOrders"]["entry"]
    parts = [{"name": "order", "resource": entry["resource"]} for entry in pump]
    coverage = request["prefetch"]["coverage"]["entry"][0]["resource"]
    body = {
        "resourceType": "Parameters",
        "parameter": [*parts, {"name": "coverage", "resource": coverage}],
    }
    answer = requests.post(f"{base}/fhir/Questionnaire/$questionnaire-package", json=body, timeout=20).json()
    (bundle,) = [p["resource"] for p in answer["parameter"] if p["name"] == "PackageBundle"]
    form, draft = (entry["resource"] for entry in bundle["entry"])
    assert draft["questionnaire"] == f"{form['url']}|{form['version']}"
    assert requests.get(form["url"], timeout=20).json() == form
    return dict(form)


def favorable(item: Json) -> Json:
    """The answer that speaks for the order; the forms of these orders ask for yes or no alone."""
    assert item["type"] == "boolean"
    return {"valueBoolean": item["linkId"] not in AGAINST}


# A yes to these speaks against an order.
AGAINST = {"one_shot_arterial_chemo", "subacromial_infusion", "return_to_office_each_infusion"}

Answer = Callable[[Json], Json | None]


def answered(form: Json, patient: str, answer: Answer = favorable, **elements: Any) -> Json:
    """A response with an answer to every item that the form shows, in the form's groups."""

    def filled(items: list[Json]) -> list[Json]:
        found: list[Json] = []
        for item in items:
            if item["type"] == "group" and (inner := filled(item["item"])):
                found.append({"linkId": item["linkId"], "item": inner})
            elif item["linkId"] in shown and (given := answer(item)):
                found.append({"linkId": item["linkId"], "answer": [given]})
        return found

    given = {name: answer(item) for name, item in asked(form).items()}
    shown = enabled(form, {name: next(iter(value.values())) for name, value in given.items() if value})
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "authored": f"{DAY}T09:00:00-05:00",
        "item": filled(form["item"]),
    } | elements
    QuestionnaireResponse.model_validate(response)
    return response


def note(patient: str, **elements: Any) -> Json:
    """A progress note behind the response."""
    return {
        "resourceType": "DocumentReference",
        "id": "note",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "date": f"{DAY}T10:00:00-05:00",
        "content": [{"attachment": {"contentType": "text/plain"}}],
        "context": {"related": [{"reference": "QuestionnaireResponse/form"}]},
    } | elements


def send(request: Json, *resources: Json) -> Json:
    """A request whose prefetch holds further resources."""
    sent = deepcopy(request)
    keys = {"QuestionnaireResponse": "questionnaireResponses", "DocumentReference": "documents"}
    for resource in resources:
        bundle = sent["prefetch"][keys[resource["resourceType"]]]
        bundle.setdefault("entry", []).append({"resource": resource})
    return sent


@pytest.fixture
def insulin() -> Json:
    """An order for an insulin pump under Aetna whose chart shows everything but what only words can."""
    request = all_shown()
    (entry,) = request["prefetch"]["questionnaireResponses"]["entry"]
    entry["resource"]["item"] = [{"linkId": "insulin_self_adjusts", "answer": [{"valueBoolean": True}]}]
    return request


PATIENT = "sample-met"
OPEN = {
    "experienced_physician",
    "pump_team",
    "able_to_care_for_pump",
    "able_to_monitor",
    "attends_to_diet_and_exercise",
}


def state(determination: Json, name: str) -> tuple[str, str]:
    """State of a criterion, and the reason when unknown."""
    node = next(node for node in nodes(determination) if node["id"] == name)
    return node["state"], node.get("reason", "")


def test_the_chart_needs_the_form(base: str, insulin: Json) -> None:
    found = judge(base, insulin)
    assert found["outcome"] == "needs-documentation"
    assert set(found["lacking"]) == OPEN


def test_documented_answers_are_met(base: str, insulin: Json) -> None:
    form = form_for(base, insulin)
    found = judge(base, send(insulin, answered(form, PATIENT), note(PATIENT)))
    assert found["outcome"] == "met"
    node = next(node for node in nodes(found) if node["id"] == "pump_team")
    resources = [evidence["resource"] for evidence in node["evidence"]]
    assert resources == ["QuestionnaireResponse/form", "DocumentReference/note"]


def test_attested_answers_wait_for_a_record_where_the_policy_says_so(base: str, insulin: Json) -> None:
    found = judge(base, send(insulin, answered(form_for(base, insulin), PATIENT)))
    assert found["outcome"] == "needs-documentation"
    assert set(found["lacking"]) == OPEN
    assert {state(found, name) for name in OPEN} == {("unknown", "attested_only")}


def test_a_documented_no_is_unmet(base: str, insulin: Json) -> None:
    form = form_for(base, insulin)

    def answer(item: Json) -> Json:
        return {"valueBoolean": False} if item["linkId"] == "diabetes_team" else favorable(item)

    found = judge(base, send(insulin, answered(form, PATIENT, answer), note(PATIENT)))
    assert found["outcome"] == "not-met"
    assert found["lacking"] == ["pump_team"]


def test_an_item_that_is_not_answered_is_unknown(base: str, insulin: Json) -> None:
    form = form_for(base, insulin)

    def answer(item: Json) -> Json | None:
        return None if item["linkId"] == "diabetes_team" else favorable(item)

    response = answered(form, PATIENT, answer)
    response["item"].append({"linkId": "diabetes_team"})
    found = judge(base, send(insulin, response, note(PATIENT)))
    assert (found["outcome"], found["lacking"]) == ("needs-documentation", ["pump_team"])
    assert state(found, "pump_team") == ("unknown", "no_data")


@pytest.mark.parametrize(
    "wrong",
    [
        {"valueString": "yes, they do"},
        {"valueInteger": 1},
        {"valueCoding": {"code": "maybe"}},
        {"valueDate": "2026-01-01"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_answer_of_the_wrong_type_is_unknown_and_said_to_be(base: str, insulin: Json, wrong: Json) -> None:
    form = form_for(base, insulin)

    def answer(item: Json) -> Json:
        return wrong if item["linkId"] == "diabetes_team" else favorable(item)

    found = judge(base, send(insulin, answered(form, PATIENT, answer), note(PATIENT)))
    assert (found["outcome"], found["lacking"]) == ("needs-documentation", ["pump_team"])
    assert state(found, "pump_team") == ("unknown", "unit_mismatch")


def test_an_unknown_link_id_does_no_harm(base: str, insulin: Json) -> None:
    response = answered(form_for(base, insulin), PATIENT)
    response["item"].append({"linkId": "no-such-fact", "answer": [{"valueBoolean": False}]})
    assert judge(base, send(insulin, response, note(PATIENT)))["outcome"] == "met"


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("completed", True),
        ("amended", True),
        ("in-progress", False),
        ("stopped", False),
        ("entered-in-error", False),
    ],
)
def test_only_a_finished_response_counts(base: str, insulin: Json, status: str, counts: bool) -> None:
    response = answered(form_for(base, insulin), PATIENT, status=status)
    found = judge(base, send(insulin, response, note(PATIENT)))
    assert found["outcome"] == ("met" if counts else "needs-documentation")
    assert set(found.get("lacking", ())) == (set() if counts else OPEN)


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "entered-in-error"},
        {"status": "superseded"},
        {"docStatus": "preliminary"},
        {"context": {"related": [{"reference": "QuestionnaireResponse/another"}]}},
        {"subject": {"reference": "Patient/another"}},
        {"date": "2026-12-01T10:00:00-05:00"},
    ],
    ids=str,
)
def test_a_record_that_does_not_count_leaves_an_attestation(base: str, insulin: Json, broken: Json) -> None:
    response = answered(form_for(base, insulin), PATIENT)
    found = judge(base, send(insulin, response, note(PATIENT, **broken)))
    assert {state(found, name) for name in OPEN} == {("unknown", "attested_only")}


def test_a_response_from_after_the_order_does_not_count(base: str, insulin: Json) -> None:
    response = answered(form_for(base, insulin), PATIENT, authored="2026-03-17T09:00:00-05:00")
    assert set(judge(base, send(insulin, response, note(PATIENT)))["lacking"]) == OPEN


# A policy to which an attestation suffices


@pytest.fixture
def vancomycin() -> Json:
    """A pump for vancomycin at home under HUSKY, infused for two hours twice a day."""
    subject = {"reference": "Patient/p1"}
    shared = {
        "status": "draft",
        "intent": "original-order",
        "subject": subject,
        "authoredOn": "2026-03-16T10:15:00-05:00",
        "requester": {"reference": "Practitioner/dr"},
    }
    pump = {
        "resourceType": "DeviceRequest",
        "id": "pump",
        "codeCodeableConcept": {"coding": [{"system": HCPCS, "code": "E0781"}]},
        "supportingInfo": [{"reference": "MedicationRequest/drug"}],
        **shared,
    }
    drug = {
        "resourceType": "MedicationRequest",
        "id": "drug",
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": "11124", "display": "vancomycin"}]
        },
        "dosageInstruction": [
            {
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]},
                "timing": {
                    "repeat": {
                        "duration": 2,
                        "durationUnit": "h",
                        "frequency": 2,
                        "period": 1,
                        "periodUnit": "d",
                    }
                },
            }
        ],
        **shared,
    }
    coverage = {
        "resourceType": "Coverage",
        "id": "cov",
        "status": "active",
        "beneficiary": subject,
        "payor": [{"display": "HUSKY Health"}],
        "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "HUSKY A", "name": "HUSKY A"}],
    }
    physician = {
        "resourceType": "Practitioner",
        "id": "dr",
        "qualification": [{"code": {"coding": [{"code": "MD"}]}}],
    }
    visit = note("p1", id="visit", context={})

    def bundle(*resources: Json) -> Json:
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": resource} for resource in resources],
        }

    return {
        "hook": "order-sign",
        "hookInstance": "5a3c0e1e-0000-4000-8000-000000000001",
        "context": {"userId": "Practitioner/dr", "patientId": "p1", "draftOrders": bundle(pump, drug)},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"},
            "coverage": bundle(coverage),
            "practitioners": bundle(physician),
            "documents": bundle(visit),
            "questionnaireResponses": bundle(),
        },
    }


@pytest.mark.parametrize("documented", [True, False])
def test_where_a_statement_suffices_the_form_alone_is_enough(
    base: str, vancomycin: Json, documented: bool
) -> None:
    before = judge(base, vancomycin)
    assert before["outcome"] == "needs-documentation"
    form = form_for(base, vancomycin)
    resources = [answered(form, "p1"), *([note("p1")] if documented else [])]
    found = judge(base, send(vancomycin, *resources))
    assert (found["outcome"], found.get("lacking", [])) == ("met", [])
    node = next(node for node in nodes(found) if node["id"] == "pump_needed_for_safety")
    assert (node["state"], node.get("attested", False)) == ("met", not documented)
