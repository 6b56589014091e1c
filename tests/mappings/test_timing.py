"""Schedules of drugs: coded timing, words, and what stays unknown."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.fhir import CodeableConcept, Coding, Dosage, Timing, TimingRepeat
from mappings.timing import bounds, duration_hours, times_per_day

GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
SNOMED = "http://snomed.info/sct"


def dosage(**elements) -> Dosage:
    """A Dosage from FHIR JSON."""
    return msgspec.convert(elements, Dosage, strict=False)


def repeat(**elements) -> Dosage:
    return dosage(timing={"repeat": elements})


def coded(code, system=GTS) -> Dosage:
    return Dosage(timing=Timing(code=CodeableConcept(coding=(Coding(system=system, code=code),))))


def rate(given):
    found = times_per_day(given)
    return found.low, found.high


def same(number):
    return pytest.approx((number, number))


@pytest.mark.parametrize(
    ("given_", "low", "high"),
    [
        (repeat(frequency=3, period=1, periodUnit="d"), 3, 3),
        (repeat(frequency=1, period=8, periodUnit="h"), 3, 3),
        (repeat(period=6, periodUnit="h"), 4, 4),
        (repeat(frequency=1, period=6, periodMax=12, periodUnit="h"), 2, 4),
        (repeat(frequency=3, frequencyMax=4, period=1, periodUnit="d"), 3, 4),
        (repeat(frequency=3, period=1, periodUnit="wk"), 3 / 7, 3 / 7),
        (repeat(frequency=1, period=2, periodUnit="d"), 0.5, 0.5),
        (repeat(frequency=1, period=15, periodUnit="min"), 96, 96),
        (repeat(frequency=1, period=1, periodUnit="mo"), 1 / 30.4375, 1 / 30.4375),
        (repeat(timeOfDay=["08:00:00", "12:00:00", "18:00:00"]), 3, 3),
        (repeat(timeOfDay=["08:00:00"], frequency=1, period=1, periodUnit="d"), 1, 1),
        (repeat(when=["AC"]), 3, 3),
        (repeat(when=["ACM", "ACD", "ACV"]), 3, 3),
        (repeat(when=["ACM", "ACM"]), 1, 1),
        (repeat(when=["AC", "HS"]), 4, 4),
        (repeat(when=["C"]), 3, 3),
        (repeat(when=["CM", "CV"]), 2, 2),
        (repeat(when=["WAKE"]), 1, 1),
        (repeat(when=["MORN", "EVE"]), 2, 2),
        (repeat(when=["ACM", "ACV"], frequency=1, period=1, periodUnit="d"), 2, 2),
        (repeat(when=["AC"], frequency=3, period=1, periodUnit="d"), 3, 3),
        (repeat(when=["AC"], frequency=1, period=1, periodUnit="d"), 1, 3),
        (repeat(when=["MORN"], frequency=1, period=1, periodUnit="wk"), 1 / 7, 1 / 7),
        (repeat(dayOfWeek=["mon", "wed", "fri"]), 3 / 7, 3 / 7),
        (repeat(dayOfWeek=["mon"], frequency=4, period=1, periodUnit="d"), 4 / 7, 4 / 7),
        (repeat(dayOfWeek=["mon"], frequency=1, period=1, periodUnit="wk"), 1 / 7, 1 / 7),
        (repeat(dayOfWeek=["sat", "sun"], timeOfDay=["08:00:00", "20:00:00"]), 4 / 7, 4 / 7),
    ],
)
def test_repeat(given_, low, high):
    assert rate(given_) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        (repeat(frequency=3), "a frequency without a period"),
        (repeat(frequency=3, period=1), "a period without a known unit"),
        (repeat(frequency=3, period=0, periodUnit="d"), "a period without a known unit"),
        (repeat(when=["ICM"]), "an event that is not known (ICM)"),
        (repeat(count=1), "a number of doses without a frequency"),
        (repeat(boundsPeriod={"start": "2026-01-01"}), "no schedule is stated"),
        (dosage(timing={"event": ["2026-01-01"]}), "no schedule is stated"),
        (coded("FOO"), "no schedule is stated"),
        (coded("TID", system="http://example.org/frequencies"), "no schedule is stated"),
        (dosage(), "no schedule is stated"),
    ],
)
def test_unknown(given_, says):
    found = times_per_day(given_)
    assert (found.low, found.high, found.known) == (None, None, False)
    assert (found.problem, found.says) == ("no_data", says)


@pytest.mark.parametrize(
    ("code", "per_day"),
    [
        ("QD", 1), ("BID", 2), ("TID", 3), ("QID", 4), ("AM", 1), ("PM", 1), ("BED", 1), ("QOD", 0.5),
        ("Q1H", 24), ("Q2H", 12), ("Q3H", 8), ("Q4H", 6), ("Q6H", 4), ("Q8H", 3), ("WK", 1 / 7), ("tid", 3),
    ],
)  # fmt: skip
def test_abbreviations(code, per_day):
    assert rate(coded(code)) == same(per_day)
    assert rate(coded(code, system="")) == same(per_day)
    assert rate(coded(code, system="urn:oid:2.16.840.1.113883.5.1022")) == same(per_day)


@pytest.mark.parametrize(
    ("code", "low", "high"),
    [("229797004", 1, 1), ("229798009", 3, 3), ("307439001", 4, 4), ("396111001", 2, 4), ("396139000", 3, 4)],
)
def test_snomed(code, low, high):
    assert rate(coded(code, system=SNOMED)) == (low, high)


def test_every_collected_code_is_known(shared):
    collected = json.loads((shared / "value-sets" / "timing-codes.json").read_bytes())["concepts"]
    for concept in collected:
        if concept["system"] == GTS:
            found = rate(coded(concept["code"]))
            assert found == pytest.approx((concept.get("perDay", 1 / 30.4375),) * 2, rel=0.002)
        else:
            assert rate(repeat(when=[concept["code"]]))[0] in (1, 3)


TEXTS = [
    ("three times daily", 3), ("3 times a day", 3), ("3x/day", 3), ("3 per day", 3), ("thrice a day", 3),
    ("Twice a day", 2), ("b.i.d.", 2), ("BID", 2), ("TID", 3), ("q.i.d.", 4), ("q8h", 3), ("q 12 hours", 2),
    ("every 6 hours", 4), ("every six hours", 4), ("every other day", 0.5), ("once weekly", 1 / 7),
    ("three times per week", 3 / 7), ("every 2 weeks", 1 / 14), ("every hour", 24), ("3 times every day", 3),
    ("20 units daily", 1), ("once daily at bedtime", 1), ("nightly", 1), ("20 units QHS", 1),
    ("every night", 1),
    ("before each meal", 3), ("before meals", 3), ("with every meal", 3), ("AC", 3), ("a.c.", 3),
    ("TIDAC", 3),
    ("TID AC", 3), ("TID AC & HS", 4), ("three times daily before meals and at bedtime", 4), ("ACHS", 4),
    ("before meals and at bedtime", 4), ("QID before meals and at bedtime", 4), ("at bedtime", 1),
    ("20 units before breakfast", 1), ("10 units with breakfast, 8 with lunch and 12 with dinner", 3),
    ("with dinner and at bedtime", 2), ("in the morning and evening", 2),
    ("daily in the morning and evening", 2),
    ("twice daily with meals", 2), ("twice daily before breakfast and dinner", 2), ("8 am and 8 pm", 2),
    ("at 9am daily", 1), ("08:00, 12:00 and 18:00", 3), ("one tablet one time daily in the morning", 1),
    ("insulin lispro, 3 per day, subcutaneous, before each meal", 3), ("5 mL bid x 10 days", 2),
    ("Inject 6 Units under the skin 3 (three) times daily before meals.", 3), ("1 (one) time each day", 1),
    ("Inject 5 Units under the skin 4 (four) times daily before meals and nightly", 4),
    ("Inject 20 Units 2 (two) times daily with meals", 2), ("every 8 (eight) hours", 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "per_day"), TEXTS)
def test_words(text, per_day):
    assert rate(Dosage(text=text)) == same(per_day)
    assert rate(dosage(timing={"code": {"text": text}})) == same(per_day)


def test_words_with_a_range():
    assert rate(Dosage(text="Every four to six hours")) == (4, 6)
    assert rate(Dosage(text="1-2 times daily")) == (1, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("insulin lispro, subcutaneous", "the dose text does not say how often"),
        ("80 mg/day", "the dose text does not say how often"),
        ("0.5/day", "the dose text does not say how often"),
        ("1 tablet per day", "the dose text does not say how often"),
        ("take with a meal", "the dose text does not say how often"),
        ("continuous infusion over 24 h, for 7 days", "the dose text does not say how often"),
        ("TID titrate to effect", "the dose text speaks of changing doses"),
        ("twice daily, then three times daily", "the dose text speaks of changing doses"),
        ("two or three times daily", "the dose text speaks of alternatives or a limit"),
        ("up to 4 times daily", "the dose text speaks of alternatives or a limit"),
        ("no more than 3 times daily", "the dose text speaks of alternatives or a limit"),
        ("four times daily on Monday", "the dose text speaks of certain days"),
        ("before meals, not at bedtime", "the dose text speaks of exceptions"),
        ("bolus by pump three times daily", "the dose text speaks of a schedule of its own"),
        ("total daily dose 40 units", "the dose text speaks of an amount per day"),
        ("twice daily, three times daily", "the dose text can be read in several ways"),
        ("3 (two) times daily", "the dose text can be read in several ways"),
        ("2 times every 3 days", "the dose text can be read in several ways"),
        ("before meals, 10 units before breakfast", "the dose text can be read in several ways"),
        ("every evening at bedtime", "the dose text can be read in several ways"),
        ("at 8 am before breakfast", "the dose text can be read in several ways"),
        ("once daily before breakfast and dinner", "count and times of the dose text do not agree"),
        ("3 units TID and 2 units as needed", "the dose text mixes scheduled and as-needed doses"),
    ],
)
def test_words_that_stay_unknown(text, says):
    found = times_per_day(Dosage(text=text))
    assert (found.low, found.problem, found.says) == (None, "narrative_only", says)


@pytest.mark.parametrize(
    "given_",
    [
        dosage(asNeededBoolean=True, timing={"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}),
        dosage(asNeededCodeableConcept={"text": "pain"}, text="every 4 hours"),
        dosage(text="10 units before meals as needed"),
        dosage(text="TID PRN"),
        dosage(text="as needed", timing={"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}),
    ],
)
def test_as_needed_doses_are_not_scheduled(given_):
    found = times_per_day(given_)
    assert (found.low, found.high, found.as_needed, found.known) == (0, 0, True, True)


def test_an_explicit_no_goes_before_the_words():
    given_ = dosage(
        asNeededBoolean=False,
        text="as needed",
        timing={"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}},
    )
    assert (rate(given_), times_per_day(given_).as_needed) == ((4, 4), False)


@pytest.mark.parametrize(
    "elements",
    [
        {"text": "per sliding scale TID"},
        {"text": "correction dose before meals"},
        {"timing": {"code": {"text": "sliding scale"}}},
        {"additionalInstruction": [{"text": "Sliding scale, see protocol"}]},
    ],
)
def test_a_sliding_scale_counts_only_with_a_coded_frequency(elements):
    timing = {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}, **elements.get("timing", {})}
    found = times_per_day(dosage(**{**elements, "timing": timing}))
    assert (found.low, found.high) == (3, 3)
    without = times_per_day(dosage(**elements))
    assert (without.low, without.problem, without.says) == (
        None,
        "narrative_only",
        "the dose follows a sliding scale",
    )


def test_what_is_stated_twice_must_agree():
    three = {"frequency": 3, "period": 1, "periodUnit": "d"}
    assert rate(dosage(text="three times daily", timing={"repeat": three})) == (3, 3)
    found = times_per_day(dosage(text="twice daily", timing={"repeat": three}))
    assert (found.low, found.problem) == (None, "conflicting")
    found = times_per_day(
        dosage(timing={"repeat": three, "code": {"coding": [{"system": GTS, "code": "BID"}]}})
    )
    assert (found.low, found.problem) == (None, "conflicting")


def test_words_narrow_a_coded_range():
    before_a_meal = {"when": ["AC"], "frequency": 1, "period": 1, "periodUnit": "d"}
    assert rate(dosage(text="before each meal", timing={"repeat": before_a_meal})) == (3, 3)


def test_words_that_say_nothing_leave_the_code():
    assert rate(dosage(text="subcutaneous", timing={"code": {"coding": [{"code": "TID"}]}})) == (3, 3)


@given(
    st.integers(1, 24),
    st.integers(1, 30),
    st.sampled_from(["min", "h", "d", "wk", "mo", "a"]),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_ranges_are_ordered(frequency, period, unit, more, longer):
    given_ = Dosage(
        timing=Timing(
            repeat=TimingRepeat(
                frequency=frequency,
                frequencyMax=frequency + more,
                period=period,
                periodMax=period + longer,
                periodUnit=unit,
            )
        )
    )
    low, high = rate(given_)
    assert 0 < low <= high
    assert (low == high) == (not more and not longer)


WORDS = sorted({word for text, _ in TEXTS for word in text.split()} | {"or", "0", "to", "-", "as", "needed"})


@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join) | st.text(max_size=40))
def test_any_text_is_answered(text):
    found = times_per_day(Dosage(text=text))
    assert found.known == (not found.problem)
    assert found.low is None or 0 <= found.low <= found.high


@pytest.mark.parametrize(
    ("given_", "hours"),
    [
        (repeat(duration=8, durationUnit="h"), (8, 8)),
        (repeat(duration=480, durationUnit="min"), (8, 8)),
        (repeat(duration=1, durationMax=2, durationUnit="d"), (24, 48)),
        (repeat(duration=8), None),
        (repeat(duration=8, durationUnit="mL"), None),
        (repeat(frequency=1), None),
        (dosage(), None),
    ],
)
def test_duration(given_, hours):
    assert duration_hours(given_) == hours


def test_bounds():
    seven = {"value": 7, "unit": "days", "code": "d", "system": "http://unitsofmeasure.org"}
    two_weeks = {"value": 2, "unit": "wk"}
    found = bounds(repeat(boundsDuration=seven))
    assert (found.low_days, found.high_days) == (7, 7)
    found = bounds(repeat(boundsRange={"low": seven, "high": two_weeks}))
    assert (found.low_days, found.high_days) == (7, 14)
    found = bounds(repeat(boundsPeriod={"start": "2024-03-18"}))
    assert (found.start, found.end, found.low_days) == ("2024-03-18", "", None)
    assert bounds(dosage()) == bounds(repeat(frequency=1))
