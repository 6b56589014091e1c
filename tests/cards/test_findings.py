"""Values, units and days as a clinician reads them."""

from __future__ import annotations

from typing import Any

import pytest

from cards.findings import amount_words, found
from mappings.evidence import Evidence
from policies.determination import Node


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (37, "a", "37 years"),
        (1, "a", "1 year"),
        (6, "mo", "6 months"),
        (1.0, "wk", "1 week"),
        (3, "d", "3 days"),
        (8.5, "h", "8.5 hours"),
        (3, "h/d", "3 hours a day"),
        (0.25, "/d", "0.25 a day"),
        (28, "{vial}", "28 vials"),
        (1, "{vial}", "1 vial"),
        (28, "vial", "28 vials"),
        (28, "vials", "28 vials"),
        (2, "{course}", "2 courses"),
        (5, "mg/{dose}", "5 mg/dose"),
        (7, "{count}", "7"),
        (4, "{score}", "4 points"),
        (150, "mg/dL", "150 mg/dL"),
        (8.1, "%", "8.1 %"),
        (70, "mm[Hg]", "70 mmHg"),
        (True, "", "yes"),
    ],
)
def test_an_amount_is_told_in_plain_words(value: Any, unit: str, expected: str) -> None:
    assert amount_words(value, unit) == expected


def shown(*evidence: Evidence, notes: tuple[str, ...] = ()) -> list[str]:
    return found(Node("n", "unmet", evidence=list(evidence), notes=list(notes)))


def test_the_day_of_a_patient_is_the_birth_date() -> None:
    aged = Evidence("Patient/p", date="1988-04-09", value=37, unit="a")
    assert shown(aged) == ["37 years, born 1988-04-09 (Patient/p)"]
    assert shown(Evidence("Patient/p", date="1988", says="birth date")) == ["born 1988 (Patient/p)"]


def test_an_answer_is_set_apart_from_what_it_rests_on() -> None:
    stated = Evidence(
        "QuestionnaireResponse/q", date="2026-02-20", value=False, says="stated by the clinician"
    )
    assert shown(stated) == ["no, stated by the clinician on 2026-02-20 (QuestionnaireResponse/q)"]


def test_silence_is_told_only_where_nothing_was_found() -> None:
    note = "nothing on file says so"
    assert shown(notes=(note,)) == [note]
    assert shown(Evidence("DeviceRequest/1"), notes=(note, "two are open.")) == [
        "two are open",
        "DeviceRequest/1",
    ]
