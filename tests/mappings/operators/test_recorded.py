"""Results that the record holds under the name of a fact, and opposite facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mappings.catalogue import Catalogue
from mappings.dates import span
from mappings.evidence import Basis, Bounds, Reason
from mappings.yaml_file import DataError
from tests.builders import (
    GIVEN,
    GLARGINE,
    LISPRO,
    a1c,
    ago,
    asked,
    concept,
    condition,
    days_ago,
    log,
    observation,
    reading,
    resource,
    statement,
    taken,
    told,
)

FACT, ANSWER = "urn:coverage-hooks:fact", "urn:coverage-hooks:answer"
AVERAGE = "glucose_tests_per_day_avg_60d"


def result(name: str, on: str = "2026-02-01", **value: Any) -> Any:
    """An Observation coded with a fact's name."""
    return observation(name, None, "", on, FACT, **value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("dawn_phenomenon", {"valueBoolean": True}, True),
        ("dawn_phenomenon", {"valueBoolean": False}, False),
        ("dawn_phenomenon", {"valueCodeableConcept": concept((ANSWER, "yes"))}, True),
        (
            "dawn_phenomenon",
            {"valueCodeableConcept": concept(("http://snomed.info/sct", "373067005"))},
            False,
        ),
        ("dawn_phenomenon", {"valueString": "perhaps"}, Reason.UNIT_MISMATCH),
        (AVERAGE, {"valueQuantity": {"value": 4.1, "unit": "/d", "code": "/d"}}, 4.1),
        (AVERAGE, {"valueQuantity": {"value": 4.1, "unit": "mg/dL", "code": "mg/dL"}}, Reason.UNIT_MISMATCH),
        ("hypoglycemia_episodes_3mo", {"valueInteger": 3}, 3),
        ("mdi_start_date", {"valueDateTime": "2024-03-01"}, span("2024-03-01")),
        ("hba1c_pct_series", {"valueString": "7.5 in May"}, ("7.5 in May",)),
    ],
)
def test_a_result_under_the_name_of_a_fact_is_the_fact(name: str, value: Any, expected: Any) -> None:
    assert told(name, result(name, **value)) == expected


@pytest.mark.parametrize("status", ["preliminary", "registered", "cancelled", "entered-in-error"])
def test_an_unfinished_result_is_none(status: str) -> None:
    assert (
        told("dawn_phenomenon", result("dawn_phenomenon", status=status, valueBoolean=True)) is Reason.NO_DATA
    )


@pytest.mark.parametrize(
    ("on", "expected"), [(days_ago(1), True), (days_ago(0), True), (days_ago(-1), Reason.NO_DATA)]
)
def test_a_result_dated_after_the_order_does_not_count(on: str, expected: Any) -> None:
    assert told("dawn_phenomenon", result("dawn_phenomenon", on, valueBoolean=True)) == expected


def test_the_latest_result_counts_and_two_of_one_day_conflict() -> None:
    older, newer = (
        result("dawn_phenomenon", day, valueBoolean=day > "2026-01-15")
        for day in ("2026-01-01", "2026-02-01")
    )
    assert told("dawn_phenomenon", older, newer) is True
    other = result("dawn_phenomenon", "2026-02-01", valueBoolean=False)
    assert told("dawn_phenomenon", newer, other) is Reason.CONFLICTING


def test_it_is_evidence_of_the_record_and_no_attestation() -> None:
    found = reading("dawn_phenomenon", result("dawn_phenomenon", id="x", valueBoolean=True))
    assert (found.basis, [e.resource for e in found.evidence]) == (Basis.RECORD, ["Observation/x"])


def test_it_fills_in_where_the_data_do_not_tell() -> None:
    stated = result("hba1c_above_7_6mo", valueBoolean=True)
    assert told("hba1c_above_7_6mo", a1c(8.0, "2026-01-20"), stated) is True


def test_it_beats_what_only_follows_from_silence() -> None:
    chart = [condition("E10.65"), taken(GLARGINE, 1), taken(LISPRO, 3)]
    assert told("insulin_pump_in_use", chart) is False
    chart.append(result("insulin_pump_in_use", valueBoolean=True))
    assert told("insulin_pump_in_use", chart) is True


def test_data_that_say_otherwise_make_it_conflicting() -> None:
    chart = [a1c(6.0, ago("P6M")), a1c(6.0, "2026-01-20"), result("hba1c_above_7_6mo", valueBoolean=True)]
    assert told("hba1c_above_7_6mo", chart) is Reason.CONFLICTING


def test_a_number_lies_between_what_is_recorded_and_what_the_data_give() -> None:
    tests = list(log(4, "2025-12-16", "2026-02-15"))
    recorded = result(AVERAGE, valueQuantity={"value": 3.9, "unit": "/d", "code": "/d"})
    found = reading(AVERAGE, tests, recorded)
    assert found.value == Bounds(3.9, 4.0)
    assert found.note.startswith("the record states 3.9; its data give: 248 self-tests")
    same = result(AVERAGE, valueQuantity={"value": 4, "unit": "/d", "code": "/d"})
    assert told(AVERAGE, tests, same) == 4.0


