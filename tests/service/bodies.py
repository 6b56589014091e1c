"""Hook requests for tests: a valid one, which each test changes."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
SIGN = "/cds-services/infusion-pump-order-sign"
SELECT = "/cds-services/infusion-pump-order-select"
DISPATCH = "/cds-services/infusion-pump-order-dispatch"
BOOK = "/cds-services/infusion-pump-appointment-book"
START = "/cds-services/infusion-pump-encounter-start"
DISCHARGE = "/cds-services/infusion-pump-encounter-discharge"


def pump_order(id_: str = "pump-1", **elements: Any) -> Json:
    """A draft order for an external insulin pump."""
    order: Json = {
        "resourceType": "DeviceRequest",
        "id": id_,
        "status": "draft",
        "intent": "original-order",
        "codeCodeableConcept": {"coding": [{"system": HCPCS, "code": "E0784"}], "text": "Insulin pump"},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-16",
    }
    return order | elements


def bundle(*resources: Json, **elements: Any) -> Json:
    """A searchset."""
    found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        found["entry"] = [{"resource": resource} for resource in resources]
    return found | elements


def observation(id_: str = "o1", value: Any = 7.4, **elements: Any) -> Json:
    """An HbA1c in percent."""
    found: Json = {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-01-10",
        "valueQuantity": {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }
    return found | elements


PATIENT: Json = {"resourceType": "Patient", "id": "p1", "birthDate": "1990-05-01"}


def condition(id_: str = "c1") -> Json:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E10.65"}]}
    return {"resourceType": "Condition", "id": id_, "code": code, "subject": {"reference": "Patient/p1"}}


def sign(*orders: Json, prefetch: Json | None = None, **envelope: Any) -> Json:
    """An order-sign request; without orders, for one insulin pump."""
    drafts = orders or (pump_order(),)
    request: Json = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/dr",
            "patientId": "p1",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": order} for order in drafts],
            },
        },
    }
    if prefetch is not None:
        request["prefetch"] = prefetch
    return request | envelope


def select(*orders: Json, selections: list[str], **rest: Any) -> Json:
    """An order-select request."""
    request = sign(*orders, **rest)
    request["hook"] = "order-select"
    request["context"]["selections"] = selections
    return request


def dispatch(*names: str, prefetch: Json | None = None, **envelope: Any) -> Json:
    """An order-dispatch request in the shape of version 1.1; without names, for one pump."""
    context = {
        "patientId": "p1",
        "dispatchedOrders": list(names or ("DeviceRequest/pump-1",)),
        "performer": "Organization/dme",
    }
    return _request("order-dispatch", context, prefetch, envelope)


def book(*appointments: Json, prefetch: Json | None = None, **envelope: Any) -> Json:
    """An appointment-book request."""
    context = {"userId": "Practitioner/dr", "patientId": "p1", "appointments": bundle(*appointments)}
    return _request("appointment-book", context, prefetch, envelope)


def visit(hook: str, *, prefetch: Json | None = None, **envelope: Any) -> Json:
    """An encounter-start or encounter-discharge request."""
    context = {"userId": "Practitioner/dr", "patientId": "p1", "encounterId": "e1"}
    return _request(hook, context, prefetch, envelope)


def _request(hook: str, context: Json, prefetch: Json | None, envelope: Json) -> Json:
    request = {"hook": hook, "hookInstance": "f3945c39-dfbe-444f-ba6d-3e05e123b24b", "context": context}
    return request | ({} if prefetch is None else {"prefetch": prefetch}) | envelope


def judged(answer: Json) -> list[str]:
    """The orders of the cards that hold a determination."""
    extensions = [card.get("extension", {}) for card in answer["cards"]]
    return [
        e["coverage-hooks.determination"]["order"] for e in extensions if "coverage-hooks.determination" in e
    ]


def unchecked(answer: Json) -> Json:
    """What could not be checked, from the cards: what -> the text of the card."""
    head = "Coverage not checked: "
    found = [card for card in answer["cards"] if card["summary"].startswith(head)]
    assert all(card["indicator"] == "info" for card in found)
    return {card["summary"].removeprefix(head): card["detail"] for card in found}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def issue(outcome: Json) -> Json:
    """The one issue of an OperationOutcome."""
    assert outcome["resourceType"] == "OperationOutcome"
    (only,) = outcome["issue"]
    found: Json = only
    return found


def code(outcome: Json) -> str:
    """The stable code of an error."""
    found: str = issue(outcome)["details"]["coding"][0]["code"]
    return found


def without_echo(answer: Json) -> Json:
    """A response whose system actions hold of each order only what was added last."""
    actions = [
        action | {"resource": action["resource"]["extension"][-1]}
        for action in answer.get("systemActions", ())
    ]
    return answer | {"systemActions": actions}
