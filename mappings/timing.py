"""How often, how long and over which period a drug is given: a Dosage read for its schedule."""

from __future__ import annotations

import msgspec

from mappings.codes import systems
from mappings.fhir import Dosage, Quantity
from mappings.rate import AS_NEEDED, Rate
from mappings.timing_codes import rate_of_code, rate_of_repeat
from mappings.timing_text import is_sliding_scale, rate_of_text
from mappings.units import convert

_UCUM = systems()["ucum"].uri
_ROUNDING = 1e-9


class Bounds(msgspec.Struct, frozen=True):
    """The period of a course: dates as written, and its length in days when it is stated."""

    start: str = ""
    end: str = ""
    low_days: float | None = None
    high_days: float | None = None


def times_per_day(dosage: Dosage) -> Rate:
    """The scheduled doses per day of one dosage instruction.

    Everything that the instruction states must be true at once: a frequency of one "before a meal"
    (one to three) with the words "before each meal" is three, and a contradiction is unknown.
    As-needed doses are not scheduled (0, as_needed). A sliding scale without a frequency is unknown;
    with one ("per sliding scale before each meal") it is a scheduled dose of varying size.
    """
    code = dosage.timing.code if dosage.timing else None
    repeat = dosage.timing.repeat if dosage.timing else None
    texts = [text for text in (code.text if code else "", dosage.text) if text]
    if dosage.asNeededBoolean or dosage.asNeededCodeableConcept:
        return AS_NEEDED
    worded = [rate_of_text(text) for text in texts]
    if AS_NEEDED in worded and dosage.asNeededBoolean is None:
        return AS_NEEDED
    rates = [rate_of_repeat(repeat), rate_of_code(code), *worded]
    lows = [rate.low for rate in rates if rate.low is not None and not rate.as_needed]
    highs = [rate.high for rate in rates if rate.high is not None and not rate.as_needed]
    if not lows and any(map(is_sliding_scale, (*texts, *(c.text for c in dosage.additionalInstruction)))):
        return Rate(problem="narrative_only", says="the dose follows a sliding scale")
    if not lows:
        problems = (rate for rate in reversed(rates) if rate.problem)
        return next(problems, Rate(problem="no_data", says="no schedule is stated"))
    low, high = max(lows), min(highs)
    if low > high + _ROUNDING:
        return Rate(problem="conflicting", says="the instruction states different frequencies")
    return Rate(low=low, high=high)


def duration_hours(dosage: Dosage) -> tuple[float, float] | None:
    """How long one administration takes, from and to, in hours; None when it is not coded."""
    repeat = dosage.timing.repeat if dosage.timing else None
    if repeat is None or repeat.duration is None:
        return None
    longest = repeat.duration if repeat.durationMax is None else repeat.durationMax
    low, high = (
        convert("hours", Quantity(value=value, code=repeat.durationUnit, system=_UCUM)).value
        for value in (repeat.duration, longest)
    )
    return None if low is None or high is None else (low, high)


def bounds(dosage: Dosage) -> Bounds:
    """The period over which the dosage is to be given; empty when it is not coded."""
    repeat = dosage.timing.repeat if dosage.timing else None
    if repeat is None:
        return Bounds()
    span = repeat.boundsRange
    low, high = (span.low, span.high) if span else (repeat.boundsDuration, repeat.boundsDuration)
    period = repeat.boundsPeriod
    return Bounds(
        start=period.start if period else "",
        end=period.end if period else "",
        low_days=convert("days", low).value,
        high_days=convert("days", high).value,
    )
