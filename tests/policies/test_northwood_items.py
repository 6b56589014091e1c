"""Northwood over orders with charts: the IV pole, supplies and batteries, and the pump they go with."""

from __future__ import annotations

from typing import Any

import pytest

from cards.wording import detail
from tests.mappings.orders import HCPCS, Json, concept
from tests.policies.northwood import SETS, answer, condition, device_order, drug_order, judged, states

DOXORUBICIN = ("3639", "doxorubicin (conventional)")
DAY = "2025-12-15"


# The pole, supplies and their pump

DRAWN_FOR = [{"reference": "MedicationRequest/drug"}]


def item(
    code: str,
    pump_code: str = "",
    *,
    says: dict[str, Any] | None = None,
    chart: list[Json] | None = None,
    **more: Any,
) -> Any:
    """The answer about an item beside a pump with doxorubicin."""
    drafts = []
    if pump_code:
        drafts = [
            device_order(pump_code, DAY, reason="C49.9", supportingInfo=DRAWN_FOR),
            drug_order(*DOXORUBICIN),
        ]
        more = {"supportingInfo": [{"reference": "DeviceRequest/pump"}]} | more
    record = [condition("C49.9"), *(chart or [])]
    return answer(device_order(code, DAY, name="item", **more), *drafts, says=says, chart=record)["item"]


@pytest.mark.parametrize(
    ("pump_code", "says", "outcome", "clauses"),
    [
        ("E0791", SETS, "met", ("met", "unmet")),
        ("E0791", {}, "needs-documentation", ("unknown", "unmet")),
        ("E0791", SETS | {"improved_efficacy_prolonged": False}, "not-met", ("unmet", "unmet")),
        ("E0781", SETS, "not-met", ("unmet", "unmet")),
        ("K0455", SETS, "not-met", ("unmet", "unmet")),
        ("E0779", SETS, "excluded", ("unmet", "met")),
        ("", SETS, "not-met", ("unmet", "unmet")),
    ],
)
def test_a_pole_is_covered_with_a_covered_stationary_pump(
    pump_code: str, says: dict[str, Any], outcome: str, clauses: tuple[str, str]
) -> None:
    found = item("E0776", pump_code, says=says)
    assert (found.outcome, states(found, "ivp-1", "ivp-2")) == (outcome, clauses)


def test_the_pump_of_the_pole_has_its_own_answer() -> None:
    pole = device_order("E0776", DAY, name="item", supportingInfo=[{"reference": "DeviceRequest/pump"}])
    stationary = device_order("E0791", DAY, reason="C49.9", supportingInfo=DRAWN_FOR)
    found = answer(pole, stationary, drug_order(*DOXORUBICIN), says=SETS, chart=[condition("C49.9")])
    assert (found["item"].outcome, found["pump"].outcome) == ("met", "met")


USED = [
    {
        "resourceType": "Device",
        "id": "d",
        "type": concept((HCPCS, "E0781")),
        "patient": {"reference": "Patient/p"},
    },
    {
        "resourceType": "DeviceUseStatement",
        "id": "u",
        "status": "active",
        "timingPeriod": {"start": "2025-10-01"},
        "device": {"reference": "Device/d"},
    },
]


@pytest.mark.parametrize(
    ("says", "outcome", "owned"),
    [
        ({"pump_ownership": "member"}, "met", "met"),
        ({"pump_ownership": "member", "regimen_advantage_over_intermittent": False}, "not-met", "unmet"),
        ({"pump_ownership": "rented"}, "met", "unknown"),
    ],
)
def test_supplies_of_a_pump_in_use_follow_its_criteria(
    says: dict[str, Any], outcome: str, owned: str
) -> None:
    supply = device_order("A4222", DAY, name="item", reason="C49.9", supportingInfo=DRAWN_FOR)
    told = SETS | {"cassettes_minimised": True} | says
    found = answer(supply, drug_order(*DOXORUBICIN), says=told, chart=[condition("C49.9"), *USED])["item"]
    assert (found.outcome, states(found, "misc-3")) == (outcome, (owned,))


@pytest.mark.parametrize(("code", "clause"), [("A4222", "sup-4"), ("A4221", "sup-1")])
def test_a_pump_that_is_only_ordered_is_in_use_and_not_yet_covered(code: str, clause: str) -> None:
    found = item(code, "E0781")
    assert states(found, "misc-2", clause) == ("unknown", "met")
    line = next(text for text in detail(found).splitlines() if "pump is in use" in text)
    assert "or ordered with" in line
    assert "covered" not in line


@pytest.mark.parametrize(
    ("end", "outcome"), [("2025-11-18", "met"), ("2025-11-17", "met"), ("2025-11-16", "not-met")]
)
def test_catheter_supplies_last_four_weeks_beyond_the_use(end: str, outcome: str) -> None:
    ended = USED[1] | {"status": "completed", "timingPeriod": {"start": "2025-10-01", "end": end}}
    found = item("A4221", says={"pump_covered": True}, chart=[USED[0], ended])
    assert (found.outcome, states(found, "sup-1")) == (outcome, ("unmet",))


@pytest.mark.parametrize(
    ("code", "text", "clause"),
    [
        ("A9270", "", "code-A9270"),
        ("A4244", "", "nc-A4244"),
        ("A4247", "", "nc-A4247"),
        ("A4305", "", "ex-3"),
        ("E1399", "Elastomeric infusion pump", "ex-3"),
        ("E1399", "Infusion controller device", "excl-controller"),
        ("E1399", "Remote controller", "ex-4-1"),
        ("E1399", "Data download software", "ex-4-2"),
        ("E1399", "Pump cover", "ex-4-3"),
    ],
)
def test_items_that_are_never_covered_are_excluded_by_their_clause(code: str, text: str, clause: str) -> None:
    found = item(code, text=text)
    assert (found.outcome, states(found, clause)) == ("excluded", ("met",))


def test_miscellaneous_equipment_of_another_kind_is_not_excluded() -> None:
    found = item("E1399", text="Suction machine", says={"pump_covered": True})
    assert (found.outcome, states(found, "excl-controller", "ex-3")) == ("met", ("unmet", "unmet"))


@pytest.mark.parametrize(
    ("pump_code", "outcome"), [("E0781", "excluded"), ("E0784", "not-applicable"), ("", "not-applicable")]
)
def test_insulin_supplies_with_another_pump_are_incorrect_coding(pump_code: str, outcome: str) -> None:
    assert item("A4224", pump_code).outcome == outcome


@pytest.mark.parametrize(
    ("owner", "outcome"), [("member", "met"), ("rented", "not-met"), (None, "needs-documentation")]
)
def test_a_battery_is_for_an_owned_pump(owner: str | None, outcome: str) -> None:
    says = {"pump_covered": True} | ({"pump_ownership": owner} if owner else {})
    assert item("K0604", says=says).outcome == outcome


def test_the_code_of_a_pump_for_short_infusions_is_remarked_on_a_long_one() -> None:
    found = judged(*DOXORUBICIN, code="E0780", reason="C49.9", says=SETS)
    assert found.outcome == "met"
    assert any("northwood-eip/code-E0780" in caveat.clauses for caveat in found.caveats)
