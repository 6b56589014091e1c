"""The facts of diabetes over the example orders and over charts that others have written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mappings.book import FactBook
from mappings.catalogue import Catalogue
from mappings.chart import Chart
from mappings.dates import span
from mappings.evidence import Origin, Reason
from mappings.parsing import read
from tests.builders import GIVEN, insulin_pump_order
from tests.mappings.orders import drugs, orders_in, value_sets
from tests.mappings.test_order_facts_examples import book_of

EXPECTED: list[tuple[str, str, Any]] = [
    ("aetna-01", "dx_diabetes", True),
    ("aetna-01", "glucose_tests_per_day_avg_60d", 4.0),
    ("aetna-01", "hba1c_above_7_6mo", True),
    ("aetna-01", "cgm_in_use_60d", Reason.NO_DATA),
    ("aetna-01", "insulin_injections_per_day", 4),
    ("aetna-01", "mdi_during_event_window", True),
    ("aetna-01", "mdi_start_date", span("2023-08-31")),
    ("aetna-01", "diabetes_education_completed", True),
    ("aetna-01", "last_treating_physician_visit_date", span("2026-01-27")),
    ("aetna-01", "insulin_pump_in_use", False),
    ("aetna-04", "dx_type2_diabetes", True),
    ("aetna-04", "insulin_injections_per_day", 4),
    ("aetna-04", "mdi_start_date", span("2024-03-18")),
    ("aetna-04", "diabetes_education_completed", False),
    ("aetna-04", "insulin_pump_in_use", False),
    ("aetna-07", "insulin_pump_in_use", True),
    ("aetna-07", "cgm_in_use", True),
    ("aetna-07", "cgm_in_use_60d", True),
    ("aetna-07", "pump_functioning", True),
    ("aetna-07", "pump_out_of_warranty", False),
    ("aetna-07", "hba1c_above_7_6mo", Reason.TOO_SHORT_A_RECORD),
    ("aetna-11", "dx_diabetes", False),
]


@pytest.fixture(scope="module")
def books(shared: Path) -> dict[str, FactBook]:
    names = {example for example, _, _ in EXPECTED}
    return {name: book_of(shared / "examples" / name / "request.json") for name in names}


@pytest.mark.parametrize(("example", "fact", "expected"), EXPECTED)
def test_an_example_says_what_a_reader_finds_in_it(
    example: str, fact: str, expected: Any, books: dict[str, FactBook]
) -> None:
    found = books[example].fact(fact, GIVEN.get(fact, {})).computed
    assert (found.value if found.known else found.reason) == expected


def charts(folder: Path) -> Iterator[Chart]:
    """A chart for each Bundle of one Patient."""
    for path in sorted(folder.rglob("*.json")):
        bundle = json.loads(path.read_text(encoding="utf-8"))
        entries = bundle.get("entry", ()) if bundle.get("resourceType") == "Bundle" else ()
        patients = [
            e["resource"]["id"] for e in entries if e.get("resource", {}).get("resourceType") == "Patient"
        ]
        if len(patients) == 1:
            chart = Chart(patients[0], value_sets())
            chart.add(read(json.dumps(bundle).encode()).items, Origin.PREFETCH)
            yield chart


def test_every_fact_reads_real_charts_and_gives_reasons(shared: Path, catalogue: Catalogue) -> None:
    seen = 0
    for chart in charts(shared / "fhir-data" / "synthea-r4"):
        seen += 1
        for order in orders_in(insulin_pump_order(reason=""), chart):
            book = FactBook(catalogue, drugs(), chart, order, order.day)
            for name in (
                *GIVEN,
                "dx_diabetes",
                "cgm_in_use",
                "insulin_pump_in_use",
                "insulin_injections_per_day",
            ):
                found = book.fact(name, GIVEN.get(name, {})).computed
                assert found.known == (found.reason is None), name
                assert found.evidence or found.note or not found.known, name
            # Laboratory glucose is no self-test, and one insulin without a schedule is no regimen.
            assert not book.fact("glucose_tests_per_day_avg_60d", {"duration": "P2M"}).computed.known
            injections = book.fact("insulin_injections_per_day").computed.value
            assert injections is None or (injections.low, injections.high) == (0.0, float("inf"))
    assert seen >= 30
