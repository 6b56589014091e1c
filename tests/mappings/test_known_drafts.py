"""A chart knows draft orders without taking them for record."""

from __future__ import annotations

from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.fhir import DeviceRequest, MedicationRequest, Reference
from mappings.parsing import Item
from mappings.terminology import ValueSets


def chart_with_draft(value_sets: ValueSets) -> Chart:
    chart = Chart("p1", value_sets)
    chart.know([Item(MedicationRequest(id="drug", status="draft"), "urn:uuid:7"), Item(DeviceRequest())])
    return chart


def test_references_resolve_to_a_draft_by_id_and_by_full_url(value_sets: ValueSets) -> None:
    chart = chart_with_draft(value_sets)
    for written in ("MedicationRequest/drug", "https://ehr/fhir/MedicationRequest/drug", "urn:uuid:7"):
        found = chart.resolve(Reference(reference=written))
        assert isinstance(found, MedicationRequest)
        assert found.id == "drug"


def test_a_draft_is_no_record(value_sets: ValueSets) -> None:
    chart = chart_with_draft(value_sets)
    assert not chart.has(MedicationRequest)
    assert chart.answered == set()


def test_a_copy_of_a_draft_in_the_record_stays_out(value_sets: ValueSets) -> None:
    chart = chart_with_draft(value_sets)
    copy, other = (
        MedicationRequest(id="drug", status="draft"),
        MedicationRequest(id="earlier", status="active"),
    )
    chart.add([Item(copy), Item(other)], Origin.PREFETCH)
    assert chart.of(MedicationRequest) == [other]
