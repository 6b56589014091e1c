"""The updates: the whole order and nothing else changed, one for each order, none when nothing is new."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest

from cards.coverage_information.actions import coverage_actions
from cards.response_types import Version
from policies.determination import CoverageRef, Determination, Lapsed
from tests.cards.coverage_information.samples import HCPCS, URL, Json, determination, encoded, order, parts
from tests.conformance.crd_check import violations

TODAY = date(2026, 3, 1)


def actions(
    sent: dict[str, bytes] | bytes | Json,
    *determinations: Determination,
    version: Version = "2.0",
    hook: str = "order-sign",
    today: date = TODAY,
    **more: Any,
) -> list[Json]:
    """The actions as a client reads them."""
    raw = encoded(sent) if isinstance(sent, dict) and "resourceType" in sent else sent
    orders = raw if isinstance(raw, dict) else {"DeviceRequest/pump-1": raw}
    found = coverage_actions(
        orders,  # type: ignore[arg-type]
        determinations,
        version=version,
        hook=hook,
        today=today,
        assertion_id=lambda name: f"id of {name}",
        **more,
    )
    return json.loads(msgspec.json.encode(found))  # type: ignore[no-any-return]


def ours(action: Json) -> list[Json]:
    return [e for e in action["resource"]["extension"] if e["url"] == URL]


def of_coverage(reference: str, outcome: str = "met", **more: Any) -> Determination:
    return determination(outcome, coverage=CoverageRef(reference, "Plan"), **more)


@pytest.mark.req("B3.125")
def test_one_update_holds_the_whole_order_with_one_extension_for_each_coverage() -> None:
    sent = order(note=[{"text": "x"}])
    (action,) = actions(sent, of_coverage("Coverage/c1"), of_coverage("Coverage/c2"))
    assert (action["type"], set(action)) == ("update", {"type", "description", "resource"})
    assert action["description"] == "Coverage information for Insulin pump (E0784): covered"
    assert {k: v for k, v in action["resource"].items() if k != "extension"} == sent
    assert [parts(e, "coverage") for e in ours(action)] == [
        [{"reference": "Coverage/c1"}],
        [{"reference": "Coverage/c2"}],
    ]
    assert violations({"cards": [], "systemActions": [action]}, "2.0", hook="order-sign", sent=[sent]) == []


@pytest.mark.req("B3.126")
def test_every_byte_of_the_order_but_the_extension_stays() -> None:
    raw = (
        b'{ "resourceType":"DeviceRequest","id":"pump-1","parameter":[{"valueQuantity":{"value": 1.50}}],'
        b'"big":12345678901234567890.10,"_x":[null,{"id":"\\u00e9"}],"extension":[ {"url":"urn:a","valueDecimal":2.00} ],'
        b'"unknown":{"a":1e3}}'
    )
    (action,) = coverage_actions(
        {"DeviceRequest/pump-1": raw},
        [determination("met")],
        version="2.0",
        hook="order-sign",
        today=TODAY,
        assertion_id=str,
    )
    text = bytes(action["resource"])
    for piece in (
        b'"parameter":[{"valueQuantity":{"value": 1.50}}]',
        b'"big":12345678901234567890.10',
        b'"_x":[null,{"id":"\\u00e9"}]',
        b'{"url":"urn:a","valueDecimal":2.00}',
        b'"unknown":{"a":1e3}',
    ):
        assert piece in text, piece
    assert list(json.loads(text)) == list(json.loads(raw))


@pytest.mark.req("B3.127")
def test_each_order_gets_its_own_update() -> None:
    orders = {f"DeviceRequest/{n}": encoded(order(n)) for n in ("a", "b", "c")}
    judged = [
        determination("met", order="DeviceRequest/a"),
        determination("excluded", order="DeviceRequest/b"),
    ]
    found = actions(orders, *judged)
    assert [action["resource"]["id"] for action in found] == ["a", "b"]


@pytest.mark.req("B3.128")
def test_nothing_is_sent_when_nothing_is_new() -> None:
    first = determination("needs-documentation", "both", "unknown")
    (action,) = actions(order(), first)
    carried = action["resource"]
    assert actions(carried, first, today=date(2026, 4, 1)) == []
    carried["extension"][0]["extension"].reverse()
    assert actions(carried, first) == []


def test_what_is_outdated_is_replaced_and_what_others_assert_stays() -> None:
    (action,) = actions(order(), of_coverage("Coverage/c1", "not-met"), of_coverage("Coverage/c2"))
    carried = action["resource"]
    foreign = {
        "url": URL,
        "extension": [
            {"url": "coverage", "valueReference": {"reference": "Coverage/c1"}},
            {"url": "covered", "valueCode": "covered"},
            {"url": "coverage-assertion-id", "valueString": "of another"},
        ],
    }
    other = {"url": "urn:other", "valueString": "x"}
    kept = ours(action)[1]
    carried["extension"] = [other, foreign, *carried["extension"]]
    (update,) = actions(
        carried, of_coverage("Coverage/c1", "met"), of_coverage("Coverage/c2"), today=date(2026, 4, 1)
    )
    found = update["resource"]["extension"]
    assert found[:3] == [other, foreign, kept]
    assert [parts(e, "covered") for e in found[3:]] == [["covered"]]
    assert violations({"cards": [], "systemActions": [update]}, "2.0", sent=[carried]) == []


@pytest.mark.req("B3.129")
@pytest.mark.req("B3.130")
def test_the_trace_id_is_that_of_the_order_and_the_coverage() -> None:
    second = of_coverage("Coverage/c1", "not-met")
    (action,) = actions(order(), of_coverage("Coverage/c1"), second, of_coverage("Coverage/c2"))
    ids = [parts(e, "coverage-assertion-id") for e in ours(action)]
    assert ids == [["id of DeviceRequest/pump-1 Coverage/c1"]] * 2 + [
        ["id of DeviceRequest/pump-1 Coverage/c2"]
    ]
    assert violations({"cards": [], "systemActions": [action]}, "2.0", sent=[order()]) == []


def test_a_policy_that_does_not_decide_yields_to_one_that_does() -> None:
    (action,) = actions(order(), determination("not-applicable"), determination("met"))
    assert [parts(e, "covered") for e in ours(action)] == [["covered"]]


@pytest.mark.req("B3.139")
def test_without_a_coverage_of_the_client_nothing_is_asserted() -> None:
    assert actions(order(), determination("met", coverage=None)) == []
    assert actions(order(), of_coverage("Coverage")) == []
    inside = order(contained=[{"resourceType": "Coverage", "id": "c1"}])
    assert actions(inside, of_coverage("Coverage/c1")) == []
    assert len(actions(inside, of_coverage("Coverage/c2"))) == 1


def test_an_appointment_carries_what_is_asserted_about_its_orders() -> None:
    visit = {"resourceType": "Appointment", "id": "v1", "status": "proposed"}
    orders = {
        "Appointment/v1": encoded(visit),
        **{f"DeviceRequest/{n}": encoded(order(n)) for n in ("a", "b", "c")},
    }
    judged = [
        determination("met", order="DeviceRequest/a"),
        determination("excluded", order="DeviceRequest/b", order_label="Cassettes"),
        determination("not-met", order="DeviceRequest/c"),
    ]
    carried = {"Appointment/v1": ("DeviceRequest/a", "DeviceRequest/b")}
    found = actions(orders, *judged, carried=carried)
    assert [action["resource"]["id"] for action in found] == ["v1", "a", "b", "c"]
    assert [parts(e, "covered") for e in ours(found[0])] == [["covered"], ["not-covered"]]
    assert found[0]["description"] == (
        "Coverage information for Insulin pump (E0784), Cassettes: covered; not covered"
    )
    ids = {parts(e, "coverage-assertion-id")[0] for e in ours(found[0])}
    assert ids == {"id of Appointment/v1 Coverage/c1"}
    assert [parts(e, "billingCode")[0]["code"] for e in ours(found[0])] == ["E0784", "E0784"]
    taken = orders | {"Appointment/v1": encoded(found[0]["resource"])}
    assert [a["resource"]["id"] for a in actions(taken, *judged, carried=carried)] == ["a", "b", "c"]


def test_an_order_without_id_cannot_be_updated() -> None:
    for id_ in (None, "", 7):
        assert actions(order(id_), determination("met")) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("lone", [{"url": "urn:other", "valueString": "x"}, "text", 3])
def test_a_lone_extension_stays_where_a_list_belongs(lone: Any) -> None:
    (action,) = actions(order(extension=lone), determination("met"))
    kept, added = action["resource"]["extension"]
    assert (kept, added["url"]) == (lone, URL)


def test_the_questionnaire_goes_with_what_has_to_be_documented() -> None:
    form = "https://plan.example/Questionnaire/pump"
    (action,) = actions(
        order(), determination("needs-documentation", "criteria"), questionnaire=lambda _: form
    )
    assert parts(ours(action)[0], "questionnaire") == [form]
    for found in (
        actions(order(), determination("met"), questionnaire=lambda _: form),
        actions(
            order(),
            determination("needs-documentation", "criteria"),
            questionnaire=lambda _: form,
            hook="order-select",
        ),
        actions(order(), determination("needs-documentation", "criteria"), questionnaire=lambda _: None),
    ):
        assert parts(ours(found[0])[0], "questionnaire") == []


@pytest.mark.req("B3.132")
def test_the_billing_codes_are_those_of_the_order_as_they_were_sent() -> None:
    hcpcs = {
        "system": "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
        "code": "E0784",
        "display": "Pump",
    }
    codings = [hcpcs, {"system": "http://snomed.info/sct", "code": "69805005"}, {"code": "E0784"}]
    (action,) = actions(order(codeCodeableConcept={"coding": codings}), determination("met"))
    assert parts(ours(action)[0], "billingCode") == [hcpcs]
    (action,) = actions(
        {**order(codeCodeableConcept=None), "resourceType": "ServiceRequest", "code": {"coding": [hcpcs]}},
        determination("met"),
    )
    assert parts(ours(action)[0], "billingCode") == [hcpcs]
    for odd in ({"coding": hcpcs}, {"coding": [3, None]}, "E0784", {"coding": [{"system": HCPCS}]}):
        (action,) = actions(order(codeCodeableConcept=odd), determination("met"))
        assert parts(ours(action)[0], "billingCode") == []


@pytest.mark.req("B3.135")
@pytest.mark.parametrize("version", ["2.0", "2.2"])
def test_a_coverage_that_is_not_active_is_told(version: Version) -> None:
    lapsed = Lapsed("DeviceRequest/pump-1", CoverageRef("Coverage/c1", "Plan"), "2026-02-16", "Insulin pump")
    agnostic = determination("met", coverage=None)
    (action,) = actions(order(), agnostic, lapsed=[lapsed], version=version)
    assert parts(ours(action)[0], "covered") == ["not-covered"]
    assert violations({"cards": [], "systemActions": [action]}, version, sent=[order()]) == []
