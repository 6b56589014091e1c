"""Orders under Northwood's policy, written as FHIR JSON, and what the engine answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.parsing import read
from policies.determination import Determination, Node, walk
from policies.engine import Engine
from policies.library import LIBRARY
from policies.loader import load_policy
from policies.payers import Payers
from policies.registry import Registry
from tests.mappings.orders import (
    ANSWER,
    CONTINUOUS,
    FACT,
    HCPCS,
    ICD,
    RXNORM,
    SNOMED,
    Json,
    catalogue,
    concept,
    drugs,
    value_sets,
)

LEDGER = "northwood-eip/"
ROUTES = {"intravenous": "47625008", "subcutaneous": "34206005", "intrathecal": "72607000"}
SETS = {
    "parenteral_home_administration_necessary": True,
    "infusion_pump_necessary_for_safety": True,
    "improved_efficacy_prolonged": True,
    "regimen_advantage_over_intermittent": True,
}
INTERMITTENT = {
    "parenteral_home_administration_necessary": True,
    "infusion_pump_necessary_for_safety": True,
    "return_to_office_each_infusion": False,
    "controlled_rate_needed_for_toxicity": True,
    "compendium_support": True,
}


@cache
def engine() -> Engine:
    """An engine that knows this one policy."""
    path = LIBRARY / "northwood" / "external_infusion_pump" / "policy.yaml"
    policy = load_policy(path, catalogue(), value_sets())
    return Engine(catalogue(), value_sets(), drugs(), Payers.load(), Registry([policy], value_sets()))


def statement(says: dict[str, Any], day: str, name: str = "stated") -> Json:
    """A completed QuestionnaireResponse; a tuple is a quantity (value, UCUM unit)."""
    items = []
    for fact, value in says.items():
        if isinstance(value, bool):
            answer: Json = {"valueBoolean": value}
        elif isinstance(value, tuple):
            answer = {"valueQuantity": {"value": value[0], "unit": value[1], "code": value[1]}}
        elif isinstance(value, int | float):
            answer = {"valueDecimal": value}
        elif isinstance(value, date):
            answer = {"valueDate": value.isoformat()}
        else:
            answer = {"valueCoding": {"system": ANSWER, "code": value}}
        items.append({"linkId": fact, "answer": [answer]})
    return {
        "resourceType": "QuestionnaireResponse",
        "id": name,
        "status": "completed",
        "authored": day,
        "item": items,
    }


def condition(code: str, **elements: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"c-{code}",
        "clinicalStatus": concept(("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")),
        "verificationStatus": concept(
            ("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")
        ),
        "code": concept((ICD, code)),
        "onsetDateTime": "2025-01-10",
        "subject": {"reference": "Patient/p"},
    } | elements


def visit(day: str, *, by: str = "dr", reasons: tuple[str, ...] = (), **elements: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": f"v-{day}",
        "status": "finished",
        "class": {"code": "AMB"},
        "participant": [{"individual": {"reference": f"Practitioner/{by}"}}],
        "period": {"start": day, "end": day},
        "reasonCode": [concept((ICD, code)) for code in reasons],
    } | elements


def practitioner(name: str, specialty: str) -> list[Json]:
    """A physician and the role with a NUCC specialty."""
    person = {
        "resourceType": "Practitioner",
        "id": name,
        "qualification": [{"code": concept(("http://terminology.hl7.org/CodeSystem/v2-0360", "MD"))}],
    }
    role = {
        "resourceType": "PractitionerRole",
        "id": f"{name}-role",
        "practitioner": {"reference": f"Practitioner/{name}"},
        "specialty": [concept(("http://nucc.org/provider-taxonomy", specialty))],
    }
    return [person, role]


def coverage(typology: str | None, plan: str = "DMEPOS benefit administered by Northwood") -> Json:
    found: Json = {
        "resourceType": "Coverage",
        "id": "coverage",
        "status": "active",
        "beneficiary": {"reference": "Patient/p"},
        "payor": [{"display": "Northwood, Inc."}],
        "class": [
            {
                "type": concept(("http://terminology.hl7.org/CodeSystem/coverage-class", "plan")),
                "value": plan,
                "name": plan,
            }
        ],
    }
    if typology is not None:
        found["type"] = concept(("https://nahdo.org/sopt", typology))
    return found


def drug_order(
    rxnorm: str, text: str, *, route: str = "intravenous", hours: float | None = 24, **repeat: Any
) -> Json:
    """A draft order of a drug; with hours of 24 or `continuous` it is a continuous infusion."""
    continuous = repeat.pop("continuous", hours == 24)
    elements = repeat.pop("elements", {})
    codings = [(RXNORM, rxnorm)] if rxnorm else []
    if "hcpcs" in repeat:
        codings.append((HCPCS, repeat.pop("hcpcs")))
    timing: Json = {"frequency": 1, "period": 1, "periodUnit": "d", **repeat}
    if hours is not None:
        timing |= {"duration": hours, "durationUnit": "h"}
    dosage: Json = {"route": concept((SNOMED, ROUTES[route])), "timing": {"repeat": timing}}
    if continuous:
        dosage["method"] = CONTINUOUS
    return {
        "resourceType": "MedicationRequest",
        "id": "drug",
        "status": "draft",
        "intent": "original-order",
        "medicationCodeableConcept": concept(*codings, text=text),
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2025-12-15",
        "dosageInstruction": [dosage],
    } | elements


def device_order(code: str, day: str, *, name: str = "pump", reason: str = "", **elements: Any) -> Json:
    """A draft order of a device; `facts` become parameters of the order."""
    parameters = [
        {"code": concept((FACT, fact)), "valueQuantity": {"value": value}}
        if isinstance(value, int | float) and not isinstance(value, bool)
        else {"code": concept((FACT, fact)), "valueCodeableConcept": concept((ANSWER, value))}
        for fact, value in elements.pop("facts", {}).items()
    ]
    return (
        {
            "resourceType": "DeviceRequest",
            "id": name,
            "status": "draft",
            "intent": "original-order",
            "codeCodeableConcept": concept((HCPCS, code), text=elements.pop("text", "")),
            "subject": {"reference": "Patient/p"},
            "authoredOn": day,
            "requester": {"reference": "Practitioner/dr"},
            "parameter": parameters,
        }
        | ({"reasonReference": [{"reference": f"Condition/c-{reason}"}]} if reason else {})
        | elements
    )


def answer(
    *drafts: Json,
    chart: Iterable[Json] = (),
    says: dict[str, Any] | None = None,
    line: str | None = "512",
    specialty: str = "207RX0202X",
    birth: str = "1970-03-28",
    coverages: list[Json] | None = None,
) -> dict[str, Determination]:
    """The determinations of the drafts by the id of the order."""
    day = drafts[0]["authoredOn"][:10]
    resources = [
        {"resourceType": "Patient", "id": "p", "birthDate": birth, "address": [{"state": "MI"}]},
        *(coverages if coverages is not None else [coverage(line)]),
        *practitioner("dr", specialty),
        *chart,
    ]
    if says:
        resources.append(statement(says, day))
    record = Chart("p", value_sets())
    for resource in resources:
        record.add(read(json.dumps(resource).encode()).items, Origin.PREFETCH)
    requests = [item.resource for draft in drafts for item in read(json.dumps(draft).encode()).items]
    report = engine().decide(requests, record, date(2026, 12, 1))
    return {found.order.split("/")[1]: found for found in report.determinations}


def judged(
    rxnorm: str,
    text: str,
    *,
    code: str = "E0781",
    day: str = "2025-12-15",
    reason: str = "",
    conditions: tuple[str, ...] = (),
    drug: dict[str, Any] | None = None,
    order: dict[str, Any] | None = None,
    chart: Iterable[Json] = (),
    **asked: Any,
) -> Determination:
    """The determination of a pump and its drug. reason: the condition that they are ordered for."""
    named = dict.fromkeys((*((reason,) if reason else ()), *conditions))
    found = answer(
        device_order(code, day, reason=reason, **(order or {})),
        drug_order(rxnorm, text, **(drug or {})),
        chart=[*(condition(one) for one in named), *chart],
        **asked,
    )
    return found["pump"]


def states(found: Determination, *clauses: str) -> tuple[str, ...]:
    """The states of clauses by their short ids; "absent" where a clause has no place in the answer."""
    nodes: list[Node] = [
        node for root in (found.criteria, *found.exclusions, *found.documentation) for node in walk(root)
    ]
    return tuple(
        next((node.state for node in nodes if LEDGER + clause in node.clauses), "absent")
        for clause in clauses
    )


def lacking(found: Determination) -> set[str]:
    """The short ids of the clauses that stand between the order and met."""
    nodes = [
        node
        for root in (found.criteria, *found.exclusions, *found.documentation)
        for node in walk(root)
        if node.id in found.lacking
    ]
    return {clause.removeprefix(LEDGER) for node in nodes for clause in node.clauses}
