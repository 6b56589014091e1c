"""What is asserted is what docs/coverage-information.md says, for every combination, and FHIR for both versions."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from cards.coverage_information.assertion import Assertion
from cards.coverage_information.extension import extension
from cards.coverage_information.mapping import asserted, asserted_without_coverage
from cards.coverage_information.reasons import coverage_reasons
from cards.response_types import Version
from policies.determination import CoverageRef, Lapsed, Node, PolicyRef
from policies.repeated import Contact
from tests.cards.coverage_information.samples import ANSWERS, NOT_SHOWN, OUTCOMES, determination, order, parts
from tests.conformance.crd_check import violations

VERSIONS: tuple[Version, ...] = ("2.0", "2.2")
DOC = Path(__file__).parents[3] / "docs" / "coverage-information.md"
# Beside these nothing can be undecided or missing: the outcome says so.
ONLY_NOTHING = ("met", "not-applicable")


def tables() -> list[list[dict[str, str]]]:
    """The tables of the document, each row by the heads of its columns."""
    found: list[list[dict[str, str]]] = []
    heads: list[str] = []
    for line in DOC.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            heads = []
        elif not heads:
            heads = cells
            found.append([])
        elif set(cells[0]) != {"-"}:
            found[-1].append(dict(zip(heads, cells, strict=True)))
    return found


OUTCOME_ROWS, PRIOR_ROWS, *_ = tables()


def stated(outcome: str, not_shown: str, answer: str, version: str) -> dict[str, tuple[str, ...]]:
    """What the document says."""
    rows = [
        row
        for row in OUTCOME_ROWS
        if row["outcome"] == outcome
        and row["not shown"] in (not_shown, "any")
        and row["version"] in (version, "any")
    ]
    (row,) = rows
    (prior,) = [row for row in PRIOR_ROWS if row["prior authorization"] == answer]
    docs = () if row["doc-needed"] == "-" else tuple(row["doc-needed"].split(", "))
    pa = () if row["covered"] == "not-covered" else (prior["pa-needed"],)
    return {
        "covered": (row["covered"],),
        "pa-needed": pa,
        "doc-needed": docs,
        "doc-purpose": (prior["doc-purpose"],) if docs else (),
        "info-needed": ("OTH",) if "conditional" in (row["covered"], *pa) else (),
    }


COMBINATIONS = [
    (outcome, not_shown, answer, version)
    for outcome, not_shown, answer, version in product(OUTCOMES, NOT_SHOWN, ANSWERS, VERSIONS)
    if not_shown == "nothing" or outcome not in ONLY_NOTHING
]


def codes(assertion: Assertion) -> dict[str, tuple[str, ...]]:
    return {
        "covered": (assertion.covered,),
        "pa-needed": (assertion.pa_needed,) if assertion.pa_needed else (),
        "doc-needed": assertion.doc_needed,
        "doc-purpose": assertion.doc_purpose,
        "info-needed": assertion.info_needed,
    }


@pytest.mark.parametrize(("outcome", "not_shown", "answer", "version"), COMBINATIONS)
def test_the_code_asserts_what_the_document_says(
    outcome: str, not_shown: str, answer: str, version: Version
) -> None:
    found = asserted(determination(outcome, not_shown, answer), "Coverage/c1", version, "order-sign")
    assert codes(found) == stated(outcome, not_shown, answer, version)


@pytest.mark.req("B3.133", "B4.144")
@pytest.mark.parametrize(("outcome", "not_shown", "answer", "version"), COMBINATIONS)
@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_every_assertion_keeps_profile_and_invariants(
    outcome: str, not_shown: str, answer: str, version: Version, hook: str
) -> None:
    found = asserted(determination(outcome, not_shown, answer), "Coverage/c1", version, hook)
    assert found.pa_needed != "satisfied"
    resource = order(extension=[extension(found, "a1", "2026-03-01", version)])
    action = {"type": "update", "description": "x", "resource": resource}
    answered = {"cards": [], "systemActions": [action]}
    assert violations(answered, version, hook=hook, sent=[order()]) == []


def test_the_document_has_a_row_for_each_outcome_and_no_other() -> None:
    assert {row["outcome"] for row in OUTCOME_ROWS} == {*OUTCOMES, "no active coverage"}
    assert [row["prior authorization"] for row in PRIOR_ROWS] == list(ANSWERS)


@pytest.mark.req("B1.99")
@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_is_asked_for_documents_before_the_order_is_signed(version: Version) -> None:
    asked = determination("needs-documentation", "both", "required")
    found = asserted(asked, "Coverage/c1", version, "order-select")
    assert (found.doc_needed, found.doc_purpose) == ((), ())
    assert not any("File the certificate" in str(detail.value) for detail in found.details)
    assert found.covered == "conditional"


@pytest.mark.req("B3.135")
@pytest.mark.parametrize("version", VERSIONS)
def test_without_active_coverage_it_is_not_covered(version: Version) -> None:
    lapsed = Lapsed("DeviceRequest/pump-1", CoverageRef("Coverage/c1", "Plan"), "2026-02-16")
    found = asserted_without_coverage(lapsed, version)
    (row,) = [row for row in OUTCOME_ROWS if row["outcome"] == "no active coverage"]
    assert (found.covered, found.pa_needed) == (row["covered"], "")
    (reason,) = found.reasons
    assert reason.code == ("no-active-coverage" if version == "2.2" else "")
    assert "2026-02-16" in reason.text


@pytest.mark.req("B3.133")
def test_data_that_could_not_be_fetched_is_a_technical_reason() -> None:
    failed = determination("data not fetched")
    (reason,) = asserted(failed, "Coverage/c1", "2.2", "order-sign").reasons
    assert reason.code == "technical"
    assert "could not be fetched" in reason.text
    (reason,) = asserted(failed, "Coverage/c1", "2.0", "order-sign").reasons
    assert reason.code == ""


def test_the_reasons_name_what_lacks_each_aspect_for_itself() -> None:
    open_ = determination("not-met", "both", "unknown")
    said = [reason.text for reason in asserted(open_, "Coverage/c1", "2.0", "order-sign").reasons]
    assert said == [
        "Not met: The HbA1c is shown",
        "Not documented: The education is shown",
        "Not on file: A visit is on file",
        "Prior authorization: It is unknown",
    ]
    silent = asserted(determination("met", answer="not stated"), "Coverage/c1", "2.0", "order-sign")
    assert [r.text for r in silent.reasons] == [
        "Prior authorization: the policy does not say whether it is needed"
    ]
    excluded = asserted(determination("excluded"), "Coverage/c1", "2.0", "order-sign")
    assert [r.text for r in excluded.reasons] == ["Not covered: The member is allergic"]
    elsewhere = asserted(determination("not-applicable"), "Coverage/c1", "2.0", "order-sign")
    assert elsewhere.reasons[0].text == "The policy does not decide this order: The scope is shown"


def test_a_reason_tells_the_ways_of_a_choice_apart() -> None:
    lacks = [Node(name, "unknown", says=f"The {name} is shown") for name in ("test", "months", "lows")]
    way = Node("way", "unknown", operator="all", criteria=lacks[1:])
    choice = Node("choice", "unknown", operator="at_least", count_needed=1, criteria=[lacks[0], way])
    found = determination("needs-documentation")
    found.criteria = Node("all", "unknown", operator="all", criteria=[choice])
    assert [r.text for r in coverage_reasons(found)] == ["Not documented: The test is shown"]
    choice.criteria = [
        Node("2", "unknown", operator="all", criteria=[lacks[0], Node("x", "unknown", says="X")]),
        way,
    ]
    assert [r.text for r in coverage_reasons(found)] == [
        "Not documented: Either (the test is shown and x) or (the months is shown and the lows is shown)"
    ]


def test_instructions_and_the_policy_link_are_of_crd_22() -> None:
    open_ = determination("needs-documentation", "criteria")
    assert asserted(open_, "Coverage/c1", "2.0", "order-sign").details == ()
    instructions, link = asserted(open_, "Coverage/c1", "2.2", "order-sign").details
    assert (instructions.code, instructions.value) == (
        "instructions",
        ("valueString", "File the certificate."),
    )
    assert asserted(determination("met"), "Coverage/c1", "2.2", "order-sign").details == (link,)
    silent = asserted(determination("met", answer="not stated"), "Coverage/c1", "2.2", "order-sign")
    assert silent.details[0].value == ("valueString", silent.reasons[0].text)
    assert (link.code, link.value) == ("policy-link", ("valueUrl", "https://plan.example/doc"))


@pytest.mark.parametrize("version", VERSIONS)
def test_contact_and_expiry_have_the_shape_of_the_version(version: Version) -> None:
    contact = Contact("Pump desk", "phone", "555-0100")
    policy = PolicyRef("plan.pump", "1", "Plan", "Pump policy", until="2026-12-31", contact=contact)
    found = asserted(determination("met", policy=policy), "Coverage/c1", version, "order-sign")
    written = extension(found, "a1", "2026-03-01", version)
    point = {"system": "phone", "value": "555-0100"}
    if version == "2.0":
        assert parts(written, "contact") == [point]
        assert parts(written, "expiry-date") == []
    else:
        assert parts(written, "contact") == [{"name": "Pump desk", "telecom": [point]}]
        assert parts(written, "expiry-date") == ["2026-12-31"]
    action = {"type": "update", "description": "x", "resource": order(extension=[written])}
    assert violations({"cards": [], "systemActions": [action]}, version) == []
