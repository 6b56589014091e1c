"""A ServiceRequest that an EHR can accept as it stands. Source: CRD, profile-servicerequest."""

from __future__ import annotations

from typing import Any

from cards.proposals.context import Context
from mappings.chart import reference_of
from mappings.fhir import Coding, Coverage, Reference, Request
from mappings.orderables import Item
from policies.determination import CoverageRef

_WHO = ("Practitioner", "PractitionerRole")


def service_request(
    context: Context, order: Request, coverage: CoverageRef | None, item: Item, says: str
) -> dict[str, Any]:
    """A draft order of the item, for the same patient and the same reason as `order`."""
    found: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [_coding(coding) for coding in item.codes], "text": says},
        "subject": subject(context, order),
        "encounter": {"reference": f"Encounter/{context.encounter_id}"} if context.encounter_id else None,
        "authoredOn": context.today.isoformat(),
        "requester": requester(context, order),
        "performerType": {"coding": [_coding(item.performer)]} if item.performer is not None else None,
        "reasonCode": [_concept(concept) for concept in order.reasonCode if concept.coding or concept.text],
        "reasonReference": [{"reference": r.reference} for r in order.reasonReference if _is_condition(r)],
        "insurance": [{"reference": reference} for reference in _on_file(context, coverage)],
    }
    return {element: value for element, value in found.items() if value}


def subject(context: Context, order: Request | None) -> dict[str, str]:
    """The patient, as the order names it."""
    written = order.subject.reference if order is not None and order.subject is not None else ""
    return {
        "reference": written if written and not written.startswith("#") else f"Patient/{context.patient_id}"
    }


def requester(context: Context, order: Request) -> dict[str, str] | None:
    """The user where that is a practitioner, else who signs the order; None when neither can be named."""
    written = order.requester.reference if order.requester is not None else ""
    for reference in (context.user_id, written):
        if reference.split("/")[-2:-1] and reference.split("/")[-2] in _WHO:
            return {"reference": reference}
    return None


def _on_file(context: Context, coverage: CoverageRef | None) -> list[str]:
    """The coverage, where it is a resource of its own that others can refer to."""
    wanted = coverage.reference if coverage is not None else ""
    return [wanted] if any(c.id and reference_of(c) == wanted for c in context.chart.of(Coverage)) else []


def _is_condition(reference: Reference) -> bool:
    parts = reference.reference.split("/")
    return len(parts) >= 2 and parts[-2] == "Condition"


def _coding(coding: Coding) -> dict[str, str]:
    found = {"system": coding.system, "code": coding.code, "display": coding.display}
    return {name: text for name, text in found.items() if text}


def _concept(concept: Any) -> dict[str, Any]:
    coding = [found for c in concept.coding if (found := _coding(c))]
    return ({"coding": coding} if coding else {}) | ({"text": concept.text} if concept.text else {})
