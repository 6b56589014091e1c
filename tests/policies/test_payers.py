"""Which coverages apply to an order, and whose they are."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mappings.fhir import Coverage
from mappings.yaml_file import DataError
from policies.payers import PayerMatch, Payers, active_coverages
from tests.mappings.orders import DAY, Asked, Json, chart_of, concept, orders_in, patient, pump

NAIC = "urn:oid:2.16.840.1.113883.6.300"
SOPT = "https://nahdo.org/sopt"
PAYERS = Payers.load()


def coverage(
    payor: Any = None, *, plan: str = "", kind: tuple[str, str] | None = None, **elements: Any
) -> Json:
    payors = payor if isinstance(payor, list) else [payor] if payor else []
    written: Json = {
        "resourceType": "Coverage",
        "id": "cov",
        "status": "active",
        "beneficiary": {"reference": "Patient/p"},
        "payor": [{"display": p} if isinstance(p, str) else p for p in payors],
    }
    if plan:
        written["class"] = [
            {"type": {"coding": [{"code": "plan"}]}, "value": plan.upper().replace(" ", "-"), "name": plan}
        ]
    if kind:
        written["type"] = concept(kind)
    return written | elements


def organization(name: str = "", **elements: Any) -> Json:
    return {"resourceType": "Organization", "id": "o", "name": name} | elements


def match(written: Json, *chart: Json) -> PayerMatch:
    return PAYERS.match(msgspec.json.decode(json.dumps(written), type=Coverage), chart_of(chart))


@pytest.mark.parametrize(
    ("name", "payer"),
    [
        ("Aetna", "aetna"),
        ("AETNA", "aetna"),
        ("Aetna, Inc.", "aetna"),
        ("Aetna Life Insurance Company", "aetna"),
        ("Aetna Better Health of Ohio", "aetna"),
        ("Meritain Health, an Aetna Company", "aetna"),
        ("Independence Blue Cross", "independence"),
        ("Independence Blue Cross, LLC", "independence"),
        ("IBX", "independence"),
        ("QCC Insurance Company", "independence"),
        ("Northwood", "northwood"),
        ("Northwood, Inc.", "northwood"),
        ("The Northwood Inc", "northwood"),
        ("Anthem Blue Cross and Blue Shield of Connecticut", "anthem-ct"),
        ("Anthem Blue Cross & Blue Shield of Connecticut", "anthem-ct"),
        ("Anthem Blue Cross Connecticut", "anthem-ct"),
        ("Anthem Health Plans, Inc.", "anthem-ct"),
        ("Anthem BCBS CT", "anthem-ct"),
        ("HUSKY Health (Connecticut Medicaid)", "husky"),
        ("husky health program", "husky"),
        ("Connecticut Medical Assistance Program", "husky"),
        ("State of Connecticut, Department of Social Services", "husky"),
    ],
)
def test_a_payer_is_recognised_by_its_names(name: str, payer: str) -> None:
    found = match(coverage(name))
    assert found.payer_id == payer
    assert name in found.how


@pytest.mark.parametrize(
    "name",
    [
        "Meridian Mutual Health",
        "Anthem Blue Cross",
        "Anthem Blue Cross and Blue Shield of Indiana",
        "Anthem Health Plans of Maine, Inc.",
        "Anthem Health Plans of New Hampshire",
        "Blue Cross Blue Shield of Michigan",
        "Independence Care System",
        "Northwood Credit Union Health",
        "Husky Energy Benefits",
        "University of Washington Husky Health Center",
        "Department of Social Services",
        "Aetnacare",
        "Centers for Medicare and Medicaid Services",
    ],
)
def test_another_payer_is_reported_and_not_guessed(name: str) -> None:
    found = match(coverage(name))
    assert found.payer_id is None
    assert name in found.how


@pytest.mark.parametrize(
    ("state", "payer"), [("CT", "anthem-ct"), ("Connecticut", "anthem-ct"), ("CA", None), ("", None)]
)
def test_a_name_that_sister_companies_share_counts_for_a_member_in_the_state(
    state: str, payer: str | None
) -> None:
    home = patient(address=[{"use": "home", "state": state}])
    assert match(coverage("Anthem Blue Cross and Blue Shield"), home).payer_id == payer


def test_a_name_that_sister_companies_share_counts_with_a_plan_of_the_state() -> None:
    assert match(coverage("Anthem", plan="Connecticut PPO")).payer_id == "anthem-ct"


def test_a_name_that_says_another_state_is_another_payer_even_for_a_member_at_home() -> None:
    home = patient(address=[{"state": "CT"}])
    assert match(coverage("Anthem Blue Cross and Blue Shield of Indiana"), home).payer_id is None


def test_the_payor_is_followed_to_its_organization() -> None:
    referred = {"reference": "Organization/o"}
    found = match(coverage(referred), organization("Zenith Holding", alias=["Aetna"]))
    assert found.payer_id == "aetna"
    assert [entry.resource for entry in found.evidence] == ["Coverage/cov", "Organization/o"]


def test_the_payor_may_be_contained() -> None:
    found = match(coverage({"reference": "#o"}, contained=[organization("Northwood, Inc.")]))
    assert found.payer_id == "northwood"
    assert [entry.resource for entry in found.evidence] == ["Coverage/cov"]


def test_the_payor_may_be_a_display_beside_a_reference_that_leads_nowhere() -> None:
    assert match(coverage({"reference": "Organization/none", "display": "Aetna"})).payer_id == "aetna"


@pytest.mark.parametrize(
    ("identifier", "payer"),
    [
        ({"system": NAIC, "value": "60054"}, "aetna"),
        ({"system": NAIC, "value": "60055"}, None),
        ({"system": "http://other", "value": "60054"}, None),
        ({"value": "60054"}, None),
    ],
)
def test_an_identifier_counts_in_its_own_system(identifier: Json, payer: str | None) -> None:
    assert (
        match(coverage({"reference": "#o"}, contained=[organization("X", identifier=[identifier])])).payer_id
        == payer
    )
    assert match(coverage({"identifier": identifier})).payer_id == payer


def test_an_identifier_goes_before_the_name() -> None:
    payor = organization("Northwood, Inc.", identifier=[{"system": NAIC, "value": "60054"}])
    found = match(coverage({"reference": "#o"}, contained=[payor]))
    assert (found.payer_id, "identifier" in found.how) == ("aetna", True)


def test_of_several_payors_the_first_known_one_counts_and_others_are_named() -> None:
    assert match(coverage(["Meridian Mutual Health", "Aetna"])).payer_id == "aetna"
    found = match(coverage(["Northwood, Inc.", "Aetna"]))
    assert (found.payer_id, found.how) == (
        "northwood",
        'by its name "Northwood, Inc."; another payor is Aetna',
    )


@pytest.mark.parametrize(
    ("payor", "plan", "payer"),
    [
        ("Blue Care Network", "PPO, DMEPOS benefit administered by Northwood", "northwood"),
        ("Connecticut DSS", "HUSKY D", "husky"),
        (None, "Keystone 65 HMO", "independence"),
        ("Blue Care Network", "Northwood Preferred", None),
    ],
)
def test_a_plan_that_only_one_payer_sells_tells_the_payer(
    payor: str | None, plan: str, payer: str | None
) -> None:
    assert match(coverage(payor, plan=plan)).payer_id == payer


@pytest.mark.parametrize(
    ("written", "how"),
    [
        (coverage(), "does not name its payor"),
        (coverage({"reference": "Patient/p"}), "is a person"),
        (coverage({"reference": "Organization/none"}), "no name on file"),
        (coverage("Meridian"), "none of the known payers"),
    ],
)
def test_what_is_known_of_an_unknown_payor_is_said(written: Json, how: str) -> None:
    found = match(written)
    assert (found.payer_id, how in found.how) == (None, True)


@pytest.mark.parametrize(
    ("payor", "plan", "kind", "line", "program"),
    [
        (
            "Independence Blue Cross",
            "Keystone 65 HMO",
            ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HMO"),
            "medicare-advantage",
            None,
        ),
        ("Independence Blue Cross", "Personal Choice 65", None, "medicare-advantage", None),
        ("Independence Blue Cross", "Personal Choice", (SOPT, "512"), "commercial", None),
        ("Independence Blue Cross", "", None, None, None),
        ("Aetna", "Aetna Choice POS II", None, "commercial", None),
        ("Aetna", "", (SOPT, "1"), "medicare-advantage", None),
        ("Aetna Better Health of Ohio", "", (SOPT, "211"), "medicaid", None),
        ("Aetna Better Health of Ohio", "", None, "medicaid", None),
        ("HUSKY Health", "HUSKY A", (SOPT, "2"), "medicaid", "HUSKY A"),
        ("HUSKY Health", "HUSKY B", (SOPT, "2"), "chip", "HUSKY B"),
        ("Connecticut Medicaid", "HUSKY B", None, "chip", "HUSKY B"),
        ("HUSKY Health", "HUSKY Limited Benefit Program", None, "medicaid", "LBP"),
        ("HUSKY Health", "", (SOPT, "23"), None, None),
        ("Northwood, Inc.", "Medicare Advantage PPO", None, "medicare-advantage", None),
    ],
)
def test_the_payer_knows_its_plans_and_programs(
    payor: str, plan: str, kind: tuple[str, str] | None, line: str | None, program: str | None
) -> None:
    found = match(coverage(payor, plan=plan, kind=kind))
    assert (found.line_of_business, found.program, found.plan) == (line, program, plan or None)


def test_a_commercial_type_and_a_medicaid_program_contradict() -> None:
    found = match(coverage("HUSKY Health", plan="HUSKY A", kind=(SOPT, "512")))
    assert found.line_of_business is None
    assert "medicaid and commercial" in found.member.line_of_business.note


def test_the_facts_of_the_member_are_those_of_the_match() -> None:
    written = coverage("HUSKY Health", plan="HUSKY B", kind=(SOPT, "2"))
    found = match(written)
    insured = msgspec.json.decode(json.dumps(written), type=Coverage)
    asked = Asked(pump(), coverage=insured, member=found.member)
    values = {name: asked.value(name) for name in ("payer_id", "member_lob", "member_program", "member_plan")}
    assert values == {
        "payer_id": "husky",
        "member_lob": "chip",
        "member_program": "HUSKY B",
        "member_plan": "HUSKY B",
    }
    assert asked.reading("payer_id").evidence[0].resource == "Coverage/cov"


def applying(*chart: Json, insurance: list[str] | None = None, day: date = DAY) -> list[str]:
    order = pump(insurance=[{"reference": f"Coverage/{name}"} for name in insurance or []])
    filled = chart_of(chart)
    return [found.id for found in active_coverages(filled, orders_in([order], filled)[0], day)]


def other(name: str, **elements: Any) -> Json:
    return coverage("Aetna", id=name, **elements)


def test_the_coverage_that_the_order_names_goes_before_others() -> None:
    assert applying(other("a"), other("b"), insurance=["b"]) == ["b"]
    assert applying(other("a"), other("b"), insurance=["b", "a"]) == ["b", "a"]


def test_without_a_named_one_all_active_coverages_apply_by_their_order() -> None:
    assert applying(other("c"), other("b", order=2), other("a", order=1)) == ["a", "b", "c"]


@pytest.mark.parametrize("named", ["gone", "old"])
def test_a_named_coverage_that_is_not_on_file_or_has_ended_gives_way(named: str) -> None:
    assert applying(other("old", status="cancelled"), other("a"), insurance=[named]) == ["a"]


@pytest.mark.parametrize(
    ("elements", "applies"),
    [
        ({"status": "active"}, True),
        ({"status": "cancelled"}, False),
        ({"status": "draft"}, False),
        ({"status": "entered-in-error"}, False),
        ({"period": {"start": "2026-02-16"}}, True),
        ({"period": {"start": "2026-02-17"}}, False),
        ({"period": {"end": "2026-02-15"}}, False),
        ({"period": {"end": "2026-02-16T23:59:59-05:00"}}, True),
        ({"period": {"end": "2026-02-17"}}, True),
        ({"period": {"end": "2026"}}, True),
        ({"period": {"end": "2025"}}, False),
        ({"beneficiary": {"reference": "Patient/other"}}, False),
    ],
)
def test_a_coverage_applies_while_it_is_active_and_the_patients(elements: Json, applies: bool) -> None:
    assert applying(other("a", **elements)) == (["a"] if applies else [])


def test_the_coverage_of_the_drugs_order_counts_where_the_pump_names_none() -> None:
    chart = chart_of([other("a"), other("b")])
    medicine = {
        "resourceType": "MedicationRequest",
        "id": "drug",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "morphine"},
        "insurance": [{"reference": "Coverage/b"}],
    }
    order = orders_in([pump(), medicine], chart)[0]
    assert [found.id for found in active_coverages(chart, order, DAY)] == ["b"]


def test_every_payer_has_a_name_and_an_unknown_id_is_its_own_name() -> None:
    assert PAYERS.ids == ("aetna", "independence", "northwood", "anthem-ct", "husky")
    assert (PAYERS.name("husky"), PAYERS.name("acme")) == ("HUSKY Health (Connecticut Medicaid)", "acme")


def test_a_further_file_adds_a_payer(tmp_path: Path) -> None:
    path = tmp_path / "payers.yaml"
    path.write_text("acme: {name: Acme, names: [Acme Health Plan], lines_of_business: [commercial]}\n")
    acme = Payers.load(path).match(
        msgspec.json.decode(json.dumps(coverage("ACME Health Plan, LLC")), type=Coverage), chart_of()
    )
    assert (acme.payer_id, acme.line_of_business) == ("acme", "commercial")


def test_medicare_through_original_medicare_is_fee_for_service(tmp_path: Path) -> None:
    path = tmp_path / "payers.yaml"
    path.write_text("cms: {name: Medicare, names: [Original Medicare], lines_of_business: [medicare-ffs]}\n")
    written = coverage("Original Medicare", kind=(SOPT, "1"))
    found = Payers.load(path).match(msgspec.json.decode(json.dumps(written), type=Coverage), chart_of())
    assert found.line_of_business == "medicare-ffs"


BROKEN = {
    "a payer defined twice": ("aetna: {name: A, names: [Other], lines_of_business: []}", "defined twice"),
    "a name of another payer": (
        "acme: {name: A, names: ['Aetna, Inc.'], lines_of_business: []}",
        "names aetna too",
    ),
    "an identifier of another payer": (
        "acme: {name: A, names: [Acme], lines_of_business: [], identifiers: ['60054']}",
        "the identifier 60054 is of aetna too",
    ),
    "an unknown line of business": (
        "acme: {name: A, names: [Acme], lines_of_business: [comercial]}",
        "did you mean commercial",
    ),
    "an unknown state": (
        "acme: {name: A, names: [Acme], lines_of_business: [], states: [XX]}",
        "unknown 'XX'",
    ),
    "shared names without states": (
        "acme: {name: A, names: [Acme], lines_of_business: [], shared_names: [Ac]}",
        "need the states",
    ),
    "no names": ("acme: {name: A}", "needs the names"),
    "an unknown key": (
        "acme: {name: A, names: [Acme], lines_of_business: [], alias: [x]}",
        "unknown key 'alias'",
    ),
}


@pytest.mark.parametrize(("text", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_of_payers_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "payers.yaml"
    path.write_text(f"{text}\n")
    with pytest.raises(DataError, match=problem):
        Payers.load(path)
