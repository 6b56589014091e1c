"""Age and state of the member, and what the coverage says."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from mappings.evidence import Bounds, Reason
from mappings.fhir import Coverage
from mappings.states import state_code
from tests.mappings.orders import Asked, Json, concept, patient, pump

SOPT = "https://nahdo.org/sopt"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def coverage(*types: tuple[str, str], plan: str = "", **elements: Any) -> Coverage:
    written: Json = {"resourceType": "Coverage", "id": "cov", "status": "active"}
    if types:
        written["type"] = concept(*types)
    if plan:
        written["class"] = [{"type": {"coding": [{"code": "plan"}]}, "value": "X1", "name": plan}]
    return msgspec.json.decode(json.dumps(written | elements), type=Coverage)


@pytest.mark.parametrize(
    ("born", "years", "months"),
    [
        ("2008-02-15", 18, 216),
        ("2008-02-16", 18, 216),
        ("2008-02-17", 17, 215),
        ("2026-01-16", 0, 1),
        ("2026-01-17", 0, 0),
        ("2026-02-16", 0, 0),
        ("2008-02", Bounds(17, 18), Bounds(215, 216)),
        ("2008-03", 17, Bounds(214, 215)),
        ("2008", Bounds(17, 18), Bounds(205, 217)),
        ("2026", 0, Bounds(0, 1)),
    ],
)
def test_age_is_counted_in_completed_years_and_months(
    born: str, years: int | Bounds, months: int | Bounds
) -> None:
    asked = Asked(pump(), chart=[patient(birthDate=born)])
    assert (asked.value("member_age_years"), asked.value("member_age_months")) == (years, months)


def test_a_partial_birth_date_says_its_limits() -> None:
    reading = Asked(pump(), chart=[patient(birthDate="2008")]).reading("member_age_years")
    assert "17 to 18 years" in reading.note


@pytest.mark.parametrize(
    ("chart", "failures", "reason"),
    [
        ([], {}, Reason.NO_DATA),
        ([patient()], {}, Reason.NO_DATA),
        ([patient(birthDate="2026-02-17")], {}, Reason.CONFLICTING),
        ([patient(birthDate="unknown")], {}, Reason.NO_DATA),
        ([], {"Patient": "404"}, Reason.FETCH_FAILED),
    ],
)
def test_an_age_that_cannot_be_told_has_its_reason(
    chart: list[Json], failures: dict[str, str], reason: Reason
) -> None:
    assert Asked(pump(), chart=chart, failures=failures).reading("member_age_years").reason is reason


@pytest.mark.parametrize(
    ("addresses", "state"),
    [
        ([{"state": "CT"}], "CT"),
        ([{"state": "Connecticut"}], "CT"),
        ([{"state": "us-ct"}], "CT"),
        ([{"use": "home", "state": "CT"}, {"use": "work", "state": "NY"}], "CT"),
        ([{"use": "old", "state": "NY"}, {"state": "CT"}], "CT"),
        ([{"state": "NY", "period": {"end": "2026-02-15"}}, {"state": "CT"}], "CT"),
        ([{"state": "NY"}, {"state": "CT"}], None),
        ([{"state": "Ontario"}], None),
        ([], None),
    ],
)
def test_the_state_is_that_of_the_current_home(addresses: list[Json], state: str | None) -> None:
    assert Asked(pump(), chart=[patient(address=addresses)]).value("member_state") == state


def test_every_state_is_known_by_name_and_code() -> None:
    assert [state_code(text) for text in ("new york", "NY", "District of Columbia", "PR", "XX", "")] == [
        "NY",
        "NY",
        "DC",
        "PR",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("types", "plan", "line"),
    [
        ([(SOPT, "111")], "", "medicare-advantage"),
        ([(SOPT, "112"), (ACT, "PPO")], "", "medicare-advantage"),
        ([("urn:oid:2.16.840.1.113883.3.221.5", "121")], "", "medicare-ffs"),
        ([(SOPT, "141")], "", "medicare-advantage"),
        ([(SOPT, "2")], "", "medicaid"),
        ([(SOPT, "211")], "", "medicaid"),
        ([(SOPT, "361")], "", "chip"),
        ([(SOPT, "512"), (ACT, "PPO")], "", "commercial"),
        ([(SOPT, "61")], "", "commercial"),
        ([(ACT, "EHCPOL")], "", "commercial"),
        ([(ACT, "EHCPOL"), (SOPT, "111")], "", "medicare-advantage"),
        ([(ACT, "EHCPOL")], "Gold Medicare Advantage", "medicare-advantage"),
        ([(ACT, "HMO")], "", None),
        ([(ACT, "PPO")], "Commercial PPO", "commercial"),
        ([(ACT, "SUBSIDIZ")], "", None),
        ([(ACT, "SUBSIDIZ")], "Children's Health Insurance Program", "chip"),
        ([(ACT, "PUBLICPOL")], "Medicare Part A", "medicare-ffs"),
        ([(ACT, "PUBLICPOL")], "", None),
        ([(SOPT, "1")], "", None),
        ([(SOPT, "23")], "", None),
        ([(SOPT, "523")], "", None),
        ([], "Medicare Part D", None),
        ([], "Medigap Plan G", None),
        ([], "", None),
        ([("http://other", "111")], "", None),
    ],
)
def test_the_line_of_business_follows_from_type_and_plan(
    types: list[tuple[str, str]], plan: str, line: str | None
) -> None:
    assert Asked(pump(), coverage=coverage(*types, plan=plan)).value("member_lob") == line


@pytest.mark.parametrize(
    ("types", "plan"),
    [
        ([(SOPT, "512")], "Gold Medicare Advantage"),
        ([(SOPT, "2"), (SOPT, "512")], ""),
        ([(SOPT, "512"), (SOPT, "1")], ""),
    ],
)
def test_a_type_and_a_plan_of_different_lines_contradict(types: list[tuple[str, str]], plan: str) -> None:
    assert (
        Asked(pump(), coverage=coverage(*types, plan=plan)).reading("member_lob").reason is Reason.CONFLICTING
    )


def test_a_type_in_words_counts() -> None:
    assert Asked(pump(), coverage=coverage(type={"text": "medicaid"})).value("member_lob") == "medicaid"


def test_the_plan_is_given_by_name() -> None:
    assert Asked(pump(), coverage=coverage(plan="Gold PPO")).value("member_plan") == "Gold PPO"


def test_a_group_is_no_plan() -> None:
    group = [{"type": {"coding": [{"code": "group"}]}, "value": "028305"}]
    assert Asked(pump(), coverage=coverage(**{"class": group})).value("member_plan") is None


@pytest.mark.parametrize(
    "fact", ["payer_id", "member_lob", "member_plan", "member_program", "coverage_active"]
)
def test_without_a_coverage_nothing_is_known_of_it(fact: str) -> None:
    assert Asked(pump()).reading(fact).reason is Reason.NO_DATA


def test_a_coverage_whose_payer_is_not_known_has_no_payer_id() -> None:
    assert Asked(pump(), coverage=coverage()).reading("payer_id").reason is Reason.UNMAPPED_CODE


@pytest.mark.parametrize(
    ("elements", "active"),
    [
        ({}, True),
        ({"period": {"start": "2026-02-16", "end": "2026-02-16"}}, True),
        ({"period": {"end": "2026-02-15"}}, False),
        ({"period": {"end": "2026-02"}}, True),
        ({"period": {"start": "2026-02-17"}}, False),
        ({"status": "cancelled"}, False),
        ({"status": "draft"}, False),
        ({"status": "entered-in-error"}, False),
    ],
)
def test_a_coverage_is_active_by_status_and_period(elements: Json, active: bool) -> None:
    assert Asked(pump(), coverage=coverage(**elements)).value("coverage_active") is active


def test_ended_coverages_on_file_are_stale_and_shown() -> None:
    ended = {
        "resourceType": "Coverage",
        "id": "old",
        "status": "cancelled",
        "beneficiary": {"reference": "Patient/p"},
    }
    reading = Asked(pump(), chart=[ended]).reading("coverage_active")
    assert (reading.reason, reading.evidence[0].resource) == (Reason.STALE, "Coverage/old")


def test_coverages_that_could_not_be_read_leave_it_unknown() -> None:
    assert (
        Asked(pump(), failures={"Coverage": "timeout"}).reading("coverage_active").reason
        is Reason.FETCH_FAILED
    )


def beside(*types: tuple[str, str], payor: Json | None = None, **elements: Any) -> Json:
    written = {"resourceType": "Coverage", "id": "beside", "status": "active", "type": concept(*types)}
    return written | {"payor": [payor or {"display": "A payer"}]} | elements


@pytest.mark.parametrize(
    ("other", "value"),
    [
        (beside((SOPT, "121")), True),
        (beside((SOPT, "1")), True),
        (beside(payor={"display": "Medicare"}), True),
        (beside(payor={"reference": "Organization/cms"}), True),
        (beside(payor={"reference": "Organization/agency"}), True),
        (beside((SOPT, "512")), False),
        (beside(payor={"display": "Medicare Supplement Insurers"}), False),
        (beside((SOPT, "121"), status="cancelled"), None),
        (beside((SOPT, "121"), period={"start": "2020-01-01", "end": "2025-12-31"}), None),
    ],
)
def test_medicare_beside_the_coverage_of_the_order_is_told(other: Json, value: bool | None) -> None:
    cms = {
        "resourceType": "Organization",
        "id": "cms",
        "name": "Centers for Medicare and Medicaid Services",
    }
    agency = {"resourceType": "Organization", "id": "agency", "name": "CMS", "alias": [cms["name"]]}
    reading = Asked(pump(), chart=[other, cms, agency], coverage=coverage((SOPT, "512"))).reading(
        "other_medicare_coverage"
    )
    assert reading.value is value
    assert [entry.resource for entry in reading.evidence] == (["Coverage/beside"] if value else [])


def test_whether_a_coverage_of_two_minds_is_medicare_is_open() -> None:
    other = beside((SOPT, "2"), payor={"display": "Centers for Medicare and Medicaid Services"})
    assert Asked(pump(), chart=[other]).reading("other_medicare_coverage").reason is Reason.CONFLICTING
    failed = Asked(pump(), failures={"Coverage": "timeout"}).reading("other_medicare_coverage")
    assert failed.reason is Reason.FETCH_FAILED
