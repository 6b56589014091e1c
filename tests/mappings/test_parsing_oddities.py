"""Odd but legal JSON, and searches that report on themselves, are read soundly."""

from __future__ import annotations

import json

import pytest

from mappings.fhir import Observation
from mappings.parsing import read


@pytest.mark.parametrize("numeral", ["1e999", "-1e999", "9" * 500])
def test_a_number_beyond_every_float_is_left_out_and_told(numeral: str) -> None:
    text = (
        f'{{"resourceType": "Observation", "id": "a", "valueQuantity": {{"value": {numeral}, "unit": "%"}}}}'
    )
    received = read(text.encode(), "prefetch.x")
    (item,) = received.items
    assert isinstance(item.resource, Observation)
    assert item.resource.valueQuantity is not None
    assert (item.resource.valueQuantity.value, item.resource.valueQuantity.unit) == (None, "%")
    assert [problem.where for problem in received.problems] == ["prefetch.x.valueQuantity.value"]


def test_the_largest_float_is_read_as_it_is() -> None:
    received = read(b'{"resourceType": "Observation", "valueQuantity": {"value": 1.7976931348623157e308}}')
    resource = received.items[0].resource
    assert isinstance(resource, Observation)
    assert resource.valueQuantity is not None
    assert resource.valueQuantity.value == 1.7976931348623157e308


def test_one_such_number_spoils_nothing_else_in_a_bundle() -> None:
    good = {"resourceType": "Observation", "id": "good", "valueQuantity": {"value": 7.1}}
    bad = {"resourceType": "Observation", "id": "bad", "valueQuantity": {"value": 123456}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": bad}, {"resource": good}]}
    received = read(json.dumps(bundle).replace("123456", "1e999").encode())
    assert [item.resource.id for item in received.items] == ["bad", "good"]


@pytest.mark.parametrize(
    ("severity", "counts"), [("fatal", True), ("error", True), ("warning", False), ("information", False)]
)
def test_an_outcome_among_the_entries_counts_only_when_it_is_an_error(severity: str, counts: bool) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": outcome}]}
    assert bool(read(json.dumps(bundle).encode()).outcome) is counts
