"""How the drug is to be infused: by which route, for how many hours, with or without interruption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mappings.codes import key
from mappings.evidence import SILENT, Basis, Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Dosage, Quantity, Ratio
from mappings.infusion_text import hours_in_words, is_continuous_in_words
from mappings.operators.base import Context
from mappings.order_facts.medications import CONTINUOUS_INFUSION, Given, given_medications
from mappings.pumps import texts_of
from mappings.rate import DAYS
from mappings.routes import is_parenteral, route_of
from mappings.timing import bounds, duration_hours
from mappings.units import in_unit
from mappings.words import has_words

_SPOKEN_HOURS = re.compile(
    r"\b(over|for|infuse\w*)\b[^.;]*?\d+([.-]\d+)?\s*(h|hr|hrs|hours?|min|minutes?)\b", re.I
)
_INTERRUPTED = ("intermittent", "intermittent infusion", "bolus")
_SUBCUTANEOUS = "subcutaneous"
_MINUTE = 1 / 60


def dosages(context: Context) -> Iterator[tuple[Dosage, Given]]:
    """The dosage instructions of the medications for the pump, each with its medication."""
    for given in given_medications(context):
        for dosage in given.dosages:
            yield dosage, given


def shown(given: Given, value: object, unit: str = "", says: str = "") -> Evidence:
    """Evidence that rests on the order (or the record) of a medication."""
    base = given.evidence
    return Evidence(base.resource, base.origin, base.date, value, unit, says)


def agreed_reading(found: Mapping[Any, list[Evidence]], conflict: str) -> Reading | None:
    """The one value that all instructions give; unknown with the note `conflict` when they differ."""
    evidence = tuple(entry for entries in found.values() for entry in entries)
    if len(found) > 1:
        return unknown(Reason.CONFLICTING, conflict, evidence)
    return next((Reading(value, evidence=evidence, basis=Basis.ORDER) for value in found), None)


def written(number: float | Bounds) -> float | str:
    """A number as evidence shows it."""
    return f"{number.low:g} to {number.high:g}" if isinstance(number, Bounds) else number


def drug_route(context: Context) -> Reading:
    """The route of the drug. Intra-arterial with the hepatic artery as site is intra-arterial-hepatic."""
    found: dict[tuple[str, ...], list[Evidence]] = {}
    unmapped: list[Evidence] = []
    for dosage, medication in dosages(context):
        read = route_of(dosage)
        if read.routes:
            entry = shown(medication, " or ".join(read.routes), says=read.text if read.worded else "")
            found.setdefault(read.routes, []).append(entry)
        elif read.unmapped:
            unmapped.append(shown(medication, read.text))
    agreed = agreed_reading(found, "The order names several routes.")
    if agreed is not None and agreed.known and len(agreed.value) > 1:
        note = f"The order leaves open whether the route is {' or '.join(agreed.value)}."
        return unknown(Reason.IMPRECISE, note, agreed.evidence)
    if agreed is not None:
        value = agreed.value[0] if agreed.known else None
        return Reading(value, agreed.reason, agreed.evidence, agreed.note, Basis.ORDER)
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


def drug_parenteral(context: Context) -> Reading:
    """Whether the route of the drug is a parenteral one; silent where no instruction names a route.

    Which of several parenteral routes is meant may be open.
    """
    found: dict[bool, list[Evidence]] = {}
    for dosage, medication in dosages(context):
        read = route_of(dosage)
        if read.routes:
            parenteral = any(is_parenteral(route) for route in read.routes)
            entry = shown(medication, " or ".join(read.routes), says=read.text if read.worded else "")
            found.setdefault(parenteral, []).append(entry)
    for parenteral in (True, False):
        if parenteral in found:
            return Reading(parenteral, evidence=tuple(found[parenteral]), basis=Basis.ORDER)
    return SILENT


def infusion_hours(context: Context) -> Reading:
    """How long one infusion takes, in hours.

    The stated duration counts, coded or in words that mean one thing; where the two contradict each
    other, it is open. Where there is none: the dose divided by its rate, or the whole course of an
    infusion that is ordered as continuous. "Continuous" and a rate alone do not tell
    the hours (46 hours of fluorouracil are as continuous as 8 hours of doxorubicin), except that a
    rate per day means around the clock.
    """
    found: dict[float | Bounds, list[Evidence]] = {}
    spoken: list[Evidence] = []
    for dosage, given in dosages(context):
        read = _stated(dosage) or _derived(dosage)
        for hours, says in read.items():
            found.setdefault(hours, []).append(shown(given, written(hours), "h", says))
        if not read and _SPOKEN_HOURS.search(dosage.text):
            spoken.append(shown(given, None, says=dosage.text))
    agreed = agreed_reading(found, "The instructions give different infusion times.")
    if agreed is not None:
        return agreed
    if spoken:
        note = "The infusion time stands only in the words of the instruction."
        return unknown(Reason.NARRATIVE_ONLY, note, tuple(spoken))
    return unknown(Reason.NO_DATA, "The order does not tell how long one infusion takes.")


def _stated(dosage: Dosage) -> dict[float | Bounds, str]:
    """The hours that an instruction states, with the words that tell them; two where they contradict."""
    coded, worded = duration_hours(dosage), hours_in_words(dosage.text)
    stated: dict[float | Bounds, str] = {}
    if coded is not None:
        stated[_one(coded)] = ""
    if worded is not None and (coded is None or _apart(coded, worded)):
        stated[_one(worded)] = dosage.text
    return stated


def _one(hours: tuple[float, float]) -> float | Bounds:
    low, high = hours
    return low if low == high else Bounds(low, high)


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] > other[1] + _MINUTE or other[0] > one[1] + _MINUTE


def _derived(dosage: Dosage) -> dict[float | Bounds, str]:
    """The hours that follow from what an instruction states, and how they were found."""
    for amount in dosage.doseAndRate:
        hours = _dose_by_rate(amount.doseQuantity, amount.rateQuantity or _as_quantity(amount.rateRatio))
        if hours is not None:
            return {hours: "dose divided by rate"}
    if not _is_continuous(dosage):
        return {}
    course = bounds(dosage)
    if course.low_days is not None and course.low_days == course.high_days:
        return {course.low_days * 24: "continuous over the whole course"}
    if any(_is_per_day(amount.rateQuantity, amount.rateRatio) for amount in dosage.doseAndRate):
        return {24.0: "continuous, at a rate per day"}
    return {}


def _dose_by_rate(dose: Quantity | None, rate: Quantity | None) -> float | None:
    """Hours that a dose (100 mL) takes at a rate in the same unit (12.5 mL/h)."""
    if dose is None or rate is None or dose.value is None or not rate.value:
        return None
    unit, _, per = (rate.code or rate.unit).rpartition("/")
    days = DAYS.get({"hr": "h", "hour": "h", "day": "d"}.get(per, per))
    if days is None or unit.casefold() != (dose.code or dose.unit).casefold():
        return None
    return dose.value / rate.value * float(days) * 24


def _as_quantity(rate: Ratio | None) -> Quantity | None:
    """A rate that is written as a ratio (100 mL : 8 h) as one quantity (12.5 mL/h)."""
    if rate is None or rate.numerator is None or rate.denominator is None:
        return None
    of, per = rate.numerator, rate.denominator
    if of.value is None or not per.value:
        return None
    return Quantity(value=of.value / per.value, unit=f"{of.code or of.unit}/{per.code or per.unit}")


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
        return is_continuous_in_words(dosage.text)
    if any(key(coding) == CONTINUOUS_INFUSION for coding in method.coding):
        return True
    return any(has_words(text, "continuous") for text in texts_of(method))


def infusion_continuous(context: Context) -> Reading:
    """Whether delivery is uninterrupted: a continuous infusion by its method, or 24 hours every day.

    A duration alone does not tell: 12 hours may be one infusion or two with a pause.
    """
    found: dict[bool, list[Evidence]] = {}
    for dosage, given in dosages(context):
        words = texts_of(dosage.method)
        if _is_continuous(dosage):
            found.setdefault(True, []).append(shown(given, True, says="continuous infusion"))
        elif any(has_words(text, phrase) for text in words for phrase in _INTERRUPTED):
            found.setdefault(False, []).append(shown(given, False, says=words[0]))
        elif _fills_the_day(dosage):
            found.setdefault(True, []).append(shown(given, True, says="24 hours every day"))
    agreed = agreed_reading(found, "One instruction is continuous, another is not.")
    if agreed is not None:
        return agreed
    return unknown(Reason.NO_DATA, "The order does not tell whether the infusion runs without interruption.")


def _fills_the_day(dosage: Dosage) -> bool:
    repeat, hours = dosage.timing.repeat if dosage.timing else None, duration_hours(dosage)
    if repeat is None or hours is None or not repeat.frequency or repeat.period is None:
        return False
    days = DAYS.get(repeat.periodUnit)
    return days is not None and hours[0] * repeat.frequency >= repeat.period * float(days) * 24
