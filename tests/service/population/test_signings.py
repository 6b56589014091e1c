"""Which orders were signed together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.population.signings import signings
from mappings.chart import reference_of
from mappings.parsing import read
from tests.service.bodies import pump_order


def together(*orders: dict[str, Any]) -> list[list[str]]:
    found = [read(json.dumps(order).encode()).items[0].resource for order in orders]
    return [[reference_of(order).partition("/")[2] for order in group] for group in signings(found)]


def drug(id_: str, **elements: Any) -> dict[str, Any]:
    return pump_order(id_, resourceType="MedicationRequest", **elements)


ENCOUNTER = {"encounter": {"reference": "Encounter/1"}}
GROUP = {"groupIdentifier": {"system": "urn:g", "value": "1"}}


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ({}, {}, True),
        ({}, {"authoredOn": "2026-02-16T23:10:00-05:00"}, True),
        ({}, {"authoredOn": "2026-02-17"}, False),
        ({}, {"requester": {"reference": "Practitioner/2"}}, False),
        (ENCOUNTER, {"encounter": {"reference": "Encounter/2"}}, False),
        (ENCOUNTER | {"requester": {"reference": "Practitioner/1"}}, ENCOUNTER, True),
        (ENCOUNTER, ENCOUNTER | {"authoredOn": "2026-03-01"}, False),
        (GROUP, GROUP | {"authoredOn": "2026-03-01"}, True),
        (GROUP | ENCOUNTER, {"groupIdentifier": {"system": "urn:h", "value": "1"}}, False),
        ({"supportingInfo": [{"reference": "DeviceRequest/b"}]}, {"authoredOn": "2026-03-01"}, True),
        ({"basedOn": [{"reference": "http://e/fhir/DeviceRequest/b"}]}, {"authoredOn": "2025-01-01"}, True),
        ({"authoredOn": ""}, {"authoredOn": ""}, True),
    ],
)
def test_two_orders(first: dict[str, Any], second: dict[str, Any], one: bool) -> None:
    found = together(pump_order("a", **first), pump_order("b", **second))
    assert found == ([["a", "b"]] if one else [["a"], ["b"]])


def test_what_goes_with_one_of_a_signing_goes_with_all() -> None:
    found = together(
        pump_order("a", **GROUP, authoredOn="2026-01-01"),
        drug("b", authoredOn="2026-02-01"),
        pump_order("c", authoredOn="2026-03-01"),
        drug("d", **GROUP, authoredOn="2026-02-01"),
    )
    assert found == [["a", "b", "d"], ["c"]]
