"""How long the drug is to be given, and how much of it is dispensed."""

from __future__ import annotations

from datetime import date, timedelta

from mappings.dates import span
from mappings.evidence import SILENT, Basis, Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Dosage, TimingRepeat
from mappings.operators.base import Context
from mappings.order_facts.infusion import agreed_reading, dosages, shown, written
from mappings.order_facts.medications import given_medications
from mappings.rate import DAYS
from mappings.timing import bounds
from mappings.units import in_unit

_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31


def course_days(context: Context) -> Reading:
    """The length of the course in days: stated, between two dates, or counted from the doses.

    Periods that are dated add up, each day once: two courses of five days are ten days.
    """
    found: dict[float | Bounds, list[Evidence]] = {}
    periods = []
    for dosage, given in dosages(context):
        period = _period(dosage)
        days = _length(period) if period else _course(dosage)
        if days is None:
            continue
        if period:
            periods.append(period)
        says = f"{period[0]} to {period[1]}" if period else ""
        found.setdefault(days, []).append(shown(given, written(days), "d", says))
    evidence = tuple(entry for entries in found.values() for entry in entries)
    if periods and len(periods) == len(evidence):
        return Reading(_days_in(periods), evidence=evidence, basis=Basis.ORDER)
    agreed = agreed_reading(found, "The instructions give different lengths of the course.")
    if agreed is not None:
        return agreed
    return unknown(Reason.NO_DATA, "The order does not limit the length of the course.")


def _period(dosage: Dosage) -> tuple[date, date] | None:
    """The first and the last day, where both are dated and no length is stated."""
    course = bounds(dosage)
    if course.low_days is not None and course.high_days is not None:
        return None
    first, last = _only_day(course.start), _only_day(course.end)
    return (first, last) if first is not None and last is not None and first <= last else None


def _length(period: tuple[date, date]) -> float:
    return float((period[1] - period[0]).days + 1)


def _days_in(periods: list[tuple[date, date]]) -> float:
    """The days that the periods hold, those that several hold once."""
    days, reached = 0.0, date.min
    for first, last in sorted(periods):
        if last > reached:
            days += _length((max(first, reached + timedelta(days=1)), last))
            reached = last
    return days


def _course(dosage: Dosage) -> float | Bounds | None:
    course = bounds(dosage)
    if course.low_days is not None and course.high_days is not None:
        low, high = course.low_days, course.high_days
        return low if low == high else Bounds(low, high)
    if dosage.timing is None:
        return None
    days = {day for event in dosage.timing.event if (day := _only_day(event)) is not None}
    if days and len(days) == len({event[:10] for event in dosage.timing.event}):
        return float((max(days) - min(days)).days + 1)
    return _counted(dosage.timing.repeat)


def _only_day(written: str) -> date | None:
    day = span(written) if written else None
    return day.first if day is not None and day.exact else None


def _counted(repeat: TimingRepeat | None) -> float | None:
    """Five doses, once a day, are five days."""
    if repeat is None or not repeat.count or not repeat.frequency or not repeat.period:
        return None
    days = DAYS.get(repeat.periodUnit)
    return None if days is None else repeat.count / repeat.frequency * repeat.period * float(days)


def vials_per_month(context: Context) -> Reading:
    """Vials dispensed for a month: as ordered where the whole supply lasts no longer, else in proportion.

    Interpretation: the policy says "per month" without telling calendar month from supply, so that 28
    to 31 days are a month, and a longer supply counts for 30 days. Beyond the supply and its repeats
    nothing is ordered: 7 vials for 7 days without repeats are 7 vials.
    """
    total = 0.0
    evidence: list[Evidence] = []
    for given in given_medications(context):
        dispense = given.request.dispenseRequest if given.request is not None else None
        amount = dispense.quantity if dispense is not None else None
        if dispense is None or amount is None or amount.value is None:
            continue
        supply = dispense.expectedSupplyDuration
        as_written = shown(given, amount.value, amount.unit or amount.code)
        if not any("vial" in text.casefold() for text in (amount.unit, amount.code)):
            unit = amount.unit or amount.code or "no unit"
            note = f"The amount on the drug's order is in {unit}, not in vials."
            return unknown(Reason.UNIT_MISMATCH, note, (*evidence, as_written))
        days = in_unit(supply, "d") if supply is not None else None
        if not days:
            note = "The order states vials without the days that they are to last."
            return unknown(Reason.IMPRECISE, note, (*evidence, as_written))
        repeats = max(dispense.numberOfRepeatsAllowed or 0, 0)
        vials = _in_a_month(amount.value, days, repeats)
        says = f"{amount.value:g} for {days:g} days" + (f" and {repeats} repeats" if repeats else "")
        evidence.append(shown(given, round(vials, 2), "vials a month", says))
        total += vials
    if not evidence:
        return SILENT
    return Reading(
        total, evidence=tuple(evidence), note="Vials for a supply of one month.", basis=Basis.ORDER
    )


def _in_a_month(amount: float, days: float, repeats: int) -> float:
    fills = 1 + repeats
    if days * fills <= _LONGEST_MONTH:
        return amount * fills
    return amount if _SHORTEST_MONTH <= days <= _LONGEST_MONTH else amount * 30 / days
