"""Glucose monitors and insulin pumps in use."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.builders import (
    CGM,
    GLARGINE,
    HCPCS,
    INSULIN_PUMP,
    LISPRO,
    SNOMED,
    ago,
    asked,
    concept,
    condition,
    days_ago,
    device,
    dosage,
    insulin_pump_order,
    observation,
    prescribed,
    procedure,
    reading,
    resource,
    sensor,
    statement,
    taken,
    told,
    use_of,
)
from tests.mappings.orders import pump as pump_order

NOW, TWO_MONTHS = "cgm_in_use", "cgm_in_use_60d"
PUMP = "insulin_pump_in_use"
FIRST = ago("P2M")


def cgm(start: str = "", end: str = "", status: str = "active", **more: Any) -> list[Any]:
    worn = device(CGM)
    return [worn, use_of(worn, start, end, status, **more)]


# Continuous glucose monitors


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (ago("P2M", -1), True),
        (FIRST, True),
        (ago("P2M", 1), False),
        (days_ago(59), False),
        (days_ago(40), False),
    ],
)
def test_two_months_of_use_begin_two_calendar_months_before_the_order(start: str, expected: bool) -> None:
    assert told(TWO_MONTHS, cgm(start)) is expected
    assert told(NOW, cgm(start)) is True


@pytest.mark.parametrize(
    ("end", "expected"),
    [(days_ago(10), False), (days_ago(1), False), (days_ago(0), True), (days_ago(-1), True)],
)
@pytest.mark.parametrize("fact", [NOW, TWO_MONTHS])
def test_the_use_lasts_to_the_day_of_the_order(end: str, expected: bool, fact: str) -> None:
    assert told(fact, cgm("2024-01-01", end)) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", True),
        ("completed", False),
        ("stopped", False),
        ("on-hold", False),
        ("intended", Reason.NO_DATA),
        ("entered-in-error", Reason.NO_DATA),
        ("", Reason.IMPRECISE),
    ],
)
def test_the_status_of_the_statement_tells_whether_it_is_in_use(status: str, expected: Any) -> None:
    worn = device(CGM, status="inactive")
    assert told(NOW, worn, use_of(worn, "2024-01-01", status=status)) == expected


def test_an_intended_use_leaves_only_the_device_which_points_at_one() -> None:
    found = reading(NOW, cgm("2024-01-01", status="intended"))
    assert (found.reason, len(found.evidence)) == (Reason.NO_DATA, 1)


def test_one_that_ended_on_the_day_of_the_order_is_no_longer_in_use() -> None:
    assert told(NOW, cgm("2024-01-01", days_ago(0), "completed")) is False
    assert told(NOW, cgm("2024-01-01", days_ago(-1), "completed")) is True


@pytest.mark.parametrize(
    ("start", "now", "two_months"),
    [
        ("2025", True, Reason.IMPRECISE),
        ("2025-12", True, Reason.IMPRECISE),
        ("2025-11", True, True),
        ("2026-01", True, False),
        ("2026-02", Reason.IMPRECISE, False),
        ("", True, Reason.IMPRECISE),
    ],
)
def test_a_start_that_is_not_exact_is_decided_only_where_it_can_be(
    start: str, now: Any, two_months: Any
) -> None:
    assert told(NOW, cgm(start)) == now
    assert told(TWO_MONTHS, cgm(start)) == two_months


def test_a_point_in_time_shows_use_from_then_on() -> None:
    chart = cgm(timingDateTime=days_ago(40))
    assert told(NOW, chart) is True
    assert told(TWO_MONTHS, chart) is Reason.IMPRECISE
    assert told(TWO_MONTHS, cgm(timingDateTime=FIRST)) is True


@pytest.mark.parametrize(("pause", "expected"), [(13, True), (14, True), (15, False)])
def test_a_break_of_two_weeks_between_two_sensors_does_not_count(pause: int, expected: bool) -> None:
    chart = [*cgm("2025-06-01", days_ago(30 + pause)), *cgm(days_ago(29))]
    assert told(TWO_MONTHS, chart) is expected


def test_a_use_that_begins_after_the_order_is_none_yet() -> None:
    assert told(NOW, cgm(days_ago(-1))) is False


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ("Dexcom G7", True),
        ("FreeStyle Libre 3", True),
        ("Continuous glucose monitor", True),
        ("Insulin pump without CGM link", Reason.NO_DATA),
        ("Blood glucose meter", Reason.NO_DATA),
    ],
)
def test_a_device_that_is_not_on_file_is_known_by_its_name(used: str, expected: Any) -> None:
    assert told(NOW, use_of(used, "2024-01-01")) == expected


@pytest.mark.parametrize(
    ("codings", "name", "expected"),
    [
        ([CGM], "", True),
        ([(HCPCS, "E2103")], "", True),
        ([("https://bluebutton.cms.gov/resources/codesystem/hcpcs", "E2102")], "", True),
        ([(SNOMED, "702203005")], "", True),
        ([(SNOMED, "337414009")], "Dexcom", Reason.NO_DATA),
        ([], "Dexcom G7", True),
        ([("urn:local", "12")], "Dexcom G7", True),
        ([INSULIN_PUMP], "Omnipod 5", Reason.NO_DATA),
        ([], "Acme", Reason.NO_DATA),
    ],
)
def test_the_type_of_a_device_goes_before_its_name(codings: Any, name: str, expected: Any) -> None:
    worn = device(*codings, name=name)
    assert told(NOW, worn, use_of(worn, "2024-01-01")) == expected


def test_a_device_without_a_statement_of_use_only_points_at_one() -> None:
    found = reading(NOW, device(CGM, id="cgm"))
    assert (found.reason, [e.resource for e in found.evidence]) == (Reason.NO_DATA, ["Device/cgm"])
    assert reading(NOW, device(CGM, status="inactive")).evidence == ()


@pytest.mark.parametrize(
    ("pointing", "evidence"),
    [
        (procedure("95251", days_ago(20), "http://www.ama-assn.org/go/cpt"), 1),
        (procedure("95251", days_ago(20), "http://www.ama-assn.org/go/cpt", "not-done"), 0),
        (procedure("95251", "2024-01-01", "http://www.ama-assn.org/go/cpt"), 0),
        (
            resource(
                "DeviceRequest",
                {
                    "status": "active",
                    "codeCodeableConcept": concept((HCPCS, "A4239")),
                    "authoredOn": days_ago(20),
                },
            ),
            1,
        ),
        (
            resource(
                "DeviceRequest",
                {
                    "status": "draft",
                    "codeCodeableConcept": concept((HCPCS, "A4239")),
                    "authoredOn": days_ago(20),
                },
            ),
            0,
        ),
    ],
)
def test_supplies_and_services_only_point_at_a_use(pointing: Any, evidence: int) -> None:
    found = reading(NOW, pointing)
    assert (found.reason, len(found.evidence)) == (Reason.NO_DATA, evidence)


def test_supplies_say_nothing_against_a_declared_end() -> None:
    supplies = resource(
        "DeviceRequest",
        {
            "status": "completed",
            "codeCodeableConcept": concept((HCPCS, "A4239")),
            "authoredOn": days_ago(100),
        },
    )
    assert told(NOW, cgm("2024-01-01", days_ago(60)), supplies) is False


def stream(first: int, last: int, step: int = 1) -> list[Any]:
    return [sensor(120, f"{days_ago(n)}T12:00:00-05:00") for n in range(first, last - 1, -step)]


@pytest.mark.parametrize(
    ("first", "last", "now", "two_months"),
    [
        (80, 1, True, True),
        (62, 1, True, True),
        (61, 1, True, Reason.TOO_SHORT_A_RECORD),
        (80, 14, True, True),
        (80, 15, Reason.STALE, Reason.STALE),
        (0, 0, True, Reason.TOO_SHORT_A_RECORD),
        (-1, -1, Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_readings_show_use_but_neither_its_begin_nor_its_end(
    first: int, last: int, now: Any, two_months: Any
) -> None:
    assert told(NOW, stream(first, last)) == now
    assert told(TWO_MONTHS, stream(first, last)) == two_months


def test_readings_with_long_gaps_are_several_uses() -> None:
    assert told(TWO_MONTHS, stream(80, 1, step=15)) is True
    assert told(TWO_MONTHS, stream(80, 40), stream(20, 1)) is Reason.TOO_SHORT_A_RECORD


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error"])
def test_an_unfinished_reading_shows_no_use(status: str) -> None:
    assert told(NOW, sensor(120, days_ago(1), status=status)) is Reason.NO_DATA


def test_a_report_over_a_period_shows_use_on_its_days() -> None:
    def report(start: str, end: str) -> Any:
        return observation(
            "104637-4", 95, "%", "", effectiveDateTime=None, effectivePeriod={"start": start, "end": end}
        )

    assert told(TWO_MONTHS, report(FIRST, days_ago(1))) is True
    assert told(TWO_MONTHS, report(days_ago(31), days_ago(1))) is Reason.TOO_SHORT_A_RECORD
    assert told(NOW, report(days_ago(31), days_ago(1))) is True
    assert told(NOW, report("2025-05-01", "2025-05-31")) is Reason.STALE


def test_readings_from_before_join_a_declared_use() -> None:
    assert told(TWO_MONTHS, cgm(days_ago(40)), stream(90, 41)) is True


def test_a_pump_with_a_monitor_in_it_is_both() -> None:
    both = device((SNOMED, "702203005"))
    chart = [both, use_of(both, "2024-01-01")]
    assert (told(NOW, chart), told(PUMP, chart)) == (True, True)


# Insulin pumps


def worn_pump(start: str = "2024-03-18", end: str = "", status: str = "active", **more: Any) -> list[Any]:
    pump = device(INSULIN_PUMP, (HCPCS, "E0784"), **more)
    return [pump, use_of(pump, start, end, status)]


INJECTIONS = [taken(GLARGINE, 1), taken(LISPRO, 3), condition("E10.65")]


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (worn_pump(), True),
        (worn_pump(days_ago(1)), True),
        (worn_pump(days_ago(0)), True),
        (worn_pump(days_ago(-1)), False),
        (worn_pump(end=ago("P2M"), status="completed"), False),
        ([*worn_pump(), *INJECTIONS], True),
        ([use_of("Tandem Mobi", "2024-01-01")], True),
        ([condition("Z96.41")], True),
        ([condition("Z96.41", status="resolved")], Reason.NO_DATA),
        ([condition("Z79.4")], Reason.NO_DATA),
        ([taken(LISPRO, None, dosage=[dosage(method=concept((SNOMED, "261754007")))])], True),
        ([taken(LISPRO, None, dosage=[dosage(text="via insulin pump, continuous")])], True),
        (INJECTIONS, False),
        ([*INJECTIONS, device(INSULIN_PUMP)], Reason.IMPRECISE),
        ([*INJECTIONS, condition("Z96.41", verified="provisional")], False),
        ([], Reason.NO_DATA),
    ],
)
def test_a_pump_is_in_use_by_statement_by_diagnosis_or_by_infused_insulin(chart: Any, expected: Any) -> None:
    assert told(PUMP, chart) == expected


def test_injections_with_no_trace_of_a_pump_are_a_no_that_yields_to_a_statement() -> None:
    found = reading(PUMP, INJECTIONS)
    assert (found.value, found.inferred, len(found.evidence)) == (False, True, 2)
    said = asked(INJECTIONS, statement(insulin_pump_in_use={"valueBoolean": True}))
    assert said.book.value(PUMP) is True


@pytest.mark.parametrize(
    "trace",
    [
        device(INSULIN_PUMP),
        use_of({"id": "lost"}, "2024-01-01"),
        resource(
            "DeviceRequest",
            {
                "status": "active",
                "codeCodeableConcept": concept((HCPCS, "A4230")),
                "authoredOn": days_ago(30),
            },
        ),
    ],
)
def test_a_trace_of_a_pump_keeps_the_question_open(trace: Any) -> None:
    assert not reading(PUMP, INJECTIONS, trace).known


def test_the_ordered_pump_is_no_trace_of_one_in_use() -> None:
    order = insulin_pump_order(id="pump")
    assert told(PUMP, INJECTIONS, order[0], order=order) is False


def test_basal_insulin_that_was_stopped_is_no_regimen_of_injections() -> None:
    assert told(PUMP, taken(GLARGINE, 1, end="2025-10-01", status="stopped")) is Reason.NO_DATA


# The state of the pump


@pytest.mark.parametrize(
    ("chart", "functioning", "malfunctioning"),
    [
        (worn_pump(), True, Reason.NO_DATA),
        ([device(INSULIN_PUMP)], Reason.NO_DATA, Reason.NO_DATA),
        ([*worn_pump(), condition("T85.614A")], False, True),
        ([*worn_pump(), condition("T85.614A", status="resolved")], True, Reason.NO_DATA),
        ([*worn_pump(), condition("T85.614A", verified="refuted")], True, Reason.NO_DATA),
        ([*worn_pump(), condition("T85.72XA")], True, Reason.NO_DATA),
        ([], Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_a_pump_works_if_it_is_in_use_and_no_trouble_is_recorded(
    chart: Any, functioning: Any, malfunctioning: Any
) -> None:
    order = insulin_pump_order(reason="")
    assert told("pump_functioning", chart, order=order) == functioning
    assert told("pump_malfunctioning", chart, order=order) == malfunctioning


@pytest.mark.parametrize(
    ("code", "functioning", "malfunctioning"),
    [
        ("T85.615A", False, True),
        ("T85.695A", False, True),
        ("T82.518A", Reason.IMPRECISE, Reason.IMPRECISE),
        # The pump of another kind, and a catheter.
        ("T85.614A", Reason.NO_DATA, Reason.NO_DATA),
        ("T85.610A", Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_a_breakdown_fits_the_kind_of_pump_that_is_ordered(
    code: str, functioning: Any, malfunctioning: Any
) -> None:
    implanted = [pump_order("E0786")]
    assert told("pump_functioning", condition(code), order=implanted) == functioning
    assert told("pump_malfunctioning", condition(code), order=implanted) == malfunctioning
    if code != "T85.614A":
        insulin = insulin_pump_order(reason="")
        assert told("pump_functioning", [*worn_pump(), condition(code)], order=insulin) is True
        assert told("pump_malfunctioning", condition(code), order=insulin) is Reason.NO_DATA


def test_a_pump_that_is_replaced_for_its_malfunction_is_not_inferred_to_work() -> None:
    reason = {"coding": [{"system": "urn:coverage-hooks:answer", "code": "malfunction"}]}
    order = [pump_order("E0784", reasonCode=[reason])]
    assert told("pump_functioning", worn_pump(), order=order) is Reason.NO_DATA


def test_that_a_pump_works_is_inferred_and_yields_to_the_opposite_statement() -> None:
    assert reading("pump_functioning", worn_pump()).inferred
    said = asked(worn_pump(), statement(pump_malfunctioning={"valueBoolean": True}))
    assert said.book.value("pump_functioning") is False
    stated = said.book.fact("pump_functioning").stated
    assert stated is not None
    assert stated.note == "stated the other way round (malfunction of the current pump: yes)"


def test_a_device_that_is_not_active_leaves_open_how_it_works() -> None:
    for status in ("inactive", None):
        pump = device(INSULIN_PUMP, status=status)
        assert told("pump_functioning", pump, use_of(pump, "2024-01-01")) is Reason.NO_DATA


def test_a_pump_of_another_kind_says_nothing_about_the_ordered_one() -> None:
    implanted = device((HCPCS, "E0783"))
    assert told("pump_functioning", implanted, use_of(implanted, "2020-01-01")) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (f"Warranty runs until {days_ago(1)}", True),
        (f"Warranty runs until {days_ago(0)}", False),
        (f"Warranty runs until {days_ago(-1)}", False),
        ("Warranty expired 2024-01-31. Serviced 2025-02-02.", True),
        ("Warranty from 2020-01-01 until 2024-01-01", Reason.NARRATIVE_ONLY),
        ("Out of warranty", Reason.NARRATIVE_ONLY),
        ("Delivered 2020-01-01", Reason.NO_DATA),
    ],
)
def test_the_end_of_the_warranty_stands_in_the_notes_of_the_device(note: str, expected: Any) -> None:
    assert told("pump_out_of_warranty", worn_pump(note=[{"text": note}])) == expected


def test_the_expiration_date_of_a_device_is_no_warranty() -> None:
    assert told("pump_out_of_warranty", worn_pump(expirationDate="2024-01-01")) is Reason.NO_DATA


def test_two_ends_of_the_warranty_contradict_each_other() -> None:
    notes = [{"text": "Warranty until 2024-01-01"}, {"text": "Warranty until 2027-01-01"}]
    assert told("pump_out_of_warranty", worn_pump(note=notes)) is Reason.CONFLICTING


def test_the_warranty_of_a_pump_that_is_no_longer_used_does_not_count() -> None:
    old = worn_pump(end="2025-01-01", status="completed", note=[{"text": "Warranty until 2024-01-01"}])
    assert told("pump_out_of_warranty", old) is Reason.NO_DATA


def test_a_request_for_insulin_by_pump_shows_a_pump_too() -> None:
    order = prescribed(LISPRO, None, dosageInstruction=[dosage(method=concept((SNOMED, "261754007")))])
    assert told(PUMP, order) is True


def test_a_chart_without_any_diagnosis_is_not_the_whole_record() -> None:
    assert told(PUMP, taken(GLARGINE, 1), taken(LISPRO, 3)) is Reason.NO_DATA
