"""The example orders and real FHIR data, read as orders.

The table was written from the example files by hand; it says what a reader of the order knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mappings.book import FactBook
from mappings.chart import Chart
from mappings.codes import ICD_10_CM
from mappings.evidence import Origin, Reading
from mappings.fhir import Coverage, DeviceRequest, DomainResource
from mappings.order import orders_of
from mappings.order_facts import PROPERTIES
from mappings.parsing import read
from policies.payers import Payers, active_coverages
from tests.mappings.orders import catalogue, drugs, value_sets

TODAY = date(2026, 11, 24)
PAYERS = Payers.load()
# A property may also be one source of a fact of another name.
FACTS = tuple(name for name in PROPERTIES if name in catalogue().facts)

INSULIN, INTRATHECAL = "external-insulin", "implantable-programmable"
# example: drug, route, class of pump, first ICD-10-CM code of the indication, payer, line of business, role
EXPECTED: dict[str, tuple[str, str, str, str, str, str, str]] = {
    "aetna-01": ("insulin lispro", "subcutaneous", INSULIN, "E10.65", "aetna", "commercial", "MD"),
    "aetna-04": ("insulin lispro", "subcutaneous", INSULIN, "E11.65", "aetna", "commercial", "MD"),
    "aetna-07": ("insulin lispro", "subcutaneous", INSULIN, "E10.65", "aetna", "commercial", "MD"),
    "aetna-11": ("morphine", "intrathecal", INTRATHECAL, "M96.1", "aetna", "commercial", "MD"),
    "anthem-03": ("morphine", "intrathecal", INTRATHECAL, "M96.1", "anthem-ct", "commercial", "MD"),
    "anthem-05": ("treprostinil", "intravenous", INTRATHECAL, "I27.0", "anthem-ct", "commercial", "MD"),
    "anthem-09": ("morphine", "intrathecal", INTRATHECAL, "M96.1", "anthem-ct", "commercial", "MD"),
    "anthem-12": ("morphine", "intrathecal", INTRATHECAL, "M96.1", "anthem-ct", "commercial", "MD"),
    "husky-01": ("deferoxamine", "subcutaneous", "external-ambulatory", "E83.111", "husky", "medicaid", "MD"),
    "husky-03": ("insulin lispro", "subcutaneous", INSULIN, "E10.65", "husky", "medicaid", "MD"),
    "husky-06": ("amphotericin b", "intravenous", "external-ambulatory", "B45.1", "husky", "medicaid", "MD"),
    "husky-12": ("vancomycin", "intravenous", "external-ambulatory", "M86.9", "husky", "medicaid", "MD"),
    "ibx-01": ("baclofen", "intrathecal", INTRATHECAL, "G82.21", "independence", "medicare-advantage", "MD"),
    "ibx-06": (
        "bupivacaine + morphine",
        "intrathecal",
        INTRATHECAL,
        "G89.4",
        "independence",
        "medicare-advantage",
        "MD",
    ),
    "ibx-09": (
        "floxuridine",
        "intra-arterial-hepatic",
        INTRATHECAL,
        "C18.7",
        "independence",
        "medicare-advantage",
        "MD",
    ),
    "ibx-12": ("ziconotide", "intrathecal", INTRATHECAL, "G89.4", "independence", "medicare-advantage", "MD"),
    "northwood-02": (
        "doxorubicin",
        "intravenous",
        "external-ambulatory",
        "C49.9",
        "northwood",
        "commercial",
        "MD",
    ),
    "northwood-04": (
        "treprostinil",
        "subcutaneous",
        "external-ambulatory",
        "I27.0",
        "northwood",
        "commercial",
        "MD",
    ),
    "northwood-07": (
        "gallium nitrate",
        "intravenous",
        "external-ambulatory",
        "E83.52",
        "northwood",
        "commercial",
        "MD",
    ),
    "northwood-08": (
        "immune globulin",
        "subcutaneous",
        "external-ambulatory",
        "G61.81",
        "northwood",
        "commercial",
        "MD",
    ),
}
# What single examples are about.
MORE: list[tuple[str, str, Any]] = [
    ("aetna-01", "device_wireless_to_cgm", None),
    ("aetna-01", "orderer_is_treating", True),
    ("aetna-01", "order_is_replacement", False),
    ("aetna-07", "device_wireless_to_cgm", True),
    ("aetna-07", "device_model", "t:slim X2"),
    ("aetna-07", "order_is_replacement", True),
    ("aetna-11", "pump_fda_approved_for_drug", True),
    ("aetna-11", "pump_model", "SM-40"),
    ("anthem-09", "order_is_replacement", True),
    ("husky-01", "rental_or_purchase", "rental"),
    ("husky-01", "rental_months_cumulative", 4),
    ("husky-01", "drug_code", "J0895"),
    ("husky-01", "member_program", "HUSKY C"),
    ("husky-03", "member_program", "HUSKY A"),
    ("husky-06", "infusion_hours", 6),
    ("husky-06", "drug_formulation", "conventional"),
    ("husky-12", "infusion_hours", None),
    ("ibx-06", "drug_set", ("bupivacaine", "morphine")),
    ("ibx-06", "drug_compounded", None),
    ("ibx-06", "pump_fda_approved_for_drug", False),
    ("ibx-12", "pump_model", None),
    ("ibx-12", "pump_fda_approved_for_drug", None),
    ("northwood-02", "infusion_hours", 8),
    ("northwood-02", "infusion_continuous", True),
    ("northwood-02", "drug_formulation", "conventional"),
    ("northwood-04", "order_code", "E0781"),
    ("northwood-07", "course_days", 7),
    ("northwood-08", "infusion_hours", 2),
    ("northwood-08", "drug_product", "Hizentra"),
]


def book_of(example: Path) -> FactBook:
    request = msgspec.json.decode(example.read_bytes(), type=dict[str, msgspec.Raw])
    context = msgspec.json.decode(request["context"], type=dict[str, msgspec.Raw])
    chart = Chart(msgspec.json.decode(context["patientId"], type=str), value_sets())
    for value in msgspec.json.decode(request["prefetch"], type=dict[str, msgspec.Raw]).values():
        chart.add(read(value).items, Origin.PREFETCH)
    drafts = [item.resource for item in read(context["draftOrders"]).items]
    (order,) = orders_of(drafts, chart, TODAY, drugs())
    (coverage,) = active_coverages(chart, order, order.day)
    member = PAYERS.match(coverage, chart).member
    return FactBook(catalogue(), drugs(), chart, order, order.day, coverage=coverage, member=member)


@pytest.fixture(scope="module")
def books(shared: Path) -> dict[str, FactBook]:
    """The fact book of each example."""
    return {path.parent.name: book_of(path) for path in sorted(shared.glob("examples/*/request.json"))}


def test_the_table_has_every_example(books: dict[str, FactBook]) -> None:
    assert books.keys() == EXPECTED.keys()


@pytest.mark.parametrize("example", EXPECTED)
def test_an_example_is_read_as_a_reader_reads_it(example: str, books: dict[str, FactBook]) -> None:
    def read_(name: str) -> Any:
        return books[example].fact(name).computed.value

    indication = next(
        code.split("|")[1] for code in read_("treatment_indication") if code.startswith(ICD_10_CM)
    )
    facts = ("drug", "drug_route", "pump_class")
    found = (*map(read_, facts), indication, *map(read_, ("payer_id", "member_lob", "orderer_role")))
    assert found == EXPECTED[example]


@pytest.mark.parametrize(("example", "fact", "value"), MORE)
def test_what_an_example_is_about_is_read(
    example: str, fact: str, value: Any, books: dict[str, FactBook]
) -> None:
    assert books[example].fact(fact).computed.value == value


def test_every_known_reading_of_an_example_has_evidence_or_says_why_not(books: dict[str, FactBook]) -> None:
    bare = [
        (example, name)
        for example, book in books.items()
        for name in FACTS
        if (reading := book.fact(name).computed).known and not reading.evidence and not reading.note
    ]
    assert bare == []


def test_every_property_is_a_fact_of_the_catalogue() -> None:
    used = {
        derivation.arguments["property"]
        for fact in catalogue().facts.values()
        for derivation in fact.derivations
        if derivation.operator.name == "order_property"
    }
    assert used == PROPERTIES.keys()


def resources_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("resourceType") in ("DeviceRequest", "ServiceRequest", "MedicationRequest", "Coverage"):
            yield value
        for inner in value.values():
            yield from resources_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from resources_in(inner)


def documents(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.rglob("*.json")):
        if "synthea" not in str(path):
            yield json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", ["fhir-data", "conformance/fixtures"])
def test_real_orders_and_coverages_are_read_without_an_error(folder: str, shared: Path) -> None:
    orders = coverages = 0
    for document in documents(shared / folder):
        found = [resource for written in resources_in(document) for resource in lean(written)]
        chart = Chart("", value_sets())
        for resource in found:
            if isinstance(resource, Coverage):
                coverages += 1
                assert PAYERS.match(resource, chart).how
        for order in orders_of([r for r in found if not isinstance(r, Coverage)], chart, TODAY, drugs()):
            orders += 1
            book = FactBook(catalogue(), drugs(), chart, order, order.day)
            assert all(isinstance(book.fact(name).computed, Reading) for name in FACTS)
    assert orders > 40
    assert coverages > 20


def lean(written: dict[str, Any]) -> list[DomainResource]:
    return [
        i.resource for i in read(json.dumps(written).encode()).items if isinstance(i.resource, DomainResource)
    ]


def test_the_insulin_pump_of_the_fhir_examples_is_one(shared: Path) -> None:
    path = shared / "fhir-data/fhir-r4-core-examples/DeviceRequest-insulinpump.json"
    (resource,) = lean(json.loads(path.read_text(encoding="utf-8")))
    assert isinstance(resource, DeviceRequest)
    chart = Chart("", value_sets())
    (order,) = orders_of([resource], chart, TODAY, drugs())
    book = FactBook(catalogue(), drugs(), chart, order, order.day)
    assert book.fact("pump_class").computed.value == "external-insulin"
    assert book.fact("drug").computed.value == "insulin"
    assert "gastroparesis" in book.fact("treatment_indication").computed.note
