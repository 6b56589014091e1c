"""Limits that a policy states as data become details of the assertion."""

from __future__ import annotations

import pytest

from cards.coverage_information.extension import extension
from cards.coverage_information.limits import limit_details
from cards.coverage_information.mapping import asserted
from cards.response_types import Version
from policies.determination import Limit, Node, Stated
from tests.cards.coverage_information.samples import determination, limited, order
from tests.conformance.crd_check import violations

UCUM = "http://unitsofmeasure.org"


def test_an_amount_is_an_allowed_quantity_with_the_words_of_the_policy() -> None:
    (detail,) = limit_details(limited(Limit(3.0, "mo")))
    assert (detail.code, detail.category, detail.about) == ("allowed-quantity", "cat-limitation", "Limit 0")
    assert detail.value == ("valueQuantity", {"value": 3, "unit": "mo", "system": UCUM, "code": "mo"})
    (detail,) = limit_details(limited(Limit(0.5, "mL")))
    assert detail.value[1]["value"] == 0.5  # type: ignore[index]


@pytest.mark.parametrize(
    ("span", "end"),
    [("P3M", "2026-05-15"), ("P1D", "2026-02-16"), ("P2W", "2026-03-01"), ("P1Y", "2027-02-15")],
)
def test_a_span_is_an_allowed_period_from_the_day_of_the_order(span: str, end: str) -> None:
    (detail,) = limit_details(limited(Limit(span=span)))
    assert detail.code == "allowed-period"
    assert detail.value == ("valuePeriod", {"start": "2026-02-16", "end": end})


def test_the_limits_of_paths_for_other_orders_do_not_count() -> None:
    found = determination("met")
    mine = Node("mine", "met", says="Mine", limit=Limit(1, "d"))
    other = Node(
        "other", "unmet", operator="all", gate=True, criteria=[Node("x", "unmet", limit=Limit(2, "d"))]
    )
    found.criteria = Node("all", "met", operator="any", criteria=[mine, other])
    assert [detail.about for detail in limit_details(found)] == ["Mine"]


def test_the_prior_authorization_rule_limits_what_it_says() -> None:
    found = determination("met")
    found.prior_authorization = Stated([], "Free for 3 months", answer="not-required", limit=Limit(3, "mo"))
    assert [detail.about for detail in limit_details(found)] == ["Free for 3 months"]


def test_what_is_not_covered_has_no_limits() -> None:
    for outcome in ("excluded", "not-applicable"):
        found = determination(outcome, caveats=[Stated([], "x", limit=Limit(1, "d"))])
        assert limit_details(found) == []


@pytest.mark.req("B3.132")
@pytest.mark.parametrize("version", ["2.0", "2.2"])
def test_limits_are_written_in_the_shape_of_the_version(version: Version) -> None:
    found = asserted(limited(Limit(3, "mo"), Limit(span="P3M")), "Coverage/c1", version, "order-sign")
    resource = order(extension=[extension(found, "a1", "2026-03-01", version)])
    action = {"type": "update", "description": "x", "resource": resource}
    assert violations({"cards": [], "systemActions": [action]}, version) == []
    codes = [d.code for d in found.details if d.category == "cat-limitation"]
    assert codes == ["allowed-quantity", "allowed-period"]
