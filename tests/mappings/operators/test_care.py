"""Education, visits, allergies and pregnancy."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.dates import span
from mappings.evidence import Bounds, Reason
from tests.builders import (
    CPT,
    HCPCS,
    ICD,
    LOINC,
    RXNORM,
    SNOMED,
    ago,
    allergy,
    concept,
    condition,
    days_ago,
    encounter,
    insulin_pump_order,
    observation,
    procedure,
    reading,
    resource,
    told,
)

EDUCATION, VISIT = "diabetes_education_completed", "last_treating_physician_visit_date"
ALLERGIES, PREGNANT, WEEKS = "basal_insulin_hypersensitivity_all", "pregnant", "gestational_age_weeks"
FACT = "urn:coverage-hooks:fact"
FINISHED = {"text": "program completed"}


# Education


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", True),
        ("in-progress", False),
        ("preparation", False),
        ("not-done", False),
        ("stopped", False),
        ("on-hold", False),
        ("unknown", Reason.NO_DATA),
        ("entered-in-error", Reason.NO_DATA),
    ],
)
def test_only_a_completed_program_is_completed(status: str, expected: Any) -> None:
    assert told(EDUCATION, procedure("G0109", "2025-01-12", status=status, outcome=FINISHED)) == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (days_ago(1), True),
        (days_ago(0), True),
        (days_ago(-1), False),
        ("2026-02", Reason.IMPRECISE),
        ("2025", True),
        ("", True),
    ],
)
def test_it_was_completed_before_the_order(on: str, expected: Any) -> None:
    assert told(EDUCATION, procedure("G0108", on, outcome=FINISHED)) == expected


def test_the_end_of_a_period_is_the_day_of_completion() -> None:
    period = {"start": "2026-01-10", "end": days_ago(-1)}
    assert told(EDUCATION, procedure("G0109", "", performedPeriod=period)) is False


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (concept((SNOMED, "300501000000108")), True),
        ({"text": "program completed, certificate on file"}, True),
        ({"text": "6 of 6 sessions attended"}, True),
        ({"text": "5 of 6 sessions attended"}, False),
        ({"text": "attended session 1, to return"}, False),
        ({"text": "not completed"}, False),
        ({"text": "incomplete"}, False),
        ({"text": "partially attended"}, False),
    ],
)
def test_an_outcome_may_say_that_it_was_not_completed(outcome: Any, expected: bool) -> None:
    assert told(EDUCATION, procedure("G0109", "2025-01-12", outcome=outcome)) is expected


@pytest.mark.parametrize("code", ["G0108", "G0109", "S9140", "S9141", "S9455", "S9460"])
def test_one_session_is_no_program(code: str) -> None:
    found = reading(EDUCATION, procedure(code, "2025-01-12"))
    assert (found.reason, len(found.evidence)) == (Reason.IMPRECISE, 1)


@pytest.mark.parametrize(
    "outcome",
    [{"text": "completed"}, {"text": "session completed"}, {"text": "program to be completed in May"}],
)
def test_an_outcome_of_a_session_says_nothing_of_the_program(outcome: Any) -> None:
    assert told(EDUCATION, procedure("G0109", "2025-01-12", outcome=outcome)) is Reason.IMPRECISE


@pytest.mark.parametrize("code", ["698610002", "300501000000108"])
def test_a_code_of_the_program_needs_no_outcome(code: str) -> None:
    assert told(EDUCATION, procedure(code, "2025-01-12", SNOMED)) is True
    also = procedure("G0109", "2025-01-12") | {"code": concept((HCPCS, "G0109"), (SNOMED, code))}
    assert told(EDUCATION, also) is True


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("2025-01-12", "2025-01-12"), Reason.IMPRECISE),
        (("2025-01-12", "2025-01-13"), True),
        (("2025-01-12", "2025"), Reason.IMPRECISE),
        ((days_ago(1), days_ago(0)), True),
        ((days_ago(1), days_ago(-1)), Reason.IMPRECISE),
    ],
)
def test_sessions_of_two_days_are_a_program(days: tuple[str, ...], expected: Any) -> None:
    assert told(EDUCATION, [procedure("G0109", day) for day in days]) is expected
    if expected is True:
        course = procedure("G0109", "", performedPeriod={"start": days[0], "end": days[1]})
        assert told(EDUCATION, course) is True


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("Session 1 of 4", False),
        ("Session 4 of 4", True),
        ("has not completed the program", False),
        ("patient 1 of 4, partially sighted", Reason.IMPRECISE),
        ("completed the whole program", True),
    ],
)
def test_a_note_may_tell_which_session_it_was(note: str, expected: Any) -> None:
    assert told(EDUCATION, procedure("G0109", "2025-01-12", note=[{"text": note}])) is expected


def test_a_completed_program_outweighs_one_in_progress() -> None:
    finished = procedure("G0109", "2025-01-12", outcome=FINISHED)
    chart = [finished, procedure("G0109", "2026-02-02", status="in-progress")]
    assert told(EDUCATION, chart) is True


@pytest.mark.parametrize(("code", "system"), [("97802", CPT), ("846662007", SNOMED), ("416672007", SNOMED)])
def test_nutrition_therapy_pump_training_and_an_offer_only_point_at_a_program(code: str, system: str) -> None:
    found = reading(EDUCATION, procedure(code, "2025-01-12", system))
    assert (found.reason, len(found.evidence)) == (Reason.NO_DATA, 1)
    assert told(EDUCATION) is Reason.NO_DATA


def test_a_certificate_under_the_name_of_the_fact_shows_it() -> None:
    certificate = {"status": "current", "date": "2025-01-12", "type": concept((FACT, EDUCATION))}
    assert told(EDUCATION, resource("DocumentReference", certificate)) is True
    assert (
        told(EDUCATION, resource("DocumentReference", certificate | {"status": "superseded"}))
        is Reason.NO_DATA
    )
    assert (
        told(EDUCATION, resource("DocumentReference", certificate | {"date": days_ago(-1)})) is Reason.NO_DATA
    )


# Visits

ORDERER = [
    {"resourceType": "PractitionerRole", "id": "role", "practitioner": {"reference": "Practitioner/dr"}},
    {"resourceType": "Practitioner", "id": "dr", "identifier": [{"system": "npi", "value": "1"}]},
    {"resourceType": "Practitioner", "id": "same", "identifier": [{"system": "npi", "value": "1"}]},
    {"resourceType": "Practitioner", "id": "nurse", "identifier": [{"system": "npi", "value": "2"}]},
]


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("finished", True),
        ("in-progress", True),
        ("onleave", True),
        ("planned", False),
        ("arrived", False),
        ("triaged", False),
        ("cancelled", False),
        ("noshow", False),
        ("entered-in-error", False),
        ("unknown", False),
    ],
)
def test_only_a_visit_that_took_place_counts(status: str, counts: bool) -> None:
    expected = span("2026-01-27") if counts else Reason.NO_DATA
    assert (
        told(VISIT, ORDERER, encounter("2026-01-27T09:00:00-05:00", "Practitioner/dr", status=status))
        == expected
    )


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (ago("P6M", -1), ago("P6M", -1)),
        (ago("P6M"), ago("P6M")),
        (days_ago(0), days_ago(0)),
        (days_ago(-1), "2025-01-02"),
    ],
)
def test_the_last_visit_up_to_the_day_of_the_order_counts(day: str, expected: str) -> None:
    chart = [encounter("2025-01-02", "Practitioner/dr"), encounter(day, "Practitioner/dr")]
    assert told(VISIT, ORDERER, chart) == span(expected)


@pytest.mark.parametrize(
    ("participant", "counts"),
    [
        ("Practitioner/dr", True),
        ("PractitionerRole/role", True),
        ("https://ehr.example/fhir/Practitioner/dr", True),
        ("Practitioner/same", True),
        ("Practitioner/nurse", False),
        ("Practitioner/unheard-of", False),
    ],
)
def test_the_treating_practitioner_is_the_one_who_orders(participant: str, counts: bool) -> None:
    found = reading(VISIT, ORDERER, encounter("2026-01-27", participant))
    assert found.known is counts
    assert len(found.evidence) == 1


def test_a_visit_with_somebody_else_is_shown_and_leaves_it_open() -> None:
    found = reading(
        VISIT, ORDERER, encounter("2026-01-27", "Practitioner/nurse", id="v"), encounter("2026-01-28")
    )
    assert found.reason is Reason.NO_DATA
    assert found.note == "the visits on file do not name the ordering practitioner"
    assert [e.says for e in found.evidence] == ["visit with Practitioner/nurse", "visit, nobody named"]


def test_an_order_without_an_orderer_cannot_have_a_treating_visit() -> None:
    order = insulin_pump_order()
    order = ({key: value for key, value in order[0].items() if key != "requester"}, order[1])
    found = reading(VISIT, ORDERER, encounter("2026-01-27", "Practitioner/dr"), order=order)
    assert (found.known, found.note) == (False, "the order does not tell who orders")


def test_a_role_that_is_not_on_file_is_the_same_by_its_reference() -> None:
    assert told(VISIT, encounter("2026-01-27", "PractitionerRole/role")) == span("2026-01-27")


def test_a_visit_without_a_date_is_none() -> None:
    assert told(VISIT, ORDERER, encounter("", "Practitioner/dr")) is Reason.NO_DATA


# Allergies


def to(*codes: str, **more: Any) -> list[Any]:
    return [allergy((RXNORM, code), **more) for code in codes]


GLARGINE, DETEMIR, DEGLUDEC, ISOPHANE = "274783", "139825", "1670007", "1605101"
EVERY = (GLARGINE, DETEMIR, DEGLUDEC, ISOPHANE)


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (to(*EVERY), True),
        (to(*EVERY[:3]), False),
        (to(GLARGINE), False),
        (to("5856"), Reason.IMPRECISE),
        (to("7980"), False),
        ([allergy((SNOMED, "716186003"))], False),
        ([allergy((SNOMED, "409137002"))], False),
        ([], Reason.NO_DATA),
        ([*to(*EVERY[:3]), *to(ISOPHANE, verificationStatus={"coding": [{"code": "refuted"}]})], False),
        ([*to(*EVERY[:3]), *to(ISOPHANE, clinicalStatus={"coding": [{"code": "resolved"}]})], False),
        ([*to(*EVERY[:3]), *to(ISOPHANE, type="intolerance")], False),
        ([*to(*EVERY[:3]), *to(ISOPHANE, recordedDate=days_ago(-1))], False),
        ([*to(*EVERY[:3]), *to(ISOPHANE, recordedDate=days_ago(0))], True),
        (
            [*to(*EVERY[:3]), *to(ISOPHANE, verificationStatus={"coding": [{"code": "unconfirmed"}]})],
            Reason.IMPRECISE,
        ),
        (to(*EVERY, verificationStatus={"coding": [{"code": "entered-in-error"}]}), Reason.NO_DATA),
    ],
)
def test_hypersensitivity_reaches_every_basal_insulin(chart: Any, expected: Any) -> None:
    assert told(ALLERGIES, chart) == expected


def test_other_allergies_are_a_no_that_yields_and_an_explicit_none_is_one_that_stands() -> None:
    assert reading(ALLERGIES, to("7980")).inferred
    assert not reading(ALLERGIES, allergy((SNOMED, "716186003"))).inferred
    assert reading(ALLERGIES, to(GLARGINE)).note.startswith("no allergy on file to insulin detemir")


# Pregnancy


def status(code: str, on: str, **more: Any) -> Any:
    return observation("82810-3", None, "", on, valueCodeableConcept=concept((SNOMED, code)), **more)


YES, NO, UNSURE = "77386006", "60001007", "146799005"


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([condition("O24.410", onsetDateTime="2025-12-01")], True),
        ([condition("77386006", SNOMED, onsetDateTime="2025-12-01")], True),
        ([condition("O24.410", onsetDateTime="2025-12-01", status="resolved")], Reason.NO_DATA),
        ([condition("O24.410", onsetDateTime="2025-12-01", verified="refuted")], Reason.NO_DATA),
        ([condition("O24.410", onsetDateTime="2025-12-01", verified="provisional")], Reason.NO_DATA),
        ([condition("O24.410", onsetDateTime=days_ago(-1))], Reason.NO_DATA),
        ([status(YES, "2026-01-10")], True),
        ([status(NO, "2026-01-10")], False),
        ([status(UNSURE, "2026-01-10")], Reason.NO_DATA),
        ([status(YES, "2026-01-10", status="preliminary")], Reason.NO_DATA),
        ([status(NO, "2025-12-01"), status(YES, "2026-01-10")], True),
        ([status(YES, "2025-12-01"), status(NO, "2026-01-10")], False),
        ([status(YES, "2026-01-10"), status(NO, "2026-01-10")], Reason.CONFLICTING),
        ([status(YES, days_ago(-1))], Reason.NO_DATA),
        (
            [
                condition("O24.410", onsetDateTime="2025-05-01"),
                condition("Z39.2", onsetDateTime="2026-01-20"),
            ],
            False,
        ),
        ([condition("O24.43", onsetDateTime="2026-01-20")], False),
        (
            [condition("Z39.2", onsetDateTime="2025-01-20"), condition("Z34.01", onsetDateTime="2026-01-20")],
            True,
        ),
        ([], Reason.NO_DATA),
    ],
)
def test_the_latest_sign_of_a_pregnancy_counts(chart: Any, expected: Any) -> None:
    assert told(PREGNANT, chart) == expected


@pytest.mark.parametrize(("weeks", "expected"), [("P44W", True), ("P45W", Reason.STALE)])
def test_a_pregnancy_that_must_be_over_is_stale(weeks: str, expected: Any) -> None:
    assert told(PREGNANT, condition("O09.91", onsetDateTime=ago(weeks))) == expected


@pytest.mark.parametrize(("later", "expected"), [(0, False), (-1, Reason.STALE)])
def test_a_no_is_good_for_three_months(later: int, expected: Any) -> None:
    assert told(PREGNANT, status(NO, ago("P3M", later))) == expected


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([observation("11778-8", None, "", "2026-01-10", valueDateTime=days_ago(-70))], 30.0),
        ([observation("18185-9", 20, "wk", days_ago(14))], 22.0),
        ([observation("18185-9", 140, "d", days_ago(14))], 22.0),
        ([condition("Z3A.20", onsetDateTime=days_ago(7))], Bounds(21.0, 22.0)),
        ([observation("18185-9", 40, "wk", ago("P6M"))], Reason.STALE),
        ([observation("18185-9", 20, "wk", days_ago(14), status="cancelled")], Reason.NO_DATA),
        ([condition("Z3A.20", ICD, onsetDateTime=days_ago(7), verified="refuted")], Reason.NO_DATA),
        ([], Reason.NO_DATA),
    ],
)
def test_weeks_of_gestation_are_counted_to_the_day_of_the_order(chart: Any, expected: Any) -> None:
    assert told(WEEKS, chart) == expected


def test_the_latest_estimate_counts() -> None:
    chart = [
        observation("18185-9", 20, "wk", days_ago(14)),
        observation("11778-8", None, "", days_ago(7), system=LOINC, valueDateTime=days_ago(-70)),
    ]
    assert told(WEEKS, chart) == 30.0
