"""How long a drug was tried without a break."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from math import inf

from mappings.dates import Span
from mappings.drug_courses import Course, courses
from mappings.evidence import Bounds, Reading, Reason, unknown
from mappings.fhir import MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts


@operator(MedicationStatement, MedicationRequest)
def trial_length(context: Context, drug_classes: Iterable[str]) -> Reading:
    """The longest uninterrupted use by mouth of drugs of the classes up to day 0, in weeks.

    From the first day to the last: 14 June to 26 July is 42 days. One drug that begins no later than
    the day after another ended continues the trial. Partial dates give bounds; a course whose start
    or end is not on file, or perhaps not by mouth, can only raise the upper one.
    """
    wanted = set(texts(drug_classes))
    found = [c for c in courses(context) if wanted & set(c.drug.classes) and c.by_mouth is not False]
    if not found:
        return unknown(Reason.NO_DATA)
    low = _longest(_sure(c) for c in found)
    high = inf if any(_unlimited(c) for c in found) else _longest(_possible(c) for c in found)
    evidence = tuple(context.evidence(c.resource, c.written, says=_says(c)) for c in found)
    note = f"longest trial without a break: {low} {'day' if low == 1 else 'days'}" + (
        "" if low == high else " or more, by the dates on file"
    )
    value = low / 7 if low == high else Bounds(low / 7, high / 7)
    return Reading(value, evidence=evidence, note=note)


_Days = tuple[date, date] | None


def _sure(course: Course) -> _Days:
    """The days that the course covers whatever its partial dates mean."""
    if course.by_mouth is None or course.first is None or course.last is None:
        return None
    first, last = course.first.last, course.last.first
    return (first, last) if first <= last else None


def _possible(course: Course) -> _Days:
    if course.first is None or course.last is None:
        return None
    return course.first.first, course.last.last


def _unlimited(course: Course) -> bool:
    return course.first is None or course.last is None


def _longest(courses_days: Iterable[_Days]) -> int:
    longest = 0
    current: tuple[date, date] | None = None
    for first, last in sorted(days for days in courses_days if days is not None):
        if current is not None and first <= current[1] + timedelta(days=1):
            current = (current[0], max(current[1], last))
        else:
            current = (first, last)
        longest = max(longest, (current[1] - current[0]).days)
    return longest


def _says(course: Course) -> str:
    first = _written(course.first)
    last = "still in use" if course.going else _written(course.last)
    return f"{course.drug.name}, {first} to {last}"


def _written(days: Span | None) -> str:
    if days is None:
        return "an unknown day"
    return str(days.first) if days.exact else f"{days.first}/{days.last}"
