"""Clinical documents, paperwork, and the record behind what is stated."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.dates import span
from mappings.evidence import Reason
from tests.mappings.orders import ANSWER, DAY, Asked, Json, pump

PERSON = {"reference": "Patient/p"}


def note(day: str, name: str = "note", behind: str = "", **elements: Any) -> Json:
    """A clinical note, perhaps standing behind a response."""
    document: Json = {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}], "text": "Progress note"},
        "subject": PERSON,
        "date": day,
        "description": name,
    }
    if behind:
        document["context"] = {"related": [{"reference": f"QuestionnaireResponse/{behind}"}]}
    return document | elements


def response(name: str, day: str = "2026-02-10", **answers: Any) -> Json:
    """A completed response that states facts; a text is the code of a closed answer."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": name,
        "status": "completed",
        "subject": PERSON,
        "authored": day,
        "item": [
            {
                "linkId": fact,
                "answer": [
                    {"valueBoolean": value}
                    if isinstance(value, bool)
                    else {"valueCoding": {"system": ANSWER, "code": value}}
                ],
            }
            for fact, value in answers.items()
        ],
    }


def asked(*chart: Json) -> Asked:
    return Asked(pump(), chart=chart)


def test_the_latest_clinical_note_counts() -> None:
    found = asked(note("2025-06-01T09:00:00-05:00", "old"), note("2026-01-05", "new")).reading(
        "clinical_doc_date"
    )
    assert found.value == span("2026-01-05")
    assert [shown.resource for shown in found.evidence] == ["DocumentReference/new"]


@pytest.mark.parametrize(
    ("day", "counts"), [("2026-02-15", True), ("2026-02-16", True), ("2026-02-17", False)]
)
def test_a_note_dated_after_the_order_does_not_count(day: str, counts: bool) -> None:
    found = asked(note(day)).reading("clinical_doc_date")
    assert found.known is counts


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "superseded"},
        {"status": "entered-in-error"},
        {"docStatus": "preliminary"},
        {"docStatus": "entered-in-error"},
        {"date": ""},
        {"subject": {"reference": "Patient/somebody-else"}},
    ],
)
def test_a_document_that_is_no_finished_one_of_the_patient_does_not_count(elements: Json) -> None:
    found = asked(note("2026-01-05") | elements).reading("clinical_doc_date")
    assert found.reason is Reason.NO_DATA


def test_a_document_known_by_its_month_keeps_the_month() -> None:
    assert asked(note("2026-01")).value("clinical_doc_date") == span("2026-01")


LOINC = "http://loinc.org"


def kind(code: str = "", text: str = "") -> Json:
    return {"coding": [{"system": LOINC, "code": code}] if code else [], "text": text}


@pytest.mark.parametrize(
    "elements",
    [
        {"type": kind("64290-0")},
        {"type": kind("59284-0")},
        {"type": kind("57016-8")},
        {"type": kind("42348-3")},
        {"type": kind("51851-4")},
        {"type": kind(text="Health insurance card")},
        {"type": kind(text="Dental X-ray report")},
        {"type": kind(text="Document"), "category": [kind(text="Administrative")]},
        {"type": None, "category": [kind("59284-0")]},
        {"author": [{"display": "Acme Durable Medical Equipment"}]},
    ],
)
def test_a_paper_of_another_kind_is_no_clinical_document(elements: Json) -> None:
    chart = (note("2025-01-10", "visit"), note("2026-02-10", "paper", **elements))
    assert asked(*chart).value("clinical_doc_date") == span("2025-01-10")
    assert asked(chart[1]).reading("evidence_in_medical_record").reason is Reason.NO_DATA


@pytest.mark.parametrize(
    "elements",
    [
        {"type": None},
        {"type": kind()},
        {"type": kind("11506-3"), "category": [kind(text="Administrative")]},
        {"type": kind(text="Dental clinic visit note")},
        {"type": kind(text="Letter of medical necessity")},
        {"author": [{"display": "Ann Smith MD"}]},
    ],
)
def test_any_other_document_counts_whatever_its_type(elements: Json) -> None:
    assert asked(note("2026-02-10", **elements)).value("clinical_doc_date") == span("2026-02-10")


