"""Orders of implantable pumps and the records around them, as FHIR JSON."""

from __future__ import annotations

from typing import Any

from mappings.evidence import Reading
from tests.builders import CPT, LOINC, observation, resource, statement
from tests.mappings.orders import ANSWER, DAY, ICD, RXNORM, SNOMED, Asked, Json, concept, drug, pump

MORPHINE, BACLOFEN, ZICONOTIDE, FLOXURIDINE, TREPROSTINIL = "7052", "1292", "68503", "4488", "343048"
TIZANIDINE, OXYCODONE, GABAPENTIN, EPOPROSTENOL, BUPIVACAINE = "57258", "7804", "25480", "8814", "1815"
INTRATHECAL, EPIDURAL, ORAL, UNDER_THE_SKIN = "72607000", "404820008", "26643006", "34206005"
NO_RESPONSE, NOT_TOLERATED = "266721009", "407563006"
FAVORABLE, UNFAVORABLE, PARTLY = "385669000", "385671000", "385670004"


def order(
    code: str = MORPHINE, *reasons: str, route: str = INTRATHECAL, pump_code: str = "E0783", **more: Any
) -> tuple[Json, Json]:
    """A draft implantable pump and the drug that it is to deliver, for ICD-10-CM reasons."""
    return (
        pump(pump_code, reasonCode=[concept((ICD, reason)) for reason in reasons], **more),
        drug((RXNORM, code), dosageInstruction=[{"route": concept((SNOMED, route))}]),
    )


def taken(
    code: str,
    start: str = "",
    end: str = "",
    status: str = "stopped",
    why: str = "",
    route: str = ORAL,
    mg_a_day: float | None = None,
    maximal: bool = False,
    **more: Any,
) -> Json:
    """A MedicationStatement; `why` is the coded reason for the stop."""
    dosage: Json = {"route": concept((SNOMED, route))} if route else {}
    if mg_a_day is not None:
        dosage["maxDosePerPeriod"] = {
            "numerator": {"value": mg_a_day, "code": "mg"},
            "denominator": {"value": 1, "code": "d"},
        }
    if maximal:
        fact = ("urn:coverage-hooks:fact", "oral_antispasmodic_max_dose")
        dosage["additionalInstruction"] = [concept(fact)]
    return resource(
        "MedicationStatement",
        {
            "status": status,
            "statusReason": [concept((SNOMED, why))] if why else None,
            "medicationCodeableConcept": concept((RXNORM, code)),
            "effectivePeriod": {k: v for k, v in (("start", start), ("end", end)) if v} or None,
            "dosage": [dosage],
        },
        **more,
    )


def trial(
    code: str = "62326", start: str = "2026-01-10", end: str = "", outcome: str = "", **more: Any
) -> Json:
    """A Procedure through the spine: a catheter over days, or an injection on one day."""
    when: Json = {"performedDateTime": start or None}
    if end:
        when = {"performedPeriod": {"start": start, "end": end}}
    return resource(
        "Procedure",
        {
            "status": "completed",
            "code": concept((CPT, code)),
            "outcome": concept((SNOMED, outcome)) if outcome else None,
            **when,
        },
        **more,
    )


def given(
    code: str,
    part_of: Json | None,
    dose: float | None = None,
    unit: str = "ug",
    route: str = INTRATHECAL,
    **more: Any,
) -> Json:
    """A MedicationAdministration, part of a Procedure."""
    dosage: Json = {"route": concept((SNOMED, route))} if route else {}
    if dose is not None:
        dosage["dose"] = {"value": dose, "unit": unit, "code": unit}
    return resource(
        "MedicationAdministration",
        {
            "status": "completed",
            "partOf": [{"reference": f"Procedure/{part_of['id']}"}] if part_of is not None else None,
            "medicationCodeableConcept": concept((RXNORM, code)),
            "dosage": dosage,
        },
        **more,
    )


def score(value: float, on: str, part_of: Json | None = None, code: str = "72514-3", **more: Any) -> Json:
    """A pain score."""
    parent = [{"reference": f"Procedure/{part_of['id']}"}] if part_of is not None else None
    return observation(code, value, "{score}", on, LOINC, **{"partOf": parent, **more})


def says(on: str = "2026-02-10", **answers: Any) -> Json:
    """A statement: booleans, numbers, dates and coded answers by the fact's name."""
    return statement(on, **{name: _answer(value) for name, value in answers.items()})


def _answer(value: Any) -> Json:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int | float):
        return {"valueDecimal": value}
    if isinstance(value, str) and value[:4].isdigit():
        return {"valueDate": value}
    return {"valueCoding": {"system": ANSWER, "code": value}}


def computed(fact: str, *chart: Json, order: tuple[Json, ...] = (), **book: Any) -> Reading:
    """What is computed of a fact for a pump order on 16 February 2026 (intrathecal morphine by default)."""
    return Asked(*(order or DEFAULT), chart=chart, **book).reading(fact)


def told(fact: str, *chart: Json, order: tuple[Json, ...] = (), **book: Any) -> Any:
    """The value of a fact, or the reason why there is none."""
    found = computed(fact, *chart, order=order, **book)
    return found.value if found.known else found.reason


DEFAULT = order(MORPHINE, "M96.1")
FOR_SPASTICITY = order(BACLOFEN, "G82.21")
assert DAY.isoformat() == "2026-02-16"
