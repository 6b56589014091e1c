"""Who orders, and whether the orderer treats the patient."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.mappings.orders import RXNORM, SNOMED, Asked, Json, concept, drug, pump

DEGREE = "http://terminology.hl7.org/CodeSystem/v2-0360"
NUCC = "http://nucc.org/provider-taxonomy"
ROLE = "http://terminology.hl7.org/CodeSystem/practitioner-role"
BY_ROLE = {"requester": {"reference": "PractitionerRole/r"}}
BY_PERSON = {"requester": {"reference": "Practitioner/dr"}}


def person(degree: str = "", suffix: str = "", **elements: Any) -> Json:
    found: Json = {"resourceType": "Practitioner", "id": "dr"}
    if degree:
        found["qualification"] = [{"code": concept((DEGREE, degree))}]
    if suffix:
        found["name"] = [{"family": "Doe", "suffix": [suffix]}]
    return found | elements


def role(
    code: tuple[str, str] | None = None, specialty: tuple[str, str] | None = None, **elements: Any
) -> Json:
    found: Json = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": {"reference": "Practitioner/dr"},
    }
    if code:
        found["code"] = [concept(code)]
    if specialty:
        found["specialty"] = [concept(specialty)]
    return found | elements


@pytest.mark.parametrize(
    ("chart", "profession", "physician"),
    [
        ([person("MD")], "MD", True),
        ([person("DO")], "DO", True),
        ([person("NP")], "NP", False),
        ([person("CNP")], "NP", False),
        ([person("PA")], "PA", False),
        ([person("CNS")], "CNS", False),
        ([person("RN")], "RN", False),
        ([person(suffix="M.D., FACP")], "MD", True),
        ([person(suffix="DNP, FNP-BC")], "NP", False),
        ([person(suffix="PA-C")], "PA", False),
        ([person("PHD", "MD")], "MD", True),
        ([person(qualification=[{"code": {"text": "Physician Assistant"}}])], "PA", False),
        ([person(qualification=[{"code": {"text": "Doctor of Osteopathic Medicine"}}])], "DO", True),
        ([person(qualification=[{"code": concept((NUCC, "225100000X"))}])], "PT", False),
        ([person(), role((SNOMED, "224571005"))], "NP", False),
        ([person(), role((SNOMED, "449161006"))], "PA", False),
        ([person(), role(specialty=(NUCC, "363LF0000X"))], "NP", False),
        ([person(), role(specialty=(NUCC, "225X00000X"))], "OT", False),
        ([person("MD"), role((ROLE, "doctor"), (NUCC, "2084N0400X"))], "MD", True),
        ([person("DO"), role((SNOMED, "309343006"))], "DO", True),
        ([person("NP"), role((ROLE, "nurse"))], "NP", False),
        ([person()], None, None),
        ([], None, None),
    ],
)
def test_the_profession_follows_from_degree_suffix_specialty_or_role(
    chart: list[Json], profession: str | None, physician: bool | None
) -> None:
    asked = Asked(
        pump(**BY_ROLE if any(r["resourceType"] == "PractitionerRole" for r in chart) else BY_PERSON),
        chart=chart,
    )
    assert (asked.value("orderer_role"), asked.value("orderer_is_physician")) == (profession, physician)


def test_a_physician_without_a_degree_on_file_is_read_as_md_and_yields_to_a_statement() -> None:
    asked = Asked(pump(**BY_ROLE), chart=[person(), role((SNOMED, "309343006"))])
    reading = asked.reading("orderer_role")
    assert (reading.value, reading.inferred) == ("MD", True)
    assert "MD or DO" in reading.note
    assert asked.value("orderer_is_physician") is True
    assert not asked.reading("orderer_is_physician").inferred


def test_a_nurse_by_degree_and_physician_by_specialty_is_a_contradiction() -> None:
    reading = Asked(pump(**BY_ROLE), chart=[person("NP"), role(specialty=(NUCC, "207R00000X"))]).reading(
        "orderer_role"
    )
    assert reading.reason is Reason.CONFLICTING


@pytest.mark.parametrize(
    ("end", "profession"), [("2026-02-15", None), ("2026-02-16", "MD"), ("2026-02", "MD")]
)
def test_a_qualification_counts_until_its_last_day(end: str, profession: str | None) -> None:
    degree = {"code": concept((DEGREE, "MD")), "period": {"end": end}}
    assert (
        Asked(pump(**BY_PERSON), chart=[person(qualification=[degree])]).value("orderer_role") == profession
    )


def test_the_roles_of_a_person_are_found_by_the_person() -> None:
    asked = Asked(pump(**BY_PERSON), chart=[person(), role(specialty=(NUCC, "207RE0101X"))])
    assert (asked.value("orderer_role"), asked.value("orderer_specialty")) == ("MD", "207RE0101X")


def test_the_requester_may_be_contained_in_the_order() -> None:
    order = pump(contained=[person("MD")], requester={"reference": "#dr"})
    assert Asked(order).value("orderer_role") == "MD"


def test_the_orderer_of_the_drug_counts_where_the_pump_names_none() -> None:
    assert (
        Asked(pump(), drug((RXNORM, "7052"), **BY_PERSON), chart=[person("DO")]).value("orderer_role") == "DO"
    )


@pytest.mark.parametrize("requester", [{}, {"requester": {"reference": "Organization/o"}}])
def test_an_order_of_nobody_has_no_orderer(requester: Json) -> None:
    reading = Asked(pump(**requester)).reading("orderer_role")
    assert (reading.value, reading.reason) == (None, Reason.NO_DATA)


def test_an_orderer_that_could_not_be_read_is_no_silence() -> None:
    asked = Asked(pump(**BY_PERSON), failures={"Practitioner": "timeout"})
    assert asked.reading("orderer_is_physician").reason is Reason.FETCH_FAILED


@pytest.mark.parametrize(
    ("specialty", "neurologist"),
    [
        (concept((NUCC, "2084N0400X")), True),
        (concept((NUCC, "2084N0402X")), True),
        (concept((NUCC, "207T00000X")), False),
        (concept((NUCC, "2084P0800X")), False),
        (concept((NUCC, "2084P2900X")), None),
        (concept((SNOMED, "394591006")), True),
        ({"text": "Neurology"}, True),
        ({"text": "Neurosurgery"}, None),
        (concept(("http://local", "7")), None),
    ],
)
def test_a_neurologist_is_told_by_the_specialty(specialty: Json, neurologist: bool | None) -> None:
    asked = Asked(pump(**BY_ROLE), chart=[role(specialty=None) | {"specialty": [specialty]}])
    assert asked.value("neurologist_prescriber") is neurologist


def test_the_prescriber_of_the_drug_decides_about_the_neurologist() -> None:
    neurologist = role(specialty=(NUCC, "2084N0400X")) | {"id": "n"}
    internist = role(specialty=(NUCC, "207R00000X"))
    medicine = drug((RXNORM, "6375"), requester={"reference": "PractitionerRole/n"})
    asked = Asked(pump(**BY_ROLE), medicine, chart=[neurologist, internist])
    assert asked.value("neurologist_prescriber") is True


def visit(day: str, who: str = "Practitioner/dr", **elements: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "subject": {"reference": "Patient/p"},
        "participant": [{"individual": {"reference": who}}],
        "period": {"start": day},
    } | elements


@pytest.mark.parametrize(
    ("encounter", "treating"),
    [
        (visit("2025-02-15"), None),
        (visit("2025-02-16"), True),
        (visit("2025-02-17"), True),
        (visit("2026-02-16T09:00:00-05:00"), True),
        (visit("2026-02-17"), None),
        (visit("2026-01-05", "PractitionerRole/r"), True),
        (visit("2026-01-05", "https://ehr.example/fhir/Practitioner/dr"), True),
        (visit("2026-01-05", "Practitioner/else"), None),
        (visit("2026-01-05", status="planned"), None),
        (visit("2026-01-05", status="cancelled"), None),
        (visit("2026-01-05", status="entered-in-error"), None),
        (visit("2026-01-05", subject={"reference": "Patient/other"}), None),
    ],
)
def test_the_orderer_treats_who_was_seen_in_the_last_twelve_months(
    encounter: Json, treating: bool | None
) -> None:
    asked = Asked(pump(**BY_ROLE), chart=[person("MD"), role(), encounter])
    assert asked.value("orderer_is_treating") is treating


def test_the_encounter_of_the_order_shows_that_the_orderer_treats() -> None:
    order = pump(**BY_ROLE, encounter={"reference": "Encounter/e"})
    assert Asked(order, chart=[role(), visit("", period={})]).value("orderer_is_treating") is True


def test_no_visit_on_file_is_no_proof_of_the_contrary() -> None:
    reading = Asked(pump(**BY_ROLE), chart=[role()]).reading("orderer_is_treating")
    assert (reading.value, reading.reason) == (None, Reason.NO_DATA)


def test_visits_that_could_not_be_read_leave_it_unknown() -> None:
    asked = Asked(pump(**BY_ROLE), chart=[role()], failures={"Encounter": "403"})
    assert asked.reading("orderer_is_treating").reason is Reason.FETCH_FAILED
