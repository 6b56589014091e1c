"""Resources of a chart, written as FHIR JSON with what a test is about, and questions to them.

Every builder takes further elements by name; an element set to None is left out. Ids are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

from mappings.dates import before
from mappings.evidence import Reading
from tests.mappings.orders import DAY, HCPCS, ICD, RXNORM, SNOMED, Asked, Json, concept, drug, pump

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CPT = "http://www.ama-assn.org/go/cpt"
TIMING_EVENT = "http://terminology.hl7.org/CodeSystem/v3-TimingEvent"

_ids = count(1)


def resource(kind: str, elements: Mapping[str, Any], **more: Any) -> Json:
    """A resource of the patient."""
    found = {
        "resourceType": kind,
        "id": f"r{next(_ids)}",
        "subject": {"reference": "Patient/p"},
        **elements,
        **more,
    }
    return {key: value for key, value in found.items() if value is not None}


def ago(duration: str, later: int = 0, day: date = DAY) -> str:
    """The date a calendar duration before day 0, `later` days later."""
    return (before(day, duration) + timedelta(days=later)).isoformat()


def days_ago(number: int) -> str:
    return (DAY - timedelta(days=number)).isoformat()


def condition(
    code: str, system: str = ICD, status: str = "active", verified: str = "confirmed", **more: Any
) -> Json:
    return resource(
        "Condition",
        {
            "clinicalStatus": {"coding": [{"code": status}]} if status else None,
            "verificationStatus": {"coding": [{"code": verified}]} if verified else None,
            "code": concept((system, code)),
            "onsetDateTime": "2015-03-02",
        },
        **more,
    )


def observation(code: str, value: float | None, unit: str, on: str, system: str = LOINC, **more: Any) -> Json:
    quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit} if value is not None else None
    return resource(
        "Observation",
        {
            "status": "final",
            "code": concept((system, code)),
            "effectiveDateTime": on,
            "valueQuantity": quantity,
        },
        **more,
    )


def a1c(value: float, on: str, unit: str = "%", **more: Any) -> Json:
    code = "59261-8" if unit == "mmol/mol" else "4548-4"
    return observation(code, value, unit, on, **more)


def glucose(value: float, on: str, unit: str = "mg/dL", code: str = "41653-7", **more: Any) -> Json:
    """A self-test with a glucometer."""
    return observation(code, value, unit, on, **{"performer": [{"reference": "Patient/p"}], **more})


def sensor(value: float, on: str, **more: Any) -> Json:
    """A reading of a continuous glucose monitor."""
    return observation("99504-3", value, "mg/dL", on, **more)


def before_meal(event: str = "ACD") -> list[Json]:
    """The component that says how a reading relates to a meal."""
    return [{"code": {"text": "meal"}, "valueCodeableConcept": concept((TIMING_EVENT, event))}]


def fasting() -> list[Json]:
    return [
        {
            "code": concept((LOINC, "49541-6")),
            "valueCodeableConcept": concept((SNOMED, "16985007")),
        }
    ]


def log(per_day: int, first: str, last: str, value: float = 150, **more: Any) -> Iterator[Json]:
    """`per_day` self-tests on each of the days first to last."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        for number in range(per_day):
            yield glucose(value, f"{day}T{6 + number:02}:15:00-05:00", **more)
        day += timedelta(days=1)


def dosage(
    frequency: float | None = None,
    text: str = "",
    route: str = "34206005",
    start: str = "",
    end: str = "",
    **more: Any,
) -> Json:
    repeat: Json = {"frequency": frequency, "period": 1, "periodUnit": "d"} if frequency else {}
    if start or end:
        repeat["boundsPeriod"] = {key: value for key, value in (("start", start), ("end", end)) if value}
    found: Json = {"route": concept((SNOMED, route))} if route else {}
    if repeat:
        found["timing"] = {"repeat": repeat}
    if text:
        found["text"] = text
    return found | more


GLARGINE, LISPRO, ASPART, ISOPHANE, PREMIX = "274783", "86009", "51428", "253181", "816726"


def taken(code: str, frequency: float | None, since: str = "2023-08-31", end: str = "", **more: Any) -> Json:
    """A MedicationStatement of a drug by its RxNorm code."""
    period = {key: value for key, value in (("start", since), ("end", end)) if value}
    return resource(
        "MedicationStatement",
        {
            "status": "active",
            "medicationCodeableConcept": concept((RXNORM, code)),
            "effectivePeriod": period or None,
            "dosage": [dosage(frequency)],
        },
        **more,
    )


