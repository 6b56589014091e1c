"""How often a dose is given, from FHIR's coded timing: Timing.repeat and Timing.code.

Source: FHIR R4 Timing (https://hl7.org/fhir/R4/datatypes.html#Timing); codes in timing_codes.yaml.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from mappings.codes import canonical_system
from mappings.documents import read
from mappings.fhir import CodeableConcept, TimingRepeat
from mappings.rate import DAYS, Rate, between, exactly

_ANY_MEAL = frozenset({"AC", "C", "PC"})


class _Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    per_day: str
    display: str
    up_to: str = ""


@cache
def _table() -> dict[str, dict[str, _Code]]:
    return read(Path(__file__).parent / "timing_codes.yaml", dict[str, dict[str, _Code]])


@cache
def _rates() -> dict[tuple[str, str], Rate]:
    """Rates by canonical system and code; the file names systems as systems.json does."""
    return {
        (canonical_system(system), code): between(
            Fraction(entry.per_day), Fraction(entry.up_to or entry.per_day)
        )
        for system, codes in _table().items()
        for code, entry in codes.items()
    }


def rate_of_code(code: CodeableConcept | None) -> Rate:
    """The rate that Timing.code means by its first known coding; Rate() when none is known.

    A coding without a system is read as an HL7 abbreviation ("TID"): no other vocabulary of
    timing codes has such codes.
    """
    for coding in code.coding if code else ():
        system = canonical_system(coding.system or "gts-abbreviation")
        rate = _rates().get((system, coding.code)) or _rates().get((system, coding.code.upper()))
        if rate:
            return rate
    return Rate()


def rate_of_repeat(repeat: TimingRepeat | None) -> Rate:
    """The rate that Timing.repeat states: frequency, named times and days of the week together."""
    if repeat is None:
        return Rate()
    counted, named = _counted(repeat), _named(repeat)
    if counted.problem or named.problem:
        return counted if counted.problem else named
    rate = _together(repeat, counted, named)
    # "Every Monday" beside "once a week" is one dose a week, beside "4 a day" or alone a share.
    if repeat.dayOfWeek and repeat.periodUnit not in ("wk", "mo", "a"):
        share = len(set(repeat.dayOfWeek)) / 7
        low, high = (1.0 if end is None else end for end in (rate.low, rate.high))
        return Rate(low=low * share, high=high * share)
    if not rate.known and repeat.count is not None:
        return Rate(problem="no_data", says="a number of doses without a frequency")
    return rate


def _counted(repeat: TimingRepeat) -> Rate:
    """Frequency per period. FHIR's default frequency is one."""
    if repeat.period is None:
        if repeat.frequency is None or repeat.when or repeat.timeOfDay or repeat.dayOfWeek:
            return Rate()
        return Rate(problem="no_data", says="a frequency without a period")
    days = DAYS.get(repeat.periodUnit)
    if days is None or repeat.period <= 0:
        return Rate(problem="no_data", says="a period without a known unit")
    frequency = 1.0 if repeat.frequency is None else repeat.frequency
    most = frequency if repeat.frequencyMax is None else repeat.frequencyMax
    longest = repeat.period if repeat.periodMax is None else repeat.periodMax
    return between(_per_day(frequency, longest, days), _per_day(most, repeat.period, days))


@lru_cache(maxsize=4096)
def _per_day(times: float, periods: float, days: Fraction) -> Fraction:
    return Fraction(str(times)) / (Fraction(str(periods)) * days)


def _named(repeat: TimingRepeat) -> Rate:
    """The times of the day that are listed."""
    if repeat.timeOfDay:
        return exactly(Fraction(len(set(repeat.timeOfDay))))
    if not repeat.when:
        return Rate()
    times = 0.0
    for event in set(repeat.when):
        rates = (_rates().get((canonical_system(key), event)) for key in ("timing-event", "event-timing"))
        rate = next(filter(None, rates), None)
        if rate is None or rate.low is None:
            return Rate(problem="no_data", says=f"an event that is not known ({event})")
        times += rate.low
    return Rate(low=times, high=times)


def _together(repeat: TimingRepeat, counted: Rate, named: Rate) -> Rate:
    """A frequency and named times count the same doses.

    Per day, a frequency of one is often only the default: two named times are two doses. "AC" with
    it may mean one meal or every meal and stays a range, as does any other disagreement.
    """
    if counted.low is None or counted.high is None or named.low is None or named.high is None:
        return counted if counted.known else named
    if repeat.period != 1 or repeat.periodUnit != "d":
        return counted
    if counted.low == counted.high == 1 and not _ANY_MEAL.intersection(repeat.when):
        return named
    return Rate(low=min(counted.low, named.low), high=max(counted.high, named.high))
