"""A path that is for certain orders only, and documents that are needed only perhaps."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mappings.catalogue import Catalogue
from mappings.dates import span
from mappings.evidence import Basis, Evidence, Reading, Reason
from mappings.terminology import ValueSets
from policies.cases import GivenFacts
from policies.determination import Determination, Node, walk
from policies.evaluator import evaluate
from policies.library import LIBRARY
from policies.loader import load_policy
from policies.model import Policy
from policies.nearest import lacking, shut
from tests.policies.small_policy import VALID

GATED = VALID.replace(
    "        - id: user\n          any:\n",
    "        - id: user\n          gate:\n            fact: pump_class\n"
    "            is: {one_of: [external-insulin]}\n"
    "          any:\n",
)
PERHAPS = VALID.replace(
    "    required: true\n",
    "    required: true\n    applies_when: {fact: larger_reservoir_needed, is: true}\n",
)
FINE = {
    "dx_diabetes": True,
    "insulin_injections_per_day": 4.0,
    "diabetes_education_completed": True,
    "last_treating_physician_visit_date": span("2025-05-01"),
    "member_lob": "commercial",
    "member_age_years": 40.0,
    "pump_functioning": False,
}


def judged(policy: Policy, catalogue: Catalogue, value_sets: ValueSets, **facts: object) -> Determination:
    given = {
        name: Reading(value, evidence=(Evidence("Note/1"),), basis=Basis.DOCUMENTED)
        for name, value in {**FINE, **facts}.items()
        if value is not None
    }
    found = evaluate(policy, GivenFacts(catalogue, given), value_sets, "DeviceRequest/1", date(2025, 7, 1))
    assert found is not None
    return found


def node(found: Determination, name: str) -> Node:
    return next(n for n in walk(found.criteria) if n.id == name)


@pytest.fixture
def gated(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(GATED, encoding="utf-8")
    return load_policy(path, catalogue, value_sets)


def test_a_path_for_other_orders_is_unmet_even_when_its_criteria_are_met(
    gated: Policy, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    found = judged(gated, catalogue, value_sets, pump_class="external-ambulatory")
    assert node(found, "injects").state == "met"
    assert (node(found, "user").state, shut(node(found, "user"))) == ("unmet", True)
    assert found.outcome == "not-met"


def test_a_path_for_this_order_says_what_its_criteria_say(
    gated: Policy, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    assert judged(gated, catalogue, value_sets, pump_class="external-insulin").outcome == "met"
    few = judged(gated, catalogue, value_sets, pump_class="external-insulin", insulin_injections_per_day=1.0)
    assert not shut(node(few, "user"))


def test_an_order_that_does_not_tell_what_it_is_for_keeps_the_path_open_and_asks_for_that(
    gated: Policy, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    found = judged(gated, catalogue, value_sets)
    assert (node(found, "injects").state, node(found, "user").state) == ("met", "unknown")
    assert (found.outcome, found.lacking) == ("needs-documentation", ["user"])
    assert found.asks == [catalogue.facts["pump_class"].ask]


def test_what_the_record_shows_of_an_open_gate_is_told(
    gated: Policy, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    unread = Reading(
        None, Reason.UNMAPPED_CODE, (Evidence("Order/1", value="a pump"),), "It could not be identified."
    )
    given = {name: Reading(value, basis=Basis.DOCUMENTED) for name, value in FINE.items()}
    book = GivenFacts(catalogue, {**given, "pump_class": unread})
    found = evaluate(gated, book, value_sets, "DeviceRequest/1", date(2025, 7, 1))
    assert found is not None
    user = node(found, "user")
    assert (user.reason, user.notes) == ("unmapped_code", ["It could not be identified."])
    assert [entry.value for entry in user.evidence] == ["a pump"]


def test_a_path_that_fails_is_unmet_whatever_the_order_is_for(
    gated: Policy, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    failed = {"insulin_injections_per_day": 1.0, "insulin_pump_in_use": False}
    found = judged(gated, catalogue, value_sets, **failed)
    assert (node(found, "user").state, node(found, "user").reason) == ("unmet", "")
    assert found.outcome == "not-met"


def test_alternatives_that_all_wait_for_one_thing_ask_for_it_once(
    catalogue: Catalogue, value_sets: ValueSets
) -> None:
    path = LIBRARY / "northwood" / "external_infusion_pump" / "policy.yaml"
    northwood = load_policy(path, catalogue, value_sets)
    found = judged(northwood, catalogue, value_sets, pump_class="external-ambulatory")
    assert (found.outcome, found.lacking[0]) == ("needs-documentation", "covered_uses")
    assert catalogue.facts["drug"].ask in found.asks
    assert "needed_at_home_prolonged" not in found.lacking


def test_the_gate_is_among_the_facts_that_the_policy_asks_for(gated: Policy) -> None:
    assert "pump_class" in gated.facts()


def test_a_shut_group_is_no_alternative() -> None:
    closed = Node(id="a", state="unmet", operator="all", gate=True, criteria=[Node(id="x", state="unmet")])
    other = Node(
        id="b",
        state="unmet",
        operator="all",
        criteria=[Node(id="y", state="unmet"), Node(id="z", state="unmet")],
    )
    tree = Node(id="any", state="unmet", operator="any", criteria=[closed, other])
    assert [found.id for found in lacking(tree)] == ["y", "z"]


def test_a_document_that_is_needed_only_perhaps_is_a_to_do(
    tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(PERHAPS, encoding="utf-8")
    policy = load_policy(path, catalogue, value_sets)
    old = {"last_treating_physician_visit_date": span("2024-01-01")}
    needed = judged(policy, catalogue, value_sets, **old, larger_reservoir_needed=True)
    perhaps = judged(policy, catalogue, value_sets, **old)
    moot = judged(policy, catalogue, value_sets, **old, larger_reservoir_needed=False)
    assert (needed.outcome, needed.documentation[0].required) == ("needs-documentation", True)
    assert (perhaps.outcome, perhaps.documentation[0].state) == ("met", "unmet")
    assert (moot.outcome, moot.documentation) == ("met", [])


def test_a_group_that_says_what_lacks_does_not_shut_the_path_around_it() -> None:
    uses = Node(
        id="uses",
        state="unmet",
        operator="any",
        says="The use is one of the listed",
        criteria=[Node(id="x", state="unmet", gate=True), Node(id="y", state="unmet", gate=True)],
    )
    path = Node(id="path", state="unmet", operator="all", criteria=[Node(id="drug", state="unmet"), uses])
    other = Node(id="other", state="unmet", operator="all", criteria=[Node(id="z", state="unmet", gate=True)])
    tree = Node(
        id="any", state="unmet", operator="any", says="The pump is for a covered use", criteria=[other, path]
    )
    assert [found.id for found in lacking(tree)] == ["drug", "uses"]


def test_a_group_whose_scope_is_open_is_what_lacks_and_asks_about_its_scope(
    tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    scope = "          applies_when: {fact: cgm_in_use, is: true, ask: Is a monitor in use?}\n"
    path = tmp_path / "policy.yaml"
    path.write_text(VALID.replace("        - id: user\n", "        - id: user\n" + scope), encoding="utf-8")
    policy = load_policy(path, catalogue, value_sets)
    failed = {"insulin_injections_per_day": 1.0, "insulin_pump_in_use": False}
    perhaps = judged(policy, catalogue, value_sets, **failed)
    assert (node(perhaps, "user").state, perhaps.outcome) == ("unknown", "needs-documentation")
    assert (perhaps.lacking, perhaps.asks) == (["user"], ["Is a monitor in use?"])
    assert judged(policy, catalogue, value_sets, **failed, cgm_in_use=True).outcome == "not-met"
    assert judged(policy, catalogue, value_sets, **failed, cgm_in_use=False).outcome == "met"
