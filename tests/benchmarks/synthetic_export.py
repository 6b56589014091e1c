"""An invented export: patients with diabetes, each with an insulin pump ordered, in no order that helps.

Every patient has four HbA1c, self-tests of glucose, insulin, a diagnosis, education, a visit, statements
with a note behind them, every second a glucose monitor, and a coverage of one of four payers. Lines of one type stand mixed over all
patients, as exports do. The same numbers give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

DAY = date(2026, 3, 16)
_HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
_LOINC, _SNOMED = "http://loinc.org", "http://snomed.info/sct"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_PAYERS = ("aetna", "northwood", "husky", "elsewhere")
_ASKED = (
    "insulin_self_adjusts",
    "orderer_pump_experience",
    "followup_by_orderer",
    "diabetes_team",
    "commit_pump_care",
    "commit_self_monitoring",
    "commit_diet_exercise",
)
_HBA1C_AGO = (20, 75, 130, 205)

Json = dict[str, Any]


def write_export(folder: Path, patients: int, observations: int) -> tuple[Path, Path]:
    """Write the files; the file of orders and the folder of the export.

    observations: of each patient, at least the four HbA1c.
    """
    data = folder / "export"
    data.mkdir(parents=True)
    for name, lines in _FILES.items():
        with (data / f"{name}.ndjson").open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(line) + "\n" for n in range(patients) for line in lines(n))
    with (data / "Observation.ndjson").open("w", encoding="utf-8") as out:
        for number in range(observations):
            out.writelines(_observation(n, number) for n in range(patients))
    with (data / "Organization.ndjson").open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(_organization(name)) + "\n" for name in _PAYERS)
    orders = folder / "orders.ndjson"
    with orders.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(order) + "\n" for n in reversed(range(patients)) for order in _orders(n))
    return orders, data


def _id(n: int) -> str:
    """Neither in the order of numbers nor of equal length, like ids of a real system."""
    return f"p{(n * 7919) % 1_000_003:x}-{n}"


def _chance(n: int) -> Random:
    return Random(n)


def _concept(system: str, code: str, text: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _about(n: int, kind: str, id_: str, **elements: Any) -> Json:
    subject = {"reference": f"Patient/{_id(n)}"}
    return {"resourceType": kind, "id": f"{id_}-{n}", "subject": subject, **elements}


def _observation(n: int, number: int) -> str:
    if number < len(_HBA1C_AGO):
        day = DAY - timedelta(days=_HBA1C_AGO[number])
        value, unit = round(6.4 + _chance(n).random() * 1.8 + number * 0.1, 1), "%"
        code, text = "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"
    else:
        number -= len(_HBA1C_AGO)
        day = DAY - timedelta(days=1 + number // (1 + n % 4))
        value, unit = 60 + (n * 31 + number * 17) % 190, "mg/dL"
        code, text = "41653-7", "Glucose [Mass/volume] in Capillary blood by Glucometer"
    return (
        f'{{"resourceType":"Observation","id":"o-{n}-{number}-{unit[0] == "%":d}","status":"final",'
        '"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",'
        f'"code":"laboratory"}}]}}],"code":{{"coding":[{{"system":"{_LOINC}","code":"{code}",'
        f'"display":"{text}"}}],"text":"{text}"}},"subject":{{"reference":"Patient/{_id(n)}"}},'
        f'"effectiveDateTime":"{day}T{7 + number % 14:02}:30:00-05:00","issued":"{day}T23:00:00-05:00",'
        f'"valueQuantity":{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org",'
        f'"code":"{unit}"}}}}\n'
    )


def _organization(name: str) -> Json:
    names = {"aetna": "Aetna", "northwood": "Northwood, Inc.", "husky": "HUSKY Health"}
    return {"resourceType": "Organization", "id": name, "name": names.get(name, "Elsewhere Mutual")}


def _patient(n: int) -> Iterator[Json]:
    yield {
        "resourceType": "Patient",
        "id": _id(n),
        "name": [{"family": f"Invented{n}", "given": ["Ada"]}],
        "gender": "female" if n % 2 else "male",
        "birthDate": f"{1950 + n % 55}-04-09",
    }


def _coverage(n: int) -> Iterator[Json]:
    payer = _PAYERS[0] if n % 10 < 7 else _PAYERS[n % 10 - 6]
    yield {
        "resourceType": "Coverage",
        "id": f"cov-{n}",
        "status": "active",
        "beneficiary": {"reference": f"Patient/{_id(n)}"},
        "payor": [{"reference": f"Organization/{payer}"}],
        "period": {"start": "2025-01-01"},
    }


def _condition(n: int) -> Iterator[Json]:
    code = ("E10.65", "Type 1 diabetes mellitus") if n % 3 else ("E11.65", "Type 2 diabetes mellitus")
    yield _about(
        n,
        "Condition",
        "c",
        clinicalStatus={"coding": [{"code": "active"}]},
        verificationStatus={"coding": [{"code": "confirmed"}]},
        code=_concept("http://hl7.org/fhir/sid/icd-10-cm", *code),
        onsetDateTime="2015-06",
    )


def _statement(n: int) -> Iterator[Json]:
    for code, text, times in (("274783", "insulin glargine", 1), ("86009", "insulin lispro", 2 + n % 3)):
        repeat = {"frequency": times, "period": 1, "periodUnit": "d"}
        yield _about(
            n,
            "MedicationStatement",
            f"m{code}",
            status="active",
            medicationReference={"reference": f"Medication/{code}"},
            effectivePeriod={"start": "2021-02-01"},
            dosage=[
                {
                    "text": f"{text}, {times} a day",
                    "route": _concept(_SNOMED, "34206005", "Subcutaneous route"),
                    "timing": {"repeat": repeat},
                }
            ],
        )


def _medication(n: int) -> Iterator[Json]:
    if n == 0:
        for code, text in (("274783", "insulin glargine"), ("86009", "insulin lispro")):
            yield {"resourceType": "Medication", "id": code, "code": _concept(_RXNORM, code, text)}


def _procedure(n: int) -> Iterator[Json]:
    if n % 5:
        yield _about(
            n,
            "Procedure",
            "e",
            status="completed",
            code=_concept(_HCPCS, "G0109", "Diabetes self-management training"),
            outcome={"text": "program completed"},
            performedDateTime="2024-09-20",
        )


def _encounter(n: int) -> Iterator[Json]:
    visit = _about(
        n,
        "Encounter",
        "v",
        status="finished",
        type=[_concept("http://www.ama-assn.org/go/cpt", "99214", "Office visit")],
        participant=[{"individual": {"reference": f"Practitioner/dr-{n % 50}"}}],
        period={"start": f"{DAY - timedelta(days=24)}T09:00:00-05:00"},
    )
    yield visit | {"class": {"code": "AMB"}}


def _practitioner(n: int) -> Iterator[Json]:
    if n < 50:
        degree = _concept("http://terminology.hl7.org/CodeSystem/v2-0360", "MD", "Doctor of Medicine")
        yield {"resourceType": "Practitioner", "id": f"dr-{n}", "qualification": [{"code": degree}]}


def _role(n: int) -> Iterator[Json]:
    if n < 50:
        specialty = _concept("http://nucc.org/provider-taxonomy", "207RE0101X", "Endocrinology Physician")
        practitioner = {"reference": f"Practitioner/dr-{n}"}
        yield {
            "resourceType": "PractitionerRole",
            "id": f"role-{n}",
            "practitioner": practitioner,
            "specialty": [specialty],
        }


def _device(n: int) -> Iterator[Json]:
    if n % 2:
        kind = _concept(_SNOMED, "700585005", "Invasive interstitial-fluid glucose monitoring system")
        patient = {"reference": f"Patient/{_id(n)}"}
        yield {"resourceType": "Device", "id": f"cgm-{n}", "patient": patient, "type": kind}


def _use(n: int) -> Iterator[Json]:
    if n % 2:
        device = {"reference": f"Device/cgm-{n}"}
        period = {"start": "2025-08-04"}
        yield _about(n, "DeviceUseStatement", "u", status="active", timingPeriod=period, device=device)


def _response(n: int) -> Iterator[Json]:
    yield _about(
        n,
        "QuestionnaireResponse",
        "q",
        status="completed",
        authored=f"{DAY - timedelta(days=24)}T09:30:00-05:00",
        author={"reference": f"PractitionerRole/role-{n % 50}"},
        item=[{"linkId": name, "answer": [{"valueBoolean": True}]} for name in _ASKED],
    )


def _document(n: int) -> Iterator[Json]:
    if n % 7:
        yield _about(
            n,
            "DocumentReference",
            "d",
            status="current",
            type=_concept(_LOINC, "11506-3", "Progress note"),
            date=f"{DAY - timedelta(days=24)}T10:00:00-05:00",
            context={"related": [{"reference": f"QuestionnaireResponse/q-{n}"}]},
        )


def _orders(n: int) -> Iterator[Json]:
    shared: Json = {
        "status": "draft",
        "intent": "original-order",
        "authoredOn": f"{DAY}T10:15:00-05:00",
        "encounter": {"reference": f"Encounter/v-{n}"},
        "requester": {"reference": f"PractitionerRole/role-{n % 50}"},
        "reasonReference": [{"reference": f"Condition/c-{n}"}],
        "insurance": [{"reference": f"Coverage/cov-{n}"}],
    }
    pump = _concept(_HCPCS, "E0784", "External ambulatory infusion pump, insulin")
    yield _about(n, "DeviceRequest", "pump", codeCodeableConcept=pump, **shared)
    yield _about(
        n,
        "MedicationRequest",
        "drug",
        medicationCodeableConcept=_concept(_RXNORM, "86009", "insulin lispro"),
        **shared,
    )


_FILES: dict[str, Callable[[int], Iterator[Json]]] = {
    "Patient": _patient,
    "Coverage": _coverage,
    "Condition": _condition,
    "MedicationStatement": _statement,
    "Medication": _medication,
    "Procedure": _procedure,
    "Encounter": _encounter,
    "Practitioner": _practitioner,
    "PractitionerRole": _role,
    "Device": _device,
    "DeviceUseStatement": _use,
    "QuestionnaireResponse": _response,
    "DocumentReference": _document,
}
