"""How the drug is to be infused: route, hours of one infusion, length of the course, vials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from mappings.codes import key
from mappings.dates import span
from mappings.evidence import SILENT, Basis, Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Dosage, Quantity, TimingRepeat
from mappings.operators.base import Context
from mappings.order_facts.medications import CONTINUOUS_INFUSION, Given, given_medications
from mappings.pumps import texts_of
from mappings.rate import DAYS
from mappings.routes import route_of
from mappings.timing import bounds, duration_hours
from mappings.units import in_unit
from mappings.words import has_words

_SPOKEN_HOURS = re.compile(
    r"\b(over|for|infuse\w*)\b[^.;]*?\d+([.-]\d+)?\s*(h|hr|hrs|hours?|min|minutes?)\b", re.I
)
_INTERRUPTED = ("intermittent", "intermittent infusion", "bolus")
_SUBCUTANEOUS = "subcutaneous"


def _dosages(context: Context) -> Iterator[tuple[Dosage, Given]]:
    for given in given_medications(context):
        for dosage in given.dosages:
            yield dosage, given


def _shown(given: Given, value: object, unit: str = "", says: str = "") -> Evidence:
    base = given.evidence
    return Evidence(base.resource, base.origin, base.date, value, unit, says)


def drug_route(context: Context) -> Reading:
    """The route of the drug. Intra-arterial with the hepatic artery as site is intra-arterial-hepatic."""
    found: dict[tuple[str, ...], list[Evidence]] = {}
    unmapped: list[Evidence] = []
    for dosage, medication in _dosages(context):
        read = route_of(dosage)
        if read.routes:
            shown = _shown(medication, " or ".join(read.routes), says=read.text if read.worded else "")
            found.setdefault(read.routes, []).append(shown)
        elif read.unmapped:
            unmapped.append(_shown(medication, read.text))
    evidence = tuple(entry for entries in found.values() for entry in entries)
    if len(found) > 1:
        return unknown(Reason.CONFLICTING, "The order names several routes.", evidence)
    for routes in found:
        if len(routes) > 1:
            note = f"The order leaves open whether the route is {' or '.join(routes)}."
            return unknown(Reason.IMPRECISE, note, evidence)
        return Reading(routes[0], evidence=evidence, basis=Basis.ORDER)
    if unmapped:
        return unknown(
            Reason.UNMAPPED_CODE, "The route on the drug's order is not known here.", tuple(unmapped)
        )
    if any(medication.by_nature for medication in given_medications(context)):
        note = "External insulin pumps deliver under the skin."
        evidence = (context.order.evidence(_SUBCUTANEOUS),)
        return Reading(_SUBCUTANEOUS, evidence=evidence, note=note, basis=Basis.ORDER, inferred=True)
    return unknown(
        Reason.NO_DATA, "The order states no route; the route on the drug's order would settle it."
    )


def infusion_hours(context: Context) -> Reading:
    """How long one infusion takes, in hours.

    The stated duration counts. Where there is none: the dose divided by its rate, or the whole
    course of an infusion that is ordered as continuous. "Continuous" and a rate alone do not tell
    the hours (46 hours of fluorouracil are as continuous as 8 hours of doxorubicin), except that a
    rate per day means around the clock.
    """
    found: dict[float | Bounds, list[Evidence]] = {}
    spoken: list[Evidence] = []
    for dosage, given in _dosages(context):
        hours, says = _hours(dosage)
        if hours is not None:
            shown = hours if isinstance(hours, float) else f"{hours.low:g} to {hours.high:g}"
            found.setdefault(hours, []).append(_shown(given, shown, "h", says))
        elif _SPOKEN_HOURS.search(dosage.text):
            spoken.append(_shown(given, None, says=dosage.text))
    evidence = tuple(entry for entries in found.values() for entry in entries)
    if len(found) > 1:
        return unknown(Reason.CONFLICTING, "The instructions give different infusion times.", evidence)
    for value in found:
        return Reading(value, evidence=evidence, basis=Basis.ORDER)
    if spoken:
        note = "The infusion time stands only in the words of the instruction."
        return unknown(Reason.NARRATIVE_ONLY, note, tuple(spoken))
    return unknown(Reason.NO_DATA, "The order does not tell how long one infusion takes.")


def _hours(dosage: Dosage) -> tuple[float | Bounds | None, str]:
    """(hours of one infusion, how they were found when not stated)."""
    stated = duration_hours(dosage)
    if stated is not None:
        low, high = stated
        return (low if low == high else Bounds(low, high)), ""
    for amount in dosage.doseAndRate:
        hours = _dose_by_rate(amount.doseQuantity, amount.rateQuantity)
        if hours is not None:
            return hours, "dose divided by rate"
    if not _is_continuous(dosage):
        return None, ""
    course = bounds(dosage)
    if course.low_days is not None and course.low_days == course.high_days:
        return course.low_days * 24, "continuous over the whole course"
    if any(_is_per_day(amount.rateQuantity, amount.rateRatio) for amount in dosage.doseAndRate):
        return 24.0, "continuous, at a rate per day"
    return None, ""


def _dose_by_rate(dose: Quantity | None, rate: Quantity | None) -> float | None:
    """Hours that a dose (100 mL) takes at a rate in the same unit (12.5 mL/h)."""
    if dose is None or rate is None or dose.value is None or not rate.value:
        return None
    unit, _, per = (rate.code or rate.unit).rpartition("/")
    days = DAYS.get({"hr": "h", "hour": "h", "day": "d"}.get(per, per))
    if days is None or unit.casefold() != (dose.code or dose.unit).casefold():
        return None
    return dose.value / rate.value * float(days) * 24


def _is_per_day(rate: Quantity | None, ratio: object) -> bool:
    if rate is not None and (rate.code or rate.unit).rpartition("/")[2].strip() in (
        "d",
        "day",
        "24.h",
        "24 h",
    ):
        return True
    denominator = getattr(ratio, "denominator", None)
    return denominator is not None and in_unit(denominator, "h") == 24


def _is_continuous(dosage: Dosage) -> bool:
    method = dosage.method
    if method is None:
        return False
    if any(key(coding) == CONTINUOUS_INFUSION for coding in method.coding):
        return True
    return any(has_words(text, "continuous") for text in texts_of(method))


def infusion_continuous(context: Context) -> Reading:
    """Whether delivery is uninterrupted: a continuous infusion by its method, or 24 hours every day.

    A duration alone does not tell: 12 hours may be one infusion or two with a pause.
    """
    found: dict[bool, list[Evidence]] = {}
    for dosage, given in _dosages(context):
        words = texts_of(dosage.method)
        if _is_continuous(dosage):
            found.setdefault(True, []).append(_shown(given, True, says="continuous infusion"))
        elif any(has_words(text, phrase) for text in words for phrase in _INTERRUPTED):
            found.setdefault(False, []).append(_shown(given, False, says=words[0]))
        elif _fills_the_day(dosage):
            found.setdefault(True, []).append(_shown(given, True, says="24 hours every day"))
    evidence = tuple(entry for entries in found.values() for entry in entries)
    if len(found) > 1:
        return unknown(Reason.CONFLICTING, "One instruction is continuous, another is not.", evidence)
    for value in found:
        return Reading(value, evidence=evidence, basis=Basis.ORDER)
    return unknown(Reason.NO_DATA, "The order does not tell whether the infusion runs without interruption.")


def _fills_the_day(dosage: Dosage) -> bool:
    repeat, hours = dosage.timing.repeat if dosage.timing else None, duration_hours(dosage)
    if repeat is None or hours is None or not repeat.frequency or repeat.period is None:
        return False
    days = DAYS.get(repeat.periodUnit)
    return days is not None and hours[0] * repeat.frequency >= repeat.period * float(days) * 24


def course_days(context: Context) -> Reading:
    """The length of the course in days: stated, between two dates, or counted from the doses."""
    found: dict[float | Bounds, list[Evidence]] = {}
    for dosage, given in _dosages(context):
        days = _course(dosage)
        if days is not None:
            shown = days if isinstance(days, float) else f"{days.low:g} to {days.high:g}"
            found.setdefault(days, []).append(_shown(given, shown, "d"))
    evidence = tuple(entry for entries in found.values() for entry in entries)
    if len(found) > 1:
        return unknown(Reason.CONFLICTING, "The instructions give different lengths of the course.", evidence)
    for value in found:
        return Reading(value, evidence=evidence, basis=Basis.ORDER)
    return unknown(Reason.NO_DATA, "The order does not limit the length of the course.")


def _course(dosage: Dosage) -> float | Bounds | None:
    course = bounds(dosage)
    if course.low_days is not None and course.high_days is not None:
        low, high = course.low_days, course.high_days
        return low if low == high else Bounds(low, high)
    first, last = _only_day(course.start), _only_day(course.end)
    if first is not None and last is not None and first <= last:
        return float((last - first).days + 1)
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
    """Vials dispensed for a month: of a supply of 28 to 31 days as ordered, else in proportion to 30 days.

    Interpretation: the policy says "per month" without telling calendar month from supply.
    """
    total, evidence = 0.0, []
    for given in given_medications(context):
        dispense = given.request.dispenseRequest if given.request is not None else None
        amount = dispense.quantity if dispense is not None else None
        if dispense is None or amount is None or amount.value is None:
            continue
        supply = dispense.expectedSupplyDuration
        evidence.append(_shown(given, amount.value, amount.unit or amount.code))
        if not any("vial" in text.casefold() for text in (amount.unit, amount.code)):
            unit = amount.unit or amount.code or "no unit"
            note = f"The amount on the drug's order is in {unit}, not in vials."
            return unknown(Reason.UNIT_MISMATCH, note, tuple(evidence))
        days = in_unit(supply, "d") if supply is not None else None
        if not days:
            note = "The order states vials without the days that they are to last."
            return unknown(Reason.IMPRECISE, note, tuple(evidence))
        total += amount.value if 28 <= days <= 31 else amount.value * 30 / days
    if not evidence:
        return SILENT
    return Reading(
        total, evidence=tuple(evidence), note="Vials for a supply of one month.", basis=Basis.ORDER
    )
