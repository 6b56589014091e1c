"""Specialists who have seen the patient, stays in a facility, what a visit was about."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.builders import (
    ICD,
    RXNORM,
    SNOMED,
    concept,
    condition,
    days_ago,
    drug,
    encounter,
    pump,
    resource,
    taken,
    told,
)
from tests.mappings.orders import Json

NUCC = "http://nucc.org/provider-taxonomy"
NEURO, HEART = "neurologist_evaluation", "advanced_hf_cardiologist_evaluation"
FACILITY, ABOUT = "discharge_facility_type", "f2f_describes_condition"
CONDITION_ORDER = (
    pump(reasonCode=[concept((ICD, "C49.9"))], requester={"reference": "Practitioner/dr"}),
    drug((RXNORM, "3639")),
)


def specialist(name: str, code: str, text: str = "") -> list[Json]:
    person = resource("Practitioner", {"subject": None}, id=name)
    role = resource(
        "PractitionerRole",
        {
            "subject": None,
            "practitioner": {"reference": f"Practitioner/{name}"},
            "specialty": [concept(*([(NUCC, code)] if code else []), text=text)],
        },
    )
    return [person, role]


@pytest.mark.parametrize(
    ("code", "text", "neuro", "heart"),
    [
        ("2084N0400X", "", True, Reason.NO_DATA),
        ("2084N0402X", "", True, Reason.NO_DATA),
        ("207RA0001X", "", Reason.NO_DATA, True),
        ("207RC0000X", "", Reason.NO_DATA, Reason.IMPRECISE),
        ("207Q00000X", "", Reason.NO_DATA, Reason.NO_DATA),
        ("", "Neurology", True, Reason.NO_DATA),
        ("", "Advanced Heart Failure and Transplant Cardiology", Reason.NO_DATA, True),
        ("", "Cardiology", Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_a_visit_counts_by_the_specialty_of_who_took_part(
    code: str, text: str, neuro: Any, heart: Any
) -> None:
    chart = [encounter(days_ago(20), "Practitioner/x"), *specialist("x", code, text)]
    assert (told(NEURO, chart), told(HEART, chart)) == (neuro, heart)


def test_the_service_of_the_visit_may_tell_the_specialty() -> None:
    assert told(NEURO, encounter(days_ago(20), serviceType={"text": "Neurology"})) is True


@pytest.mark.parametrize(("days", "expected"), [(1, True), (0, True), (-1, Reason.NO_DATA)])
def test_the_visit_was_on_or_before_the_day_of_the_order(days: int, expected: Any) -> None:
    chart = [encounter(days_ago(days), "Practitioner/x"), *specialist("x", "2084N0400X")]
    assert told(NEURO, chart) == expected


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error", "arrived"])
def test_a_visit_that_did_not_take_place_does_not_count(status: str) -> None:
    chart = [encounter(days_ago(20), "Practitioner/x", status=status), *specialist("x", "2084N0400X")]
    assert told(NEURO, chart) is Reason.NO_DATA


def test_a_specialist_on_file_without_a_visit_proves_nothing() -> None:
    assert told(NEURO, specialist("x", "2084N0400X")) is Reason.NO_DATA


# Stays


def stay(code: str, end: str, **more: Any) -> Json:
    return encounter(end, **{"class": {"code": code}, "period": {"start": "2025-12-01", "end": end}, **more})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (stay("IMP", days_ago(9)), "inpatient"),
        (stay("ACUTE", days_ago(9)), "inpatient"),
        (stay("IMP", days_ago(9), type=[{"text": "Skilled nursing facility stay"}]), "snf"),
        (stay("AMB", days_ago(9)), Reason.NO_DATA),
        (stay("EMER", days_ago(9)), Reason.NO_DATA),
        (stay("IMP", days_ago(9), status="in-progress"), Reason.NO_DATA),
        (stay("IMP", days_ago(9), status="cancelled"), Reason.NO_DATA),
        (stay("IMP", days_ago(0)), "inpatient"),
        (stay("IMP", days_ago(-1)), Reason.NO_DATA),
    ],
)
def test_a_discharge_is_from_a_stay_that_has_ended(record: Json, expected: Any) -> None:
    assert told(FACILITY, record) == expected


@pytest.mark.parametrize(("days", "expected"), [(29, "inpatient"), (30, "inpatient"), (31, Reason.STALE)])
def test_a_discharge_is_of_the_last_30_days(days: int, expected: Any) -> None:
    assert told(FACILITY, stay("IMP", days_ago(days))) == expected


def test_the_last_stay_counts() -> None:
    nursing = stay("IMP", days_ago(3), type=[{"text": "skilled nursing"}])
    assert told(FACILITY, stay("IMP", days_ago(30)), nursing) == "snf"
    assert told(FACILITY, stay("IMP", days_ago(3)), nursing) is Reason.CONFLICTING


# What the visit was about


def visit(*codes: str, on: str = days_ago(10), **more: Any) -> list[Json]:
    reasons = {"reasonCode": [concept((ICD, code)) for code in codes]}
    return [
        encounter(on, "Practitioner/dr", **reasons | more),
        resource("Practitioner", {"subject": None}, id="dr"),
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["C49.9"], True),
        (["C49.22"], True),
        (["S93.401A"], False),
        (["S93.401A", "C49.9"], True),
        (["C34.90"], Reason.NARRATIVE_ONLY),
        (["Z09"], Reason.NARRATIVE_ONLY),
        ([], Reason.NARRATIVE_ONLY),
    ],
    ids=[
        "the same",
        "the same category",
        "an ankle sprain",
        "both",
        "another diagnosis",
        "follow-up",
        "none",
    ],
)
def test_a_visit_is_about_the_reason_of_the_order_by_its_codes(codes: list[str], expected: Any) -> None:
    chart = [condition("C49.9"), condition("C34.90"), *visit(*codes)]
    assert told(ABOUT, chart, order=CONDITION_ORDER) == expected


def test_a_reason_in_words_leaves_it_open() -> None:
    assert (
        told(ABOUT, visit(reasonCode=[{"text": "sarcoma"}]), order=CONDITION_ORDER) is Reason.NARRATIVE_ONLY
    )


def test_without_a_visit_nothing_is_told() -> None:
    assert told(ABOUT, condition("C49.9"), order=CONDITION_ORDER) is Reason.NO_DATA


# Drugs that were tried


@pytest.mark.parametrize(
    ("names", "comt", "levodopa"),
    [
        (["entacapone"], True, Reason.NO_DATA),
        (["carbidopa levodopa"], Reason.NO_DATA, True),
        (["ropinirole"], False, Reason.NO_DATA),
        (["ropinirole", "entacapone"], True, Reason.NO_DATA),
        (["carbidopa levodopa", "ropinirole"], False, True),
        (["lisinopril"], Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_a_class_of_drugs_was_tried_or_another_one_instead(
    names: list[str], comt: Any, levodopa: Any
) -> None:
    chart = [taken("", 3, medicationCodeableConcept={"text": name}) for name in names]
    assert (told("comt_inhibitor_tried", chart), told("levodopa_carbidopa_tried", chart)) == (comt, levodopa)


@pytest.mark.parametrize(("days", "expected"), [(1, True), (0, True), (-1, Reason.NO_DATA)])
def test_a_drug_that_begins_after_the_order_was_not_tried(days: int, expected: Any) -> None:
    drug_use = taken("", 3, since=days_ago(days), medicationCodeableConcept={"text": "entacapone"})
    assert told("comt_inhibitor_tried", drug_use) == expected


@pytest.mark.parametrize("status", ["not-taken", "intended", "entered-in-error"])
def test_a_drug_that_was_never_taken_was_not_tried(status: str) -> None:
    drug_use = taken("", 3, status=status, medicationCodeableConcept={"text": "entacapone"})
    assert told("comt_inhibitor_tried", drug_use) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("immune globulin subcutaneous (human)", "617615", True),
        ("Gammagard Liquid", "", True),
        ("Privigen", "", False),
        ("immune globulin", "5666", Reason.NO_DATA),
    ],
)
def test_the_class_of_the_product_tells_its_labelled_route(text: str, code: str, expected: Any) -> None:
    order = (pump(), drug(*([(RXNORM, code)] if code else []), text=text))
    assert told("drug_product_labelled_subcutaneous", order=order) == expected


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("N18.4", ICD, True),
        ("N18.6", ICD, True),
        ("433146000", SNOMED, True),
        ("N18.32", ICD, Reason.IMPRECISE),
        ("N17.9", ICD, Reason.IMPRECISE),
        ("E11.9", ICD, Reason.NO_DATA),
    ],
)
def test_only_a_coded_stage_4_or_5_is_significant(code: str, system: str, expected: Any) -> None:
    assert told("renal_function_significantly_impaired", condition(code, system)) == expected
