"""What an order says by its code, its date and its modifiers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mappings.dates import Span
from mappings.evidence import Basis, Origin, Reason
from tests.mappings.orders import ANSWER, CPT, DAY, FACT, HCPCS, SNOMED, Asked, concept, drug, pump


def parameter(name: str, **value: Any) -> dict[str, Any]:
    return {"code": concept((FACT, name))} | value


def test_the_code_is_given_without_its_system() -> None:
    reading = Asked(pump("E0784", "https://bluebutton.cms.gov/resources/codesystem/hcpcs")).reading(
        "order_code"
    )
    assert (reading.value, reading.basis) == ("E0784", Basis.ORDER)
    assert (reading.evidence[0].resource, reading.evidence[0].origin) == ("DeviceRequest/pump", Origin.ORDER)


def test_the_billing_code_goes_before_other_codes() -> None:
    order = pump(codeCodeableConcept=concept((SNOMED, "69805005"), (CPT, "62362"), (HCPCS, "E0783")))
    assert Asked(order).value("order_code") == "E0783"


def test_an_order_in_words_has_no_code_and_says_what_would_tell() -> None:
    reading = Asked(pump(codeCodeableConcept={"text": "insulin pump"})).reading("order_code")
    assert (reading.value, reading.reason) == (None, Reason.NO_DATA)
    assert "HCPCS" in reading.note


def test_the_code_may_stand_on_a_contained_device() -> None:
    device = {"resourceType": "Device", "id": "d", "type": concept((HCPCS, "E0783"))}
    order = pump(contained=[device], codeReference={"reference": "#d"}) | {"codeCodeableConcept": None}
    del order["codeCodeableConcept"]
    assert Asked(order).value("order_code") == "E0783"
    assert Asked(order).value("pump_class") == "implantable-programmable"


def test_the_order_counts_for_its_own_calendar_day() -> None:
    assert Asked(pump()).value("order_date") == Span(DAY, DAY)


@pytest.mark.parametrize("authored", ["", "2026", "2026-02-17"])
def test_an_order_without_a_usable_date_counts_for_the_day_of_the_request(authored: str) -> None:
    reading = Asked(pump(authoredOn=authored)).reading("order_date")
    assert reading.value == Span(DAY, DAY)
    assert "no usable date" in reading.note


@pytest.mark.parametrize(
    ("code", "kind"),
    [("E0781", "pump"), ("A4230", "supply"), ("E0776", "accessory"), ("E0785", "component"), ("E0601", None)],
)
def test_the_kind_of_item_follows_its_code(code: str, kind: str | None) -> None:
    assert Asked(pump(code)).value("ordered_item_kind") == kind


@pytest.mark.parametrize(
    ("codes", "basis"),
    [
        ([(HCPCS, "E0781"), (HCPCS, "RR")], "rental"),
        ([(HCPCS, "E0781"), (HCPCS, "NU")], "purchase"),
        ([(HCPCS, "E0781"), (HCPCS, "UE")], "purchase"),
        ([(HCPCS, "E0781-RR-KI")], "rental"),
        ([(HCPCS, "E0781")], None),
        ([(HCPCS, "E0781"), (SNOMED, "RR")], None),
    ],
)
def test_modifiers_tell_rental_from_purchase(codes: list[tuple[str, str]], basis: str | None) -> None:
    assert Asked(pump(codeCodeableConcept=concept(*codes))).value("rental_or_purchase") == basis


def test_a_modifier_after_the_code_leaves_the_code_readable() -> None:
    assert Asked(pump(codeCodeableConcept=concept((HCPCS, "E0781-RR")))).value("order_code") == "E0781"


def test_modifiers_for_rental_and_for_purchase_contradict() -> None:
    order = pump(codeCodeableConcept=concept((HCPCS, "E0781"), (HCPCS, "RR"), (HCPCS, "NU")))
    assert Asked(order).reading("rental_or_purchase").reason is Reason.CONFLICTING


@pytest.mark.parametrize(
    ("codings", "basis"), [([(ANSWER, "rental"), (HCPCS, "RR")], "rental"), ([(HCPCS, "NU")], "purchase")]
)
def test_a_parameter_tells_rental_from_purchase_by_answer_or_by_modifier(
    codings: list[tuple[str, str]], basis: str
) -> None:
    order = pump(parameter=[parameter("rental_or_purchase", valueCodeableConcept=concept(*codings))])
    assert Asked(order).value("rental_or_purchase") == basis


def test_a_service_request_carries_modifiers_in_its_details() -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "s",
        "status": "draft",
        "intent": "order",
        "code": concept((HCPCS, "E0781")),
        "orderDetail": [concept((HCPCS, "RR"))],
        "quantityQuantity": {"value": 1},
    }
    asked = Asked(order)
    assert (asked.value("rental_or_purchase"), asked.value("quantity")) == ("rental", 1)


def test_quantity_and_rental_months_are_parameters_of_the_order() -> None:
    order = pump(
        parameter=[
            parameter("quantity", valueQuantity={"value": 2, "code": "{each}"}),
            parameter("rental_months_cumulative", valueQuantity={"value": 4, "code": "mo"}),
        ]
    )
    asked = Asked(order)
    assert (asked.value("quantity"), asked.value("rental_months_cumulative")) == (2, 4)


@pytest.mark.parametrize(
    "order",
    [
        pump("E0786"),
        pump("E0785"),
        pump(codeCodeableConcept=concept((HCPCS, "E0784"), (HCPCS, "RA"))),
        pump("E0784", parameter=[parameter("order_is_replacement", valueBoolean=True)]),
        pump(codeCodeableConcept=concept((HCPCS, "E0783"), text="Replacement of implanted pump")),
        pump(codeCodeableConcept=concept((HCPCS, "E0784"), text="Insulin pump (replacement, old one broke)")),
    ],
)
def test_an_order_is_a_replacement_where_it_says_so(order: dict[str, Any]) -> None:
    reading = Asked(order).reading("order_is_replacement")
    assert (reading.value, reading.inferred) == (True, False)


def test_an_order_that_does_not_say_so_is_no_replacement_until_somebody_says_so() -> None:
    reading = Asked(pump("E0784")).reading("order_is_replacement")
    assert (reading.value, reading.inferred) == (False, True)


@pytest.mark.parametrize(
    "item",
    [
        concept((HCPCS, "E0783"), text="Implantable pump, initial or replacement"),
        concept((HCPCS, "E0783"), text="Implantable pump, not a replacement"),
        concept((CPT, "62362"), text="Implantation or replacement of a programmable pump"),
        concept((CPT, "62362"), text="Intrathecal pump replacement codes"),
        concept((HCPCS, "K0601"), text="Replacement battery for an infusion pump"),
    ],
)
def test_the_word_alone_makes_no_replacement(item: dict[str, Any]) -> None:
    assert Asked(pump(codeCodeableConcept=item)).reading("order_is_replacement").inferred


def test_a_parameter_that_denies_a_replacement_counts() -> None:
    order = pump("E0784", parameter=[parameter("order_is_replacement", valueBoolean=False)])
    reading = Asked(order).reading("order_is_replacement")
    assert (reading.value, reading.inferred) == (False, False)


def test_the_reason_of_a_replacement_may_be_the_reason_of_the_order() -> None:
    assert Asked(pump(reasonCode=[concept((ANSWER, "upgrade"))])).value("replacement_reason") == "upgrade"
    assert Asked(pump()).value("replacement_reason") is None


def test_the_prescription_dates_from_the_order_of_the_drug_and_yields_to_a_statement() -> None:
    reading = Asked(pump(), drug((SNOMED, "x"), authoredOn="2026-01-02")).reading("prescription_date")
    day = date(2026, 1, 2)
    assert (reading.value, reading.inferred) == (Span(day, day), True)


def test_a_prescription_of_the_future_gives_way_to_the_date_of_the_order() -> None:
    reading = Asked(pump(), drug((SNOMED, "x"), authoredOn="2026-02-17")).reading("prescription_date")
    assert reading.value == Span(DAY, DAY)


@pytest.mark.parametrize(
    ("intent", "new"),
    [("original-order", True), ("order", True), ("instance-order", None), ("plan", None), ("", None)],
)
def test_an_order_of_its_own_is_a_new_prescription(intent: str, new: bool | None) -> None:
    assert Asked(pump(intent=intent)).value("new_prescription_for_this_device") is new
