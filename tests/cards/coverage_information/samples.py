"""Determinations of every outcome, and orders as a client sends them."""

from __future__ import annotations

import json
from typing import Any

from policies.determination import CoverageRef, Determination, Limit, Node, PolicyRef, Stated

URL = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
POLICY = PolicyRef("plan.pump", "1", "Plan", "Pump policy", url="https://plan.example/doc")
OUTCOMES = ("met", "needs-documentation", "not-met", "data not fetched", "not-applicable", "excluded")
NOT_SHOWN = ("nothing", "criteria", "papers", "both")
ANSWERS = ("required", "not-required", "unknown", "not stated")

Json = dict[str, Any]


def criterion(name: str, state: str, **more: Any) -> Node:
    return Node(name, state, says=f"The {name} is shown", **more)


def determination(
    outcome: str, not_shown: str = "nothing", answer: str = "not-required", **more: Any
) -> Determination:
    """A determination of this outcome, where this is not shown."""
    fetched = outcome != "data not fetched"
    criteria = [criterion("diabetes", "met")]
    documents, exclusions = [], []
    asks = []
    if outcome == "not-met":
        criteria.append(criterion("HbA1c", "unmet"))
    if outcome == "not-applicable":
        criteria = [criterion("scope", "unmet")]
    if outcome == "excluded":
        exclusions.append(Node("allergy", "met", kind="exclusion", says="The member is allergic"))
    if outcome == "needs-documentation" and not_shown == "nothing":
        criteria.append(criterion("reserved", "unmet", reserved=True))
    if not_shown in ("criteria", "both"):
        criteria.append(criterion("education", "unknown", reason="no_data", asks=["File the certificate."]))
        asks = ["File the certificate."]
    if not fetched:
        criteria.append(criterion("testing", "unknown", reason="fetch_failed"))
    if not_shown in ("papers", "both"):
        documents.append(
            Node("visit", "unmet", kind="documentation", required=True, says="A visit is on file")
        )
    states = [node.state for node in criteria]
    state = next((s for s in ("unmet", "unknown") if s in states), "met")
    found = Determination(
        order="DeviceRequest/pump-1",
        policy=POLICY,
        service="pump",
        as_of="2026-02-16",
        outcome=outcome if fetched else "needs-documentation",
        criteria=Node("criteria", state, operator="all", criteria=criteria),
        exclusions=exclusions,
        documentation=documents,
        lacking=[n.id for n in (*criteria, *exclusions, *documents) if n.state != "met" or n in exclusions],
        asks=asks,
        prior_authorization=Stated(["plan-1/pa"], f"It is {answer}", answer=answer)
        if answer in ANSWERS[:3]
        else None,
        coverage=CoverageRef("Coverage/c1", "Plan"),
        order_label="Insulin pump (E0784)",
    )
    for name, value in more.items():
        setattr(found, name, value)
    return found


def limited(*limits: Limit) -> Determination:
    """A met determination whose prior authorization rule and caveats state limits."""
    caveats = [Stated([], f"Limit {number}", limit=limit) for number, limit in enumerate(limits)]
    return determination("met", caveats=caveats)


def order(id_: str = "pump-1", **elements: Any) -> Json:
    """A pump order that fulfils the CRD profile."""
    found: Json = {
        "resourceType": "DeviceRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "codeCodeableConcept": {"coding": [{"system": HCPCS, "code": "E0784"}]},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-16",
        "requester": {"reference": "Practitioner/dr"},
    }
    return {key: value for key, value in (found | elements).items() if value is not None}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def parts(extension: Json, name: str) -> list[Any]:
    """The values of the parts of this name."""
    return [
        value
        for part in extension["extension"]
        if part["url"] == name
        for key, value in part.items()
        if key.startswith("value")
    ]