def prescribed(
    code: str, frequency: float | None, since: str = "2023-08-31", end: str = "", **more: Any
) -> Json:
    """A MedicationRequest of the record; the use began at the start of its period."""
    return resource(
        "MedicationRequest",
        {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept((RXNORM, code)),
            "authoredOn": since or "2023-08-31",
            "dosageInstruction": [dosage(frequency, start=since, end=end)],
        },
        **more,
    )


def device(*codings: tuple[str, str], name: str = "", **more: Any) -> Json:
    """A Device of the patient."""
    return resource(
        "Device",
        {
            "subject": None,
            "patient": {"reference": "Patient/p"},
            "status": "active",
            "type": concept(*codings) if codings else None,
            "deviceName": [{"name": name, "type": "user-friendly-name"}] if name else None,
        },
        **more,
    )


CGM, INSULIN_PUMP = (SNOMED, "700585005"), (SNOMED, "69805005")


def use_of(used: Json | str, start: str = "", end: str = "", status: str = "active", **more: Any) -> Json:
    """A DeviceUseStatement of a Device, or of one that only has a name."""
    reference = {"display": used} if isinstance(used, str) else {"reference": f"Device/{used['id']}"}
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return resource(
        "DeviceUseStatement",
        {"status": status, "device": reference, "timingPeriod": period or None},
        **more,
    )


def procedure(code: str, on: str, system: str = HCPCS, status: str = "completed", **more: Any) -> Json:
    return resource(
        "Procedure",
        {"status": status, "code": concept((system, code)), "performedDateTime": on or None},
        **more,
    )


def encounter(on: str, *participants: str, status: str = "finished", **more: Any) -> Json:
    return resource(
        "Encounter",
        {
            "status": status,
            "class": {"code": "AMB"},
            "period": {"start": on},
            "participant": [{"individual": {"reference": reference}} for reference in participants],
        },
        **more,
    )


def allergy(*codings: tuple[str, str], **more: Any) -> Json:
    return resource(
        "AllergyIntolerance",
        {
            "subject": None,
            "patient": {"reference": "Patient/p"},
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            "code": concept(*codings),
        },
        **more,
    )


def statement(on: str = "2026-02-10", **answers: Any) -> Json:
    """A QuestionnaireResponse that answers facts by name."""
    return resource(
        "QuestionnaireResponse",
        {
            "status": "completed",
            "authored": on,
            "item": [{"linkId": name, "answer": [value]} for name, value in answers.items()],
        },
    )


def insulin_pump_order(code: str = "E0784", reason: str = "E10.65", **more: Any) -> tuple[Json, Json]:
    """A draft insulin pump and the insulin that it is to deliver."""
    reasons = [concept((ICD, reason))] if reason else []
    return (
        pump(code, reasonCode=reasons, requester={"reference": "PractitionerRole/role"}, **more),
        drug((RXNORM, LISPRO), supportingInfo=None),
    )


GIVEN: dict[str, dict[str, Any]] = {
    "hba1c_above_7_6mo": {"threshold": 7, "duration": "P6M"},
    "glucose_tests_per_day_avg_60d": {"duration": "P2M"},
    "glucose_tests_per_day_avg": {"duration": "P2M"},
    "cgm_in_use_60d": {"duration": "P2M"},
    "hypoglycemia_episodes_3mo": {"threshold": 70},
    "preprandial_glucose_gt140_fraction": {"threshold": 140},
    "fasting_glucose_gt200_fraction": {"threshold": 200},
    "qualifying_event_duration_months": {
        "low": 70,
        "episodes": 2,
        "high_premeal": 140,
        "high_fasting": 200,
        "commonly": 0.5,
    },
    "mdi_start_date": {"at_least": 3},
    "mdi_during_event_window": {"duration": "P3M", "at_least": 3},
}
"""What Aetna CPB 0161 gives to the facts that ask for a threshold or a duration."""


def asked(*resources: Json | Iterable[Json], order: tuple[Json, ...] = (), **book: Any) -> Asked:
    """The facts of an insulin pump order on 16 February 2026 over a chart of the resources."""
    chart = [r for item in resources for r in ([item] if isinstance(item, dict) else item)]
    return Asked(*(order or insulin_pump_order()), chart=chart, **book)


def reading(
    fact: str, *resources: Json | Iterable[Json], order: tuple[Json, ...] = (), **given: Any
) -> Reading:
    """What is computed of a fact."""
    return asked(*resources, order=order).book.fact(fact, {**GIVEN.get(fact, {}), **given}).computed


def told(fact: str, *resources: Json | Iterable[Json], order: tuple[Json, ...] = (), **given: Any) -> Any:
    """The value of a fact, or the reason why there is none: one thing to compare in a table of cases."""
    found = reading(fact, *resources, order=order, **given)
    return found.value if found.known else found.reason
