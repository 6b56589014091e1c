"""Orders and charts for the tests of what is read from them, written as FHIR JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from mappings.book import FactBook
from mappings.catalogue import Catalogue
from mappings.chart import Chart
from mappings.drugs import Drugs
from mappings.evidence import Origin, Reading
from mappings.fhir import Coverage
from mappings.order import Order, orders_of
from mappings.parsing import read
from mappings.terminology import ValueSets

DAY = date(2026, 2, 16)
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CPT = "http://www.ama-assn.org/go/cpt"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
FACT = "urn:coverage-hooks:fact"
ANSWER = "urn:coverage-hooks:answer"
CONTINUOUS = {"coding": [{"system": SNOMED, "code": "261754007"}]}

Json = dict[str, Any]


def concept(*codings: tuple[str, str], text: str = "") -> Json:
    found: Json = {"coding": [{"system": system, "code": code} for system, code in codings]}
    return found | ({"text": text} if text else {})


def pump(code: str = "E0781", system: str = HCPCS, **elements: Any) -> Json:
    """A draft pump order."""
    return {
        "resourceType": "DeviceRequest",
        "id": "pump",
        "status": "draft",
        "intent": "original-order",
        "codeCodeableConcept": concept((system, code)),
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-02-16T23:30:00-05:00",
    } | elements


def drug(*codings: tuple[str, str], text: str = "", **elements: Any) -> Json:
    """A draft order of the drug; an element set to None is left out."""
    order = {
        "resourceType": "MedicationRequest",
        "id": "drug",
        "status": "draft",
        "intent": "original-order",
        "medicationCodeableConcept": concept(*codings, text=text),
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-02-16",
    } | elements
    return {key: value for key, value in order.items() if value is not None}


def patient(**elements: Any) -> Json:
    return {"resourceType": "Patient", "id": "p"} | elements


@cache
def value_sets() -> ValueSets:
    return ValueSets.load()


@cache
def drugs() -> Drugs:
    return Drugs.load(value_sets())


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


def chart_of(resources: Iterable[Json] = (), failures: dict[str, str] | None = None) -> Chart:
    chart = Chart("p", value_sets())
    for resource in resources:
        chart.add(read(json.dumps(resource).encode()).items, Origin.PREFETCH)
    chart.failures.update(failures or {})
    return chart


def orders_in(drafts: Iterable[Json], chart: Chart, today: date = DAY) -> list[Order]:
    requests = [item.resource for draft in drafts for item in read(json.dumps(draft).encode()).items]
    return orders_of(requests, chart, today, drugs())


class Asked:
    """The facts of the first order among drafts."""

    def __init__(
        self,
        *drafts: Json,
        chart: Iterable[Json] = (),
        failures: dict[str, str] | None = None,
        coverage: Coverage | None = None,
        **book: Any,
    ) -> None:
        self.chart = chart_of(chart, failures)
        self.orders = orders_in(drafts, self.chart)
        self.order = self.orders[0]
        self.book = FactBook(
            catalogue(), drugs(), self.chart, self.order, self.order.day, coverage=coverage, **book
        )

    def reading(self, fact: str) -> Reading:
        """What is computed of a fact."""
        return self.book.fact(fact).computed

    def value(self, fact: str) -> Any:
        return self.reading(fact).value
