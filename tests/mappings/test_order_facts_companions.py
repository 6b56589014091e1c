"""Pumps that go with an accessory or a supply, and which accessory is ordered."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.mappings.orders import HCPCS, SNOMED, Asked, Json, concept, pump


def other(code: str, **elements: Any) -> Json:
    return pump(code, **({"id": code} | elements))


def in_use(*codes: tuple[str, str], **elements: Any) -> list[Json]:
    device = {
        "resourceType": "Device",
        "id": "d",
        "type": concept(*codes),
        "patient": {"reference": "Patient/p"},
    }
    use = {
        "resourceType": "DeviceUseStatement",
        "id": "u",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "timingPeriod": {"start": "2025-01-01"},
        "recordedOn": "2026-01-01",
        "device": {"reference": "Device/d"},
    }
    return [device, use | elements]


def test_a_pole_alone_goes_with_no_pump() -> None:
    reading = Asked(pump("E0776")).reading("concurrent_pump_code")
    assert (reading.value, reading.inferred) == ((), True)


def test_the_pumps_among_the_other_drafts_go_with_it() -> None:
    asked = Asked(pump("E0776"), other("E0791"), other("E0781"), other("A4222"))
    assert asked.value("concurrent_pump_code") == ("E0781", "E0791")
    assert asked.value("concurrent_pump_class") == ("external-ambulatory", "external-stationary")


def test_the_pump_that_an_accessory_names_goes_before_other_drafts() -> None:
    pole = pump("E0776", supportingInfo=[{"reference": "DeviceRequest/E0791"}])
    reading = Asked(pole, other("E0791"), other("E0784")).reading("concurrent_pump_code")
    assert reading.value == ("E0791",)
    assert [entry.resource for entry in reading.evidence] == ["DeviceRequest/E0791"]


def test_the_pump_may_be_an_order_on_file() -> None:
    pole = pump("E0776", supportingInfo=[{"reference": "DeviceRequest/E0791"}])
    assert Asked(pole, chart=[other("E0791", status="active")]).value("concurrent_pump_code") == ("E0791",)
    assert Asked(pole, chart=[other("E0791", status="revoked")]).value("concurrent_pump_code") == ()


def test_drafts_of_one_group_belong_together() -> None:
    group = {"groupIdentifier": {"system": "s", "value": "g"}}
    asked = Asked(pump("E0776", **group), other("E0791", **group), other("E0784"))
    assert asked.value("concurrent_pump_code") == ("E0791",)


def test_a_pump_in_use_goes_with_a_supply() -> None:
    reading = Asked(pump("A4224"), chart=in_use((SNOMED, "69805005"), (HCPCS, "E0784"))).reading(
        "concurrent_pump_code"
    )
    assert reading.value == ("E0784",)
    assert (reading.evidence[0].resource, reading.evidence[0].says) == (
        "DeviceUseStatement/u",
        "in use since 2025-01-01",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"status": "completed"},
        {"status": "entered-in-error"},
        {"status": "intended"},
        {"timingPeriod": {"start": "2025-01-01", "end": "2026-02-15"}},
        {"timingPeriod": {"start": "2026-02-17"}},
        {"subject": {"reference": "Patient/other"}},
    ],
)
def test_a_pump_that_is_not_in_use_on_the_day_does_not_count(change: Json) -> None:
    assert Asked(pump("A4224"), chart=in_use((HCPCS, "E0784"), **change)).value("concurrent_pump_code") == ()


@pytest.mark.parametrize("end", ["2026-02-16", "2026-02-17", "2026-02"])
def test_a_pump_in_use_on_the_day_counts(end: str) -> None:
    used = in_use((HCPCS, "E0784"), timingPeriod={"start": "2025-01", "end": end})
    assert Asked(pump("A4224"), chart=used).value("concurrent_pump_code") == ("E0784",)


def test_a_device_in_use_that_is_no_pump_does_not_count() -> None:
    assert Asked(pump("E0776"), chart=in_use((HCPCS, "E2103"))).value("concurrent_pump_code") == ()


def test_a_pump_in_use_without_a_billing_code_has_a_class_and_no_code() -> None:
    asked = Asked(pump("A4224"), chart=in_use((SNOMED, "69805005")))
    assert asked.reading("concurrent_pump_code").reason is Reason.UNMAPPED_CODE
    assert asked.value("concurrent_pump_class") == ("external-insulin",)


def test_devices_that_could_not_be_read_leave_the_pump_unknown() -> None:
    asked = Asked(pump("E0776"), failures={"DeviceUseStatement": "timeout"})
    assert asked.reading("concurrent_pump_code").reason is Reason.FETCH_FAILED


def item(text: str, code: str = "E1399") -> Json:
    return pump(codeCodeableConcept=concept((HCPCS, code), text=text))


@pytest.mark.parametrize(
    ("order", "kind", "convenience", "controller"),
    [
        (item("Remote controller for insulin pump"), "remote-controller", True, True),
        (item("Omnipod Personal Diabetes Manager (PDM)"), "remote-controller", True, True),
        (item("Data download software"), "software-or-adapter", True, False),
        (item("USB adapter", "A9270"), "software-or-adapter", True, False),
        (item("Shower bag"), "cover-or-case", True, False),
        (item("Pump carrying case"), "cover-or-case", True, False),
        (pump("E0784"), "none", False, False),
        (pump("A4230"), "none", False, False),
        (pump("E0776"), "none", False, False),
        (item("Suction machine"), None, None, None),
        (item("Non-covered item or service", "A9270"), None, None, None),
    ],
)
def test_a_convenience_item_is_told_by_its_words(
    order: Json, kind: str | None, convenience: bool | None, controller: bool | None
) -> None:
    asked = Asked(order)
    found = (asked.value("accessory_kind"), asked.value("accessory_type"), asked.value("order_is_controller"))
    assert found == (kind, convenience, controller)


@pytest.mark.parametrize(
    ("order", "controller"),
    [
        (item("Infusion controller device"), True),
        (pump("E0781"), False),
        (item("Omnipod controller"), None),
        (pump("E1399"), None),
    ],
)
def test_an_infusion_controller_is_told_by_its_words(order: Json, controller: bool | None) -> None:
    assert Asked(order).value("device_is_infusion_controller") is controller
