"""Route, hours, continuity, course and vials of the ordered infusion."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import SILENT, Bounds, Reason
from tests.mappings.orders import CONTINUOUS, HCPCS, RXNORM, SNOMED, Asked, Json, concept, drug, pump

DRUG = (RXNORM, "3639")
IV, INTRATHECAL = concept((SNOMED, "47625008")), concept((SNOMED, "72607000"))


def infused(*dosages: Json, **elements: Any) -> Asked:
    """A pump with the order of its drug, which it names."""
    named = pump(supportingInfo=[{"reference": "MedicationRequest/drug"}])
    return Asked(named, drug(DRUG, dosageInstruction=list(dosages), **elements))


def repeat(**elements: Any) -> Json:
    return {"timing": {"repeat": elements}}


@pytest.mark.parametrize(
    ("dosage", "route"),
    [
        ({"route": IV}, "intravenous"),
        (
            {"route": concept((SNOMED, "58100008")), "site": {"text": "hepatic artery"}},
            "intra-arterial-hepatic",
        ),
        ({"text": "baclofen, intrathecally"}, "intrathecal"),
    ],
)
def test_the_route_of_the_drug_is_the_planned_route(dosage: Json, route: str) -> None:
    asked = infused(dosage)
    assert (asked.value("drug_route"), asked.value("planned_route")) == (route, route)


@pytest.mark.parametrize(
    ("dosages", "reason"),
    [
        ([{"route": IV}, {"route": INTRATHECAL}], Reason.CONFLICTING),
        ([{"route": concept((SNOMED, "418418000"))}], Reason.IMPRECISE),
        ([{"route": concept((SNOMED, "58100008"))}], Reason.IMPRECISE),
        ([{"route": concept(("http://local", "1"))}], Reason.UNMAPPED_CODE),
        ([{}], Reason.NO_DATA),
        ([], Reason.NO_DATA),
    ],
)
def test_a_route_that_is_not_told_clearly_is_unknown(dosages: list[Json], reason: Reason) -> None:
    reading = infused(*dosages).reading("drug_route")
    assert (reading.value, reading.reason) == (None, reason)


def test_two_instructions_by_one_route_agree() -> None:
    assert infused({"route": IV}, {"route": IV}).value("drug_route") == "intravenous"


def test_an_insulin_pump_without_a_drug_order_delivers_under_the_skin_until_stated_otherwise() -> None:
    reading = Asked(pump("E0784")).reading("drug_route")
    assert (reading.value, reading.inferred) == ("subcutaneous", True)


@pytest.mark.parametrize(
    ("elements", "hours"),
    [
        ({"duration": 8, "durationUnit": "h"}, 8),
        ({"duration": 7.9, "durationUnit": "h"}, 7.9),
        ({"duration": 480, "durationUnit": "min"}, 8),
        ({"duration": 2, "durationUnit": "d"}, 48),
        ({"duration": 6, "durationMax": 10, "durationUnit": "h"}, Bounds(6, 10)),
    ],
)
def test_the_stated_duration_is_the_length_of_an_infusion(elements: Json, hours: float | Bounds) -> None:
    assert infused(repeat(**elements)).value("infusion_hours") == hours


def dose(value: float, unit: str, rate: float, per: str) -> Json:
    return {
        "doseAndRate": [
            {"doseQuantity": {"value": value, "unit": unit}, "rateQuantity": {"value": rate, "unit": per}}
        ]
    }


def ratio(value: float, of: Json, per: Json) -> Json:
    amount = {
        "doseQuantity": {"value": value, "unit": "mL"},
        "rateRatio": {"numerator": of, "denominator": per},
    }
    return {"doseAndRate": [amount]}


@pytest.mark.parametrize(
    ("dosage", "hours"),
    [
        (ratio(100, {"value": 12.5, "unit": "mL"}, {"value": 1, "unit": "h"}), 8),
        (ratio(100, {"value": 25, "code": "mL"}, {"value": 2, "code": "h"}), 8),
        (ratio(100, {"value": 25, "code": "mg"}, {"value": 2, "code": "h"}), None),
        (ratio(100, {"value": 25, "code": "mL"}, {"code": "h"}), None),
        (dose(100, "mL", 12.5, "mL/h"), 8),
        (dose(60, "mL", 1, "mL/min"), 1),
        (dose(100, "mL", 5, "mg/h"), None),
        ({"method": CONTINUOUS} | repeat(boundsDuration={"value": 46, "code": "h"}), 46),
        ({"method": CONTINUOUS} | repeat(boundsDuration={"value": 7, "code": "d"}), 168),
        (repeat(boundsDuration={"value": 7, "code": "d"}), None),
        ({"method": CONTINUOUS, "doseAndRate": [{"rateQuantity": {"value": 48, "unit": "mL/d"}}]}, 24),
        (
            {
                "method": CONTINUOUS,
                "doseAndRate": [
                    {"rateRatio": {"numerator": {"value": 1}, "denominator": {"value": 24, "code": "h"}}}
                ],
            },
            24,
        ),
        ({"method": CONTINUOUS, "doseAndRate": [{"rateQuantity": {"value": 2, "unit": "mL/h"}}]}, None),
        ({"method": CONTINUOUS}, None),
    ],
)
def test_without_a_duration_dose_by_rate_or_a_continuous_course_tell_the_hours(
    dosage: Json, hours: float | None
) -> None:
    assert infused(dosage).value("infusion_hours") == hours


def test_the_stated_duration_goes_before_the_length_of_the_course() -> None:
    stated = repeat(duration=24, durationUnit="h", boundsDuration={"value": 7, "code": "d"})
    assert infused({"method": CONTINUOUS} | stated).value("infusion_hours") == 24


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("doxorubicin IV over 8 hours", 8),
        ("Infuse 6 g over 24 hours continuously via ambulatory pump", 24),
        ("2,400 mg/m2 IV over 46 hr via CADD at 5 mL/hr", 46),
        ("Give 1 g over 90 minutes every 8 hours", 1.5),
        ("Infuse over a period of 12-hours nightly", 12),
        ("Infuse over 8 to 10 hours", Bounds(8, 10)),
    ],
)
def test_hours_in_words_that_mean_one_thing_are_read(text: str, hours: object) -> None:
    assert infused({"text": text}).value("infusion_hours") == hours


@pytest.mark.parametrize(
    "text",
    [
        "infuse over 8 hours, then over 4 hours",
        "infuse over 8 hours or as tolerated",
        "infuse over at least 8 hours",
        "infuse over 2 hours, may increase to 4 hours",
        "first dose over 4 hours",
        "infuse for 24 hours",
        "infuse over 1 hour; observe 2 hours",
    ],
)
def test_other_hours_in_words_are_narrative(text: str) -> None:
    reading = infused({"text": text}).reading("infusion_hours")
    assert (reading.value, reading.reason) == (None, Reason.NARRATIVE_ONLY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("IV over 8 hours", 8), ("IV over 480 min", 8), ("IV over 9 hours", Reason.CONFLICTING)],
)
def test_words_that_contradict_the_coded_duration_leave_it_open(text: str, expected: object) -> None:
    reading = infused(repeat(duration=8, durationUnit="h") | {"text": text}).reading("infusion_hours")
    assert (reading.reason or reading.value) == expected


def test_the_hours_in_words_go_before_those_that_follow_from_the_course() -> None:
    course = repeat(boundsDuration={"value": 2, "code": "d"})
    dosage = {"method": CONTINUOUS, "text": "over 46 hours"} | course
    assert infused(dosage).value("infusion_hours") == 46


def test_instructions_with_different_durations_contradict() -> None:
    one, other = repeat(duration=8, durationUnit="h"), repeat(duration=4, durationUnit="h")
    assert infused(one, other).reading("infusion_hours").reason is Reason.CONFLICTING


@pytest.mark.parametrize(
    ("dosage", "continuous"),
    [
        ({"method": CONTINUOUS}, True),
        ({"method": {"text": "Continuous infusion"}}, True),
        ({"method": {"text": "intermittent infusion"}}, False),
        ({"text": "2,400 mg/m2 as continuous IV infusion"}, True),
        ({"text": "infuse continuously by pump"}, True),
        ({"text": "bolus, then continuous infusion"}, None),
        ({"text": "do not infuse continuously"}, None),
        ({"text": "continuous glucose monitoring during the infusion"}, None),
        (repeat(duration=24, durationUnit="h", frequency=1, period=1, periodUnit="d"), True),
        (repeat(duration=12, durationUnit="h", frequency=2, period=1, periodUnit="d"), True),
        (repeat(duration=23, durationUnit="h", frequency=1, period=1, periodUnit="d"), None),
        (repeat(duration=8, durationUnit="h", frequency=1, period=1, periodUnit="d"), None),
        ({"method": concept((SNOMED, "129332006"))}, None),
        ({}, None),
    ],
)
def test_delivery_is_continuous_by_method_or_around_the_clock(dosage: Json, continuous: bool | None) -> None:
    assert infused(dosage).value("infusion_continuous") is continuous


def test_a_continuous_and_an_intermittent_instruction_contradict() -> None:
    asked = infused({"method": CONTINUOUS}, {"method": {"text": "bolus"}})
    assert asked.reading("infusion_continuous").reason is Reason.CONFLICTING


@pytest.mark.parametrize(
    ("timing", "days"),
    [
        ({"repeat": {"boundsDuration": {"value": 5, "code": "d"}}}, 5),
        ({"repeat": {"boundsDuration": {"value": 1, "unit": "week"}}}, 7),
        (
            {
                "repeat": {
                    "boundsRange": {"low": {"value": 5, "code": "d"}, "high": {"value": 7, "code": "d"}}
                }
            },
            Bounds(5, 7),
        ),
        ({"repeat": {"boundsPeriod": {"start": "2026-02-16", "end": "2026-02-20"}}}, 5),
        ({"repeat": {"boundsPeriod": {"start": "2026-02-16", "end": "2026-02"}}}, None),
        ({"repeat": {"boundsPeriod": {"start": "2026-02-16"}}}, None),
        ({"repeat": {"count": 5, "frequency": 1, "period": 1, "periodUnit": "d"}}, 5),
        ({"repeat": {"count": 6, "frequency": 2, "period": 1, "periodUnit": "d"}}, 3),
        ({"event": ["2026-02-16T08:00:00Z", "2026-02-18T08:00:00Z", "2026-02-18T20:00:00Z"]}, 3),
        ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}, None),
    ],
)
def test_the_course_is_stated_dated_or_counted(timing: Json, days: float | Bounds | None) -> None:
    assert infused({"timing": timing}).value("course_days") == days


@pytest.mark.parametrize(
    ("routes", "parenteral"),
    [
        (["26643006"], False),
        (["45890007"], False),
        (["417985001"], False),
        (["34206005"], True),
        (["47625008", "34206005"], True),
        (["26643006", "47625008"], True),
        (["0"], None),
        ([], None),
    ],
)
def test_a_route_is_parenteral_or_not_and_silence_is_neither(
    routes: list[str], parenteral: bool | None
) -> None:
    said: list[Json] = [{"route": concept((SNOMED, route))} for route in routes]
    reading = infused(*said or [{}]).reading("drug_parenteral")
    assert reading.value is parenteral
    assert parenteral is not None or reading is SILENT


def course(start: str, end: str) -> Json:
    return {"timing": {"repeat": {"boundsPeriod": {"start": start, "end": end}}}}


@pytest.mark.parametrize(
    ("second", "days"),
    [
        (course("2026-03-24", "2026-03-28"), 10),
        (course("2026-03-20", "2026-03-24"), 8),
        (course("2026-03-17", "2026-03-21"), 5),
        ({"timing": {"repeat": {"boundsDuration": {"value": 5, "code": "d"}}}}, 5),
        ({"timing": {"repeat": {"boundsDuration": {"value": 7, "code": "d"}}}}, None),
    ],
)
def test_dated_periods_of_a_course_add_up(second: Json, days: float | None) -> None:
    reading = infused(course("2026-03-17", "2026-03-21"), second).reading("course_days")
    assert reading.value == days
    assert (reading.evidence[0].value, reading.evidence[0].says) == (5, "2026-03-17 to 2026-03-21")


def vials(quantity: Json, supply: Json | None = None, **dispense: Any) -> Asked:
    said = {"expectedSupplyDuration": supply} if supply else {}
    return infused(dispenseRequest={"quantity": quantity} | said | dispense)


@pytest.mark.parametrize(
    ("amount", "days", "repeats", "per_month"),
    [
        (25, 28, None, 25),
        (25, 30, 3, 25),
        (26, 31, 0, 26),
        (60, 60, None, 30),
        (25, 27, 1, 25 * 30 / 27),
        (25, 27, None, 25),
        (12, 14, None, 12),
        (12, 14, 1, 24),
        (12, 14, 2, 12 * 30 / 14),
        (7, 7, 0, 7),
        (7, 7, 3, 28),
    ],
)
def test_vials_count_as_ordered_in_a_month_and_in_proportion_beyond_it(
    amount: int, days: int, repeats: int | None, per_month: float
) -> None:
    said = {} if repeats is None else {"numberOfRepeatsAllowed": repeats}
    reading = vials({"value": amount, "unit": "vials"}, {"value": days, "code": "d"}, **said).reading(
        "vials_per_month"
    )
    assert reading.value == pytest.approx(per_month)
    assert reading.evidence[0].value == pytest.approx(per_month, abs=0.01)
    assert reading.evidence[0].says.startswith(f"{amount} for {days} days")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (vials({"value": 25, "unit": "mL"}, {"value": 30, "code": "d"}), Reason.UNIT_MISMATCH),
        (vials({"value": 25, "unit": "vials"}), Reason.IMPRECISE),
        (infused(), Reason.NO_DATA),
    ],
)
def test_an_amount_that_is_no_vials_per_month_is_unknown(asked: Asked, reason: Reason) -> None:
    assert asked.reading("vials_per_month").reason is reason


def test_evidence_names_the_order_of_the_drug() -> None:
    reading = infused(repeat(duration=8, durationUnit="h")).reading("infusion_hours")
    assert [(e.resource, e.value, e.unit) for e in reading.evidence] == [("MedicationRequest/drug", 8, "h")]


def test_the_code_of_the_drug_alone_tells_no_route() -> None:
    assert Asked(pump("E0783"), drug((HCPCS, "J2274"))).value("drug_route") is None


@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        ({"site": {"text": "Subacromial space"}}, True),
        ({"site": {"coding": [{"display": "subacromial bursa"}]}}, True),
        ({"site": {"text": "interscalene"}}, None),
        ({"text": "not into the subacromial space"}, None),
        ({}, None),
    ],
)
def test_a_subacromial_site_tells_the_catheter_and_no_other_does(dosage: Json, expected: object) -> None:
    assert infused(dosage).value("subacromial_infusion") is expected


def test_the_name_of_what_is_ordered_tells_a_subacromial_pump() -> None:
    item = {"codeCodeableConcept": {"text": "Subacromial pain pump"}}
    assert Asked(pump() | item, drug(DRUG)).value("subacromial_infusion") is True
