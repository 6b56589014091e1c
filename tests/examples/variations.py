"""Variations of the shared example orders: the same chart with one thing changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.parsing import read
from policies.engine import Engine
from tests.examples.agreement import Json, clause_states

EXAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "examples"
TODAY = date(2026, 11, 24)
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CPT = "http://www.ama-assn.org/go/cpt"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
ANSWER = "urn:coverage-hooks:answer"
FACT = "urn:coverage-hooks:fact"
ROUTES = {
    "intrathecal": "72607000",
    "epidural": "404820008",
    "intravenous": "47625008",
    "subcutaneous": "34206005",
    "intra-arterial": "58100008",
}


def coded(*codings: tuple[str, str], text: str = "") -> Json:
    concept: Json = {"coding": [{"system": system, "code": code} for system, code in codings]}
    return concept | ({"text": text} if text else {})


class Variation:
    """An example's request that can be changed before it is answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.request: Json = json.loads((EXAMPLES / name / "request.json").read_text(encoding="utf-8"))
        self._added = 0

    # What is there.

    def drafts(self, kind: str) -> list[Json]:
        entries = self.request["context"]["draftOrders"]["entry"]
        return [e["resource"] for e in entries if e["resource"]["resourceType"] == kind]

    @property
    def pump(self) -> Json:
        return self.drafts("DeviceRequest")[0]

    @property
    def drug(self) -> Json:
        return self.drafts("MedicationRequest")[0]

    def resources(self, kind: str) -> Iterator[Json]:
        for bundle in self.request["prefetch"].values():
            entries = bundle.get("entry", []) if bundle else []
            resources = [e["resource"] for e in entries] or ([bundle] if bundle else [])
            yield from (r for r in resources if r["resourceType"] == kind)

    # What is changed.

    def add(self, resource: Json) -> Variation:
        self._added += 1
        subject = "patient" if resource["resourceType"] in ("AllergyIntolerance", "Device") else "subject"
        whole = {
            "id": f"added-{self._added}",
            subject: {"reference": f"Patient/{self.name}-patient"},
        } | resource
        entry = {"resource": whole}
        self.request["prefetch"].setdefault(
            "added", {"resourceType": "Bundle", "type": "collection", "entry": []}
        )["entry"].append(entry)
        return self

    def drop(self, kind: str, which: Callable[[Json], bool] = lambda _: True) -> Variation:
        for bundle in self.request["prefetch"].values():
            if bundle and "entry" in bundle:
                bundle["entry"] = [
                    e
                    for e in bundle["entry"]
                    if e["resource"]["resourceType"] != kind or not which(e["resource"])
                ]
        return self

    def state(self, *, silent: tuple[str, ...] = (), on: str = "", **facts: Any) -> Variation:
        """Have the clinician state facts, in place of what the chart's responses say of them."""
        for response in self.resources("QuestionnaireResponse"):
            response["item"] = [i for i in response["item"] if i["linkId"] not in (*facts, *silent)]
        if facts:
            items = [{"linkId": name, "answer": _answers(value)} for name, value in facts.items()]
            authored = on or self.pump["authoredOn"][:10]
            response = {
                "resourceType": "QuestionnaireResponse",
                "status": "completed",
                "authored": authored,
                "item": items,
            }
            self.add(response)
            reference = f"QuestionnaireResponse/added-{self._added}"
            note = {
                "resourceType": "DocumentReference",
                "status": "current",
                "docStatus": "final",
                "date": authored,
                "context": {"related": [{"reference": reference}]},
            }
            self.add(note)
        return self

    def order(self, code: str, system: str = HCPCS, **parameters: Any) -> Variation:
        self.pump["codeCodeableConcept"] = coded((system, code))
        for name, value in parameters.items():
            kept = [p for p in self.pump.get("parameter", ()) if p["code"]["coding"][0]["code"] != name]
            self.pump["parameter"] = [*kept, _parameter(name, value)] if value is not None else kept
        return self

    def deliver(self, *codings: tuple[str, str], route: str = "", text: str = "", **timing: Any) -> Variation:
        """Order another drug; an unchanged route stays."""
        drug = self.drug
        if codings:
            drug.pop("medicationReference", None)
            drug["medicationCodeableConcept"] = coded(*codings, text=text)
        dosage = drug["dosageInstruction"][0]
        if route:
            dosage["route"] = coded((SNOMED, ROUTES[route]))
            dosage["text"] = route
        if timing:
            dosage["timing"] = {"repeat": timing}
        return self

    def mix(self, *rxnorm: str) -> Variation:
        """Order a mixture of ingredients."""
        self.drug.pop("medicationCodeableConcept", None)
        self.drug["medicationReference"] = {"reference": "#mixture"}
        ingredients = [{"itemCodeableConcept": coded((RXNORM, code))} for code in rxnorm]
        self.drug["contained"] = [{"resourceType": "Medication", "id": "mixture", "ingredient": ingredients}]
        return self

    def label(self, *rxnorm: str) -> Variation:
        """Name a pump whose labelling lists these drugs."""
        kind = {"coding": [{"system": "urn:coverage-hooks:device-property", "code": "labelled-drug"}]}
        device = {
            "resourceType": "Device",
            "id": "labelled",
            "type": copy.deepcopy(self.pump["codeCodeableConcept"]),
            "property": [{"type": kind, "valueCode": [coded((RXNORM, code)) for code in rxnorm]}],
        }
        self.pump["contained"] = [device]
        kept = [r for r in self.pump["supportingInfo"] if not r["reference"].startswith("#")]
        self.pump["supportingInfo"] = [*kept, {"reference": "#labelled"}]
        return self

    def because(self, *codes: str) -> Variation:
        """Give the orders other reasons (ICD-10-CM), each with an active condition behind it."""
        self.drop("Condition")
        for draft in (self.pump, self.drug):
            draft.pop("reasonReference", None)
            draft["reasonCode"] = [coded((ICD, code)) for code in codes]
        return self.diagnose(*codes)

    def diagnose(self, *codes: str, **elements: Any) -> Variation:
        """Put active, confirmed conditions on file; elements replace what they say."""
        for code in codes:
            self.add(
                {
                    "resourceType": "Condition",
                    "clinicalStatus": {"coding": [{"code": "active"}]},
                    "verificationStatus": {"coding": [{"code": "confirmed"}]},
                    "code": coded((ICD, code)),
                    "onsetDateTime": "2021-05-01",
                }
                | elements
            )
        return self

    def dated(self, day: str) -> Variation:
        for draft in (self.pump, self.drug):
            draft["authoredOn"] = day
        return self

    def born(self, day: str) -> Variation:
        self.request["prefetch"]["patient"]["birthDate"] = day
        return self

    def plan(self, value: str, name: str, *types: tuple[str, str]) -> Variation:
        """Have the member be in another plan of the same payer."""
        for coverage in self.resources("Coverage"):
            coverage["class"][0] |= {"value": value, "name": name}
            if types:
                coverage["type"] = coded(*types)
        return self

    def insured_by(self, name: str) -> Variation:
        """Give the member another payer, without a plan."""
        for organization in self.resources("Organization"):
            organization["name"] = name
            organization.pop("alias", None)
        for coverage in self.resources("Coverage"):
            coverage["payor"][0]["display"] = name
            coverage.pop("class", None)
            coverage["type"] = coded(("https://nahdo.org/sopt", "512"))
        return self

    # What is answered.

    def answer(self, engine: Engine) -> Json:
        """The one determination, as JSON."""
        chart = Chart(self.request["context"]["patientId"], engine.value_sets)
        for key, value in self.request["prefetch"].items():
            chart.add(read(json.dumps(value).encode(), key).items, Origin.PREFETCH)
        drafts = read(json.dumps(self.request["context"]["draftOrders"]).encode(), "draftOrders")
        report = engine.decide([item.resource for item in drafts.items], chart, TODAY)
        assert len(report.determinations) == 1, (report.not_evaluated, report.payer_note)
        found: Json = msgspec.to_builtins(report.determinations[0])
        return found


def _answers(value: Any) -> list[Json]:
    if isinstance(value, list):
        return [answer for each in value for answer in _answers(each)]
    if isinstance(value, bool):
        return [{"valueBoolean": value}]
    if isinstance(value, int | float):
        return [{"valueDecimal": value}]
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        return [{"valueDate": value}]
    return [{"valueCoding": {"system": ANSWER, "code": value}}]


def _parameter(name: str, value: Any) -> Json:
    code = {"coding": [{"system": FACT, "code": name}]}
    if isinstance(value, bool):
        return {"code": code, "valueBoolean": value}
    if isinstance(value, int):
        unit = {"unit": "months", "system": "http://unitsofmeasure.org", "code": "mo"}
        return {"code": code, "valueQuantity": {"value": value} | unit}
    return {"code": code, "valueCodeableConcept": coded((ANSWER, value))}


def states(determination: Json, prefix: str) -> dict[str, str]:
    """Clause without its prefix -> its state; a clause in several states is told as such."""
    return {
        clause.removeprefix(prefix + "/"): "/".join(sorted(found))
        for clause, found in clause_states(determination).items()
    }