def test_a_certificate_says_yes_and_only_to_a_question() -> None:
    certificate = resource(
        "DocumentReference",
        {"status": "current", "date": "2026-01-01", "type": concept((FACT, "dawn_phenomenon"))},
    )
    assert told("dawn_phenomenon", certificate) is True
    assert told(AVERAGE, {**certificate, "type": concept((FACT, AVERAGE))}) is Reason.NO_DATA


def test_a_preliminary_certificate_says_nothing() -> None:
    certificate = resource(
        "DocumentReference",
        {
            "status": "current",
            "docStatus": "preliminary",
            "date": "2026-01-01",
            "type": concept((FACT, "dawn_phenomenon")),
        },
    )
    assert told("dawn_phenomenon", certificate) is Reason.NO_DATA


# Opposites


@pytest.mark.parametrize("value", [True, False])
def test_a_statement_answers_the_opposite_fact_the_other_way(value: bool) -> None:
    book = asked(statement(pump_functioning={"valueBoolean": value})).book
    assert book.value("pump_functioning") is value
    assert book.value("pump_malfunctioning") is not value


def test_a_statement_of_its_own_goes_before_that_of_the_opposite() -> None:
    said = statement(pump_functioning={"valueBoolean": True}, pump_malfunctioning={"valueBoolean": True})
    assert asked(said).book.value("pump_malfunctioning") is True


def test_the_opposite_of_an_attestation_is_an_attestation() -> None:
    stated = asked(statement(pump_functioning={"valueBoolean": True})).book.fact("pump_malfunctioning").stated
    assert stated is not None
    assert stated.basis is Basis.ATTESTED


def test_only_a_question_has_an_opposite(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text("few: {type: integer, label: few, opposite: many}\n")
    with pytest.raises(DataError, match=r"facts.yaml:1: few.opposite: only a boolean has an opposite"):
        Catalogue.load(tmp_path)


def test_every_fact_that_needs_arguments_is_among_those_that_the_tests_give(catalogue: Catalogue) -> None:
    mine = {name for name, fact in catalogue.facts.items() if fact.given and name in GIVEN}
    assert mine == GIVEN.keys()
    assert all(catalogue.facts[name].given == set(GIVEN[name]) for name in mine)


WITHIN_TWO_MONTHS = [
    (ago("P2M", -1), Reason.STALE),
    (ago("P2M"), True),
    (ago("P2M", 1), True),
    (days_ago(0), True),
    (ago("P2M")[:7], Reason.STALE),
]
"""Days on which a period of two months is spoken about, and what counts of it."""


@pytest.mark.parametrize(("on", "expected"), WITHIN_TWO_MONTHS)
def test_a_statement_about_a_period_is_made_within_it(on: str, expected: Any) -> None:
    book = asked(statement(on, cgm_in_use_60d={"valueBoolean": True})).book
    stated = book.fact("cgm_in_use_60d", {"duration": "P2M"}).stated
    assert stated is not None
    assert (stated.value if stated.known else stated.reason) == expected
    assert len(stated.evidence) == 1


@pytest.mark.parametrize(("on", "expected"), WITHIN_TWO_MONTHS)
def test_a_result_about_a_period_is_of_that_period(on: str, expected: Any) -> None:
    assert told("cgm_in_use_60d", result("cgm_in_use_60d", on, valueBoolean=True)) == expected


@pytest.mark.parametrize(("on", "expected"), [(ago("P2M", -1), Reason.STALE), (ago("P2M"), True)])
def test_a_certificate_about_a_period_is_of_that_period(on: str, expected: Any) -> None:
    document = {"status": "current", "date": on, "type": concept((FACT, "cgm_in_use_60d"))}
    assert told("cgm_in_use_60d", resource("DocumentReference", document)) == expected


def test_a_result_before_the_period_shows_itself_and_yields_to_the_data() -> None:
    old = result(AVERAGE, "2025-10-01", id="old", valueQuantity={"value": 9, "unit": "/d", "code": "/d"})
    stale = reading(AVERAGE, old)
    assert "from 2025-12-16 on" in stale.note
    assert [(e.resource, e.value) for e in stale.evidence] == [("Observation/old", 9)]
    assert told(AVERAGE, old, list(log(4, "2025-12-16", "2026-02-15"))) == 4.0


def test_a_result_about_no_period_may_be_old() -> None:
    assert told("diabetes_team", result("diabetes_team", "2023-05-02", valueBoolean=True)) is True


def test_a_statement_about_no_period_may_be_old() -> None:
    stated = (
        asked(statement("2023-05-02", diabetes_team={"valueBoolean": True})).book.fact("diabetes_team").stated
    )
    assert stated is not None
    assert stated.value is True