@pytest.mark.parametrize(
    ("day", "period", "expected"),
    [
        ("2026-02-10", {"start": "2023-02-10", "end": "2023-02-12"}, "2023-02-12"),
        ("2026-02-10", {"start": "2023-02-10"}, "2026-02-10"),
        ("2026-02-10", {"end": "2026-02-09"}, "2026-02-09"),
        ("2026-02-10", {"end": "2026-02-10"}, "2026-02-10"),
        ("2026-02-10", {"end": "2026-02-11"}, "2026-02-10"),
        ("", {"end": "2026-02-09"}, "2026-02-09"),
    ],
)
def test_the_date_of_a_note_is_that_of_the_care(day: str, period: Json, expected: str) -> None:
    found = asked(note(day, context={"period": period})).reading("clinical_doc_date")
    assert (found.value, found.evidence[0].date) == (span(expected), expected)


def test_care_before_the_order_that_was_written_down_after_it_does_not_count() -> None:
    late = note("2026-02-17", context={"period": {"end": "2026-02-10"}})
    assert asked(late).reading("clinical_doc_date").reason is Reason.NO_DATA


def test_paperwork_filed_as_a_note_is_no_clinical_document() -> None:
    chart = (
        note("2025-01-10", "visit"),
        note("2026-02-10", "portal", behind="r1"),
        response("r1", pa_request_complete=True),
        note("2026-02-10", "directory", behind="r2"),
        response("r2", orderer_cmap_enrolled=True, prescription_signed=True),
    )
    assert asked(*chart).value("clinical_doc_date") == span("2025-01-10")


def test_a_note_behind_a_clinical_statement_is_one_even_with_paperwork_in_it() -> None:
    chart = (
        note("2026-02-10", behind="r1"),
        response("r1", prescription_signed=True, infusion_pump_necessary_for_safety=True),
    )
    assert asked(*chart).value("clinical_doc_date") == span("2026-02-10")


def test_paperwork_alone_is_as_good_as_nothing() -> None:
    chart = (note("2026-02-10", behind="r1"), response("r1", pa_request_complete=True))
    assert asked(*chart).reading("clinical_doc_date").reason is Reason.NO_DATA
    assert asked(*chart).reading("evidence_in_medical_record").reason is Reason.NO_DATA


def test_a_clinical_document_is_a_medical_record_on_file() -> None:
    assert asked(note("2026-01-05")).value("evidence_in_medical_record") is True
    assert asked().reading("evidence_in_medical_record").reason is Reason.NO_DATA


def test_documents_that_could_not_be_fetched_are_not_missing() -> None:
    found = Asked(pump(), failures={"DocumentReference": "timeout"}).reading("clinical_doc_date")
    assert found.reason is Reason.FETCH_FAILED


def test_a_documented_trial_stands_in_the_medical_record() -> None:
    chart = (
        note("2026-02-10", behind="r1"),
        response("r1", pain_trial_relief_acceptable=True, pain_trial_adl_effects="none-adverse"),
    )
    assert asked(*chart).value("pain_trial_in_medical_record") is True


def test_a_trial_in_a_form_alone_does_not() -> None:
    chart = (
        note("2026-02-10", behind="r1"),
        response("r1", pain_trial_relief_acceptable=True),
        response("r2", pain_trial_patient_accepts=True),
    )
    found = asked(*chart).reading("pain_trial_in_medical_record")
    assert found.value is False
    assert [shown.resource for shown in found.evidence] == ["QuestionnaireResponse/r2"]


def test_a_chart_without_any_document_does_not_tell_whether_one_is_missing() -> None:
    found = asked(response("r1", pain_trial_relief_acceptable=True)).reading("pain_trial_in_medical_record")
    assert found.reason is Reason.NO_DATA


def test_a_trial_of_which_nothing_is_known_is_open() -> None:
    assert asked(note("2026-02-10")).reading("pain_trial_in_medical_record").reason is Reason.NO_DATA


def test_day_0_of_these_orders_is_the_day_that_the_tests_count_from() -> None:
    assert asked().order.day == DAY
