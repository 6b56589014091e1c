"""Cassettes against doses, weeks between uses, and the pump that an item goes with."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.companions import DecidedPump, with_pumps
from mappings.evidence import Reason
from tests.builders import HCPCS, RXNORM, days_ago, device, drug, pump, told, use_of
from tests.mappings.orders import FACT, Asked, Json, chart_of, concept, orders_in

CASSETTES, WEEKS = "cassettes_per_dose", "weeks_between_pump_use"


def cassettes(
    number: float | None, frequency: float | None = 3, days: float | None = 30, **more: Any
) -> tuple[Json, Json]:
    quantity = (
        [{"code": concept((FACT, "quantity")), "valueQuantity": {"value": number}}]
        if number is not None
        else []
    )
    repeat: Json = {"frequency": frequency, "period": 1, "periodUnit": "d"} if frequency else {}
    supply = {"expectedSupplyDuration": {"value": days, "unit": "d", "code": "d"}} if days else {}
    return (
        pump("A4222", parameter=quantity),
        drug(
            (RXNORM, "281"), dosageInstruction=[{"timing": {"repeat": repeat | more}}], dispenseRequest=supply
        ),
    )


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (cassettes(89), True),
        (cassettes(90), True),
        (cassettes(91), False),
        (cassettes(None), Reason.NO_DATA),
        (cassettes(90, days=None), Reason.IMPRECISE),
        (cassettes(90, frequency=None), Reason.IMPRECISE),
        (cassettes(15, days=None, boundsDuration={"value": 5, "unit": "d", "code": "d"}), True),
        (cassettes(16, days=None, boundsDuration={"value": 5, "unit": "d", "code": "d"}), False),
    ],
    ids=["fewer", "as many", "more", "no quantity", "no days", "no schedule", "course", "beyond the course"],
)
def test_there_is_at_most_one_cassette_for_each_dose(order: tuple[Json, Json], expected: Any) -> None:
    assert told(CASSETTES, order=order) == expected


def ended(days: int, status: str = "completed", code: str = "E0781", **more: Any) -> list[Json]:
    mine = device((HCPCS, code))
    return [mine, use_of(mine, "2025-06-01", days_ago(days), status, **more)]


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (ended(27), 27 / 7),
        (ended(28), 4.0),
        (ended(29), 29 / 7),
        (ended(0), 0.0),
        (ended(-5), 0.0),
        (ended(28, code="E0784"), 4.0),
        (ended(28, code="E2103"), Reason.NO_DATA),
        (ended(28, status="entered-in-error"), Reason.NO_DATA),
        (ended(28, status="intended"), Reason.NO_DATA),
        (ended(28, timingPeriod={"start": "2025-06-01", "end": "2026-01"}), Reason.IMPRECISE),
        (ended(28, timingPeriod={"start": "2025-06-01"}), Reason.IMPRECISE),
        (ended(28, status="active", timingPeriod={"start": "2025-06-01"}), 0.0),
        (ended(28, timingPeriod={"start": days_ago(-1), "end": days_ago(-9)}), Reason.NO_DATA),
        ([], Reason.NO_DATA),
    ],
)
def test_weeks_are_counted_from_the_end_of_the_last_use(chart: list[Json], expected: Any) -> None:
    assert told(WEEKS, chart) == expected


def test_the_last_of_several_uses_counts() -> None:
    assert told(WEEKS, ended(70), ended(28)) == 4.0


# The pump that an item goes with, as an order


def companions(*drafts: Json, chart: list[Json] | None = None) -> list[tuple[str, str]]:
    """(code, drug order) of the pumps of the first draft."""
    record = chart_of(chart or [])
    order = with_pumps(orders_in(drafts, record), record)[0]
    return [
        (next(code for _, code in found.codes), next((d.id for d in found.drug_orders), ""))
        for found in order.pumps
    ]


def draft(code: str, **elements: Any) -> Json:
    return pump(code, **({"id": code} | elements))


NAMED = [{"reference": "DeviceRequest/E0791"}]
WITH_DRUG = [{"reference": "MedicationRequest/drug"}]


def test_a_pole_goes_with_the_pump_that_it_names_and_with_the_drug_of_that_pump() -> None:
    pole, stationary = draft("E0776", supportingInfo=NAMED), draft("E0791", supportingInfo=WITH_DRUG)
    assert companions(pole, stationary, drug((RXNORM, "3639")), draft("E0784")) == [("E0791", "drug")]


def test_a_pump_of_the_same_group_goes_with_it_beside_the_named_one() -> None:
    group = {"groupIdentifier": {"value": "g"}}
    pole = draft("E0776", supportingInfo=NAMED, **group)
    assert [code for code, _ in companions(pole, draft("E0791"), draft("E0781", **group))] == [
        "E0791",
        "E0781",
    ]


def test_a_pump_order_of_the_record_keeps_its_own_drug() -> None:
    pole = draft("E0776", supportingInfo=NAMED)
    record = [
        draft("E0791", status="active", supportingInfo=WITH_DRUG),
        drug((RXNORM, "3639"), status="active"),
    ]
    assert companions(pole, chart=record) == [("E0791", "drug")]


def test_a_pump_in_use_is_judged_for_the_drug_of_the_item() -> None:
    mine = device((HCPCS, "E0781"))
    supply = draft("A4222", supportingInfo=WITH_DRUG)
    assert companions(supply, drug((RXNORM, "3639")), chart=[mine, use_of(mine, "2025-06-01")]) == [
        ("E0781", "drug")
    ]


def test_supplies_are_no_pump_and_a_pump_has_no_companion() -> None:
    assert companions(draft("E0776"), draft("A4222")) == []
    assert companions(draft("E0791"), draft("E0781")) == []


def test_an_item_without_a_drug_is_for_the_drug_of_its_pump() -> None:
    record = chart_of()
    drafts = (
        draft("E0776", supportingInfo=NAMED),
        draft("E0791", supportingInfo=WITH_DRUG),
        drug((RXNORM, "3639")),
    )
    order = with_pumps(orders_in(drafts, record), record)[0]
    assert [found.id for found in order.drug_orders] == ["drug"]


def decided(*outcomes: tuple[str, str]) -> Asked:
    order = orders_in([draft("E0791")], chart_of())[0]
    pumps = tuple(DecidedPump(order, outcome, criteria) for outcome, criteria in outcomes)
    return Asked(draft("E0776"), pumps=pumps)


@pytest.mark.parametrize(
    ("outcomes", "covered", "criteria"),
    [
        ([("met", "met")], True, True),
        ([("not-met", "unmet")], False, False),
        ([("excluded", "met")], False, True),
        ([("needs-documentation", "unknown")], Reason.NO_DATA, Reason.NO_DATA),
        ([("not-applicable", "met")], Reason.NO_DATA, True),
        ([("", "")], Reason.NO_DATA, Reason.NO_DATA),
        ([("met", "met"), ("not-met", "unmet")], True, True),
        ([("needs-documentation", "unknown"), ("not-met", "unmet")], Reason.NO_DATA, Reason.NO_DATA),
        ([], Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_an_item_knows_what_the_policy_says_of_its_pumps(outcomes: Any, covered: Any, criteria: Any) -> None:
    asked = decided(*outcomes)
    found = [asked.reading(name) for name in ("concurrent_pump_covered", "paths_result")]
    assert [r.value if r.known else r.reason for r in found] == [covered, criteria]
