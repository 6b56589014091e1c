"""Three sample orders with invented charts, for the demonstration and for trying the command line.

Each is a complete CDS Hooks order-sign request for an external insulin pump (HCPCS E0784) under
Aetna, dated 2026-03-16: one whose chart shows everything, one with 2.1 self-tests a day and an
HbA1c that came down to 6.9 %, one whose clinic has not put the paperwork on file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

DAY = date(2026, 3, 16)
_HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

Json = dict[str, Any]


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _bundle(resources: Iterable[Json]) -> Json:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


class _Chart:
    """The resources of one invented patient, by prefetch key."""

    def __init__(self, name: str, family: str, given: str, gender: str, born: str) -> None:
        self.name = name
        self.prefetch: dict[str, list[Json]] = {}
        self.patient = {
            "resourceType": "Patient",
            "id": name,
            "name": [{"family": family, "given": [given]}],
            "gender": gender,
            "birthDate": born,
        }
        self._count = 0

    def add(self, key: str, kind: str, **elements: Any) -> Json:
        self._count += 1
        resource = {"resourceType": kind, "id": f"{self.name}-{self._count}", **elements}
        if kind not in (
            "Practitioner",
            "PractitionerRole",
            "Organization",
            "Coverage",
            "Device",
            "AllergyIntolerance",
        ):
            resource["subject"] = {"reference": f"Patient/{self.name}"}
        self.prefetch.setdefault(key, []).append(resource)
        return resource

    def observation(self, day: date, hour: int, code: Json, value: float, unit: str, **elements: Any) -> None:
        self.add(
            "observations",
            "Observation",
            status="final",
            code=code,
            effectiveDateTime=f"{day}T{hour:02}:30:00-05:00",
            valueQuantity={"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
            **elements,
        )

    def hba1c(self, days_ago: int, percent: float) -> None:
        code = _concept(_LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")
        self.observation(DAY - timedelta(days=days_ago), 8, code, percent, "%")

    def self_tests(self, days: int, per_day: Callable[[int], int]) -> None:
        """Finger-stick glucose: `per_day(n)` tests on the n-th day before the order."""
        code = _concept(_LOINC, "41653-7", "Glucose [Mass/volume] in Capillary blood by Glucometer")
        for ago in range(1, days + 1):
            for index in range(per_day(ago)):
                hour = (7, 12, 18, 22, 15)[index]
                value = 118 + (ago * 7 + index * 31) % 96
                self.observation(DAY - timedelta(days=ago), hour, code, value, "mg/dL")

    def insulin(self, since: str, rapid_per_day: int) -> None:
        for code, display, times in (
            ("274783", "insulin glargine", 1),
            ("86009", "insulin lispro", rapid_per_day),
        ):
            self.add(
                "medicationStatements",
                "MedicationStatement",
                status="active",
                medicationCodeableConcept=_concept(_RXNORM, code, display),
                effectivePeriod={"start": since},
                dosage=[
                    {
                        "text": f"{display}, {times} a day, subcutaneous",
                        "route": _concept(_SNOMED, "34206005", "Subcutaneous route"),
                        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
                    }
                ],
            )

    def diabetes(self, code: str, display: str, since: str) -> Json:
        return self.add(
            "conditions",
            "Condition",
            clinicalStatus={"coding": [{"code": "active"}]},
            verificationStatus={"coding": [{"code": "confirmed"}]},
            code=_concept(_ICD, code, display),
            onsetDateTime=since,
        )

    def education(self, day: str) -> None:
        self.add(
            "procedures",
            "Procedure",
            status="completed",
            code=_concept(_HCPCS, "G0109", "Diabetes self-management training, group, per 30 minutes"),
            outcome={"text": "program completed"},
            performedDateTime=day,
        )

    def physician(self) -> str:
        practitioner = self.add(
            "practitioners",
            "Practitioner",
            qualification=[
                {
                    "code": _concept(
                        "http://terminology.hl7.org/CodeSystem/v2-0360", "MD", "Doctor of Medicine"
                    )
                }
            ],
        )
        role = self.add(
            "practitioners",
            "PractitionerRole",
            practitioner={"reference": f"Practitioner/{practitioner['id']}"},
            specialty=[
                _concept("http://nucc.org/provider-taxonomy", "207RE0101X", "Endocrinology Physician")
            ],
        )
        self.add(
            "encounters",
            "Encounter",
            status="finished",
            **{"class": {"code": "AMB"}},
            type=[_concept("http://www.ama-assn.org/go/cpt", "99214", "Office visit")],
            participant=[{"individual": {"reference": f"Practitioner/{practitioner['id']}"}}],
            period={"start": f"{DAY - timedelta(days=24)}T09:00:00-05:00"},
        )
        return str(role["id"])

    def statements(self, author: str, documented: bool, **answers: bool) -> None:
        """Statements of the clinician, with or without a progress note behind them."""
        day = DAY - timedelta(days=24)
        response = self.add(
            "questionnaireResponses",
            "QuestionnaireResponse",
            status="completed",
            authored=f"{day}T09:30:00-05:00",
            author={"reference": f"PractitionerRole/{author}"},
            item=[{"linkId": name, "answer": [{"valueBoolean": value}]} for name, value in answers.items()],
        )
        if documented:
            self.add(
                "documents",
                "DocumentReference",
                status="current",
                type=_concept(_LOINC, "11506-3", "Progress note"),
                date=f"{day}T10:00:00-05:00",
                author=[{"reference": f"PractitionerRole/{author}"}],
                context={"related": [{"reference": f"QuestionnaireResponse/{response['id']}"}]},
            )

    def request(self, author: str, condition: Json) -> Json:
        """The order-sign request: the pump, the insulin drafted for it, and the chart as prefetch."""
        subject = {"reference": f"Patient/{self.name}"}
        coverage = self.add(
            "coverage",
            "Coverage",
            status="active",
            beneficiary=subject,
            payor=[{"display": "Aetna"}],
            period={"start": "2025-01-01"},
        )
        shared = {
            "status": "draft",
            "intent": "original-order",
            "subject": subject,
            "authoredOn": f"{DAY}T10:15:00-05:00",
            "requester": {"reference": f"PractitionerRole/{author}"},
            "reasonReference": [{"reference": f"Condition/{condition['id']}"}],
            "reasonCode": [condition["code"]],
            "insurance": [{"reference": f"Coverage/{coverage['id']}"}],
        }
        pump = {
            "resourceType": "DeviceRequest",
            "id": f"{self.name}-pump",
            "codeCodeableConcept": _concept(_HCPCS, "E0784", "External ambulatory infusion pump, insulin"),
            "supportingInfo": [{"reference": f"MedicationRequest/{self.name}-insulin"}],
            **shared,
        }
        insulin = {
            "resourceType": "MedicationRequest",
            "id": f"{self.name}-insulin",
            "medicationCodeableConcept": _concept(_RXNORM, "86009", "insulin lispro"),
            **shared,
        }
        for key in _ASKED:
            self.prefetch.setdefault(key, [])
        drafts = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": pump}, {"resource": insulin}],
        }
        return {
            "hook": "order-sign",
            "hookInstance": f"5a3c0e1e-0000-4000-8000-{sum(map(ord, self.name)):012d}",
            "context": {
                "userId": f"PractitionerRole/{author}",
                "patientId": self.name,
                "draftOrders": drafts,
            },
            "prefetch": {"patient": self.patient, **{k: _bundle(v) for k, v in self.prefetch.items()}},
        }


_ASKED = (
    "conditions",
    "observations",
    "medicationStatements",
    "medicationRequests",
    "procedures",
    "encounters",
    "allergies",
    "devices",
    "deviceUseStatements",
    "questionnaireResponses",
    "documents",
)

_COMMITMENTS = {
    "insulin_self_adjusts": True,
    "orderer_pump_experience": True,
    "followup_by_orderer": True,
    "diabetes_team": True,
    "commit_pump_care": True,
    "commit_self_monitoring": True,
    "commit_diet_exercise": True,
}


def all_shown() -> Json:
    """A woman with type 1 diabetes whose chart shows every criterion."""
    chart = _Chart("sample-met", "Haldane", "Miriam", "female", "1988-04-09")
    condition = chart.diabetes("E10.65", "Type 1 diabetes mellitus with hyperglycemia", "2011-06")
    author = chart.physician()
    chart.insulin("2021-02-01", 3)
    chart.education("2024-09-20")
    for ago, percent in ((224, 8.3), (131, 8.0), (38, 7.7)):
        chart.hba1c(ago, percent)
    chart.self_tests(75, lambda ago: 5 if ago % 3 == 0 else 4)
    chart.statements(author, True, **_COMMITMENTS)
    return chart.request(author, condition)


def too_few_tests() -> Json:
    """A man with type 2 diabetes: 2.1 self-tests a day, and an HbA1c that came down to 6.9 %."""
    chart = _Chart("sample-unmet", "Okonjo", "Peter", "male", "1969-11-23")
    condition = chart.diabetes("E11.65", "Type 2 diabetes mellitus with hyperglycemia", "2009")
    author = chart.physician()
    chart.insulin("2022-10-01", 3)
    chart.education("2023-05-11")
    for ago, percent in ((206, 7.8), (113, 7.2), (20, 6.9)):
        chart.hba1c(ago, percent)
    chart.self_tests(75, lambda ago: 3 if ago % 10 == 0 else 2)
    chart.statements(author, True, **_COMMITMENTS, cgm_in_use=False, cgm_in_use_60d=False)
    return chart.request(author, condition)


def paperwork_missing() -> Json:
    """A woman with type 1 diabetes and a CGM: nothing contradicts, but little is on file."""
    chart = _Chart("sample-undocumented", "Marchetti", "Elena", "female", "1997-01-30")
    condition = chart.diabetes("E10.9", "Type 1 diabetes mellitus without complications", "2008-03")
    author = chart.physician()
    chart.insulin("2023-01-15", 3)
    for ago, percent in ((201, 8.8), (99, 8.4), (12, 8.1)):
        chart.hba1c(ago, percent)
    monitor = chart.add(
        "devices",
        "Device",
        status="active",
        patient={"reference": f"Patient/{chart.name}"},
        type=_concept(_SNOMED, "700585005", "Invasive interstitial-fluid glucose monitoring system"),
    )
    chart.add(
        "deviceUseStatements",
        "DeviceUseStatement",
        status="active",
        timingPeriod={"start": "2025-08-04"},
        device={"reference": f"Device/{monitor['id']}"},
    )
    chart.statements(
        author, True, insulin_self_adjusts=True, orderer_pump_experience=True, followup_by_orderer=True
    )
    chart.statements(
        author, False, commit_pump_care=True, commit_self_monitoring=True, commit_diet_exercise=True
    )
    return chart.request(author, condition)


SAMPLES: dict[str, Callable[[], Json]] = {
    "all-shown": all_shown,
    "too-few-tests": too_few_tests,
    "paperwork-missing": paperwork_missing,
}
