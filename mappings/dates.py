"""Calendar days of FHIR dates, and calendar spans.

The calendar date counts as it is written, in its own offset: 2026-02-16T23:30:00-05:00 is the
16th. A partial date (2026, 2026-03) is the interval of days it may mean, and a comparison that
the interval cannot decide is None, never a guess (shared design, domain rule 6).
Source: https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

_WRITTEN = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T.*)?$")
_DURATION = re.compile(r"^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$")


class Span(NamedTuple):
    """The days a written date may mean; `first == last` for a full date."""

    first: date
    last: date

    @property
    def exact(self) -> bool:
        return self.first == self.last

    def on_or_before(self, day: date) -> bool | None:
        """Whether the date lies on or before `day`; None when the interval straddles it."""
        if self.last <= day:
            return True
        return False if self.first > day else None

    def on_or_after(self, day: date) -> bool | None:
        if self.first >= day:
            return True
        return False if self.last < day else None

    def within(self, start: date, end: date) -> bool | None:
        """Whether the date lies in [start, end], both days included."""
        after, before = self.on_or_after(start), self.on_or_before(end)
        if after is False or before is False:
            return False
        return True if after and before else None


@lru_cache(maxsize=16384)
def _span(written: str) -> Span | None:
    match = _WRITTEN.match(written)
    if match is None:
        return None
    year, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        if day:
            only = date(year, month, day)
            return Span(only, only)
        if month:
            return Span(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
        return Span(date(year, 1, 1), date(year, 12, 31))
    except ValueError:
        return None


def span(written: str) -> Span | None:
    """The days that a FHIR date, dateTime or instant may mean; None when it is no date."""
    # A log of 17,280 readings has 60 days: cutting the time off makes the memo hit.
    return _span(written[:10] if len(written) > 10 and written[10] == "T" else written)


def may_include(start: str, end: str, day: date) -> bool:
    """Whether a period from `start` to `end`, each open when "", may include `day`.

    Both ends count, and a partial date that leaves it open does not rule the day out.
    """
    first, last = span(start), span(end)
    begun = first is None or first.on_or_before(day) is not False
    return begun and (last is None or last.on_or_after(day) is not False)


@lru_cache(maxsize=4096)
def before(day: date, duration: str) -> date:
    """The day that lies a calendar duration ("P6M", "P60D", "P1Y", "P6W") before `day`.

    Months are calendar months: six months before 31 August is the last day of February.
    Raises ValueError for text that is no such duration.
    """
    return day - _delta(duration)


@lru_cache(maxsize=4096)
def after(day: date, duration: str) -> date:
    """The day that lies a calendar duration after `day`. Raises ValueError as `before`."""
    return day + _delta(duration)


@lru_cache(maxsize=256)
def _delta(duration: str) -> relativedelta:
    match = _DURATION.match(duration)
    if match is None or not any(match.groups()):
        raise ValueError(f"{duration!r} is no calendar duration; write for example P6M, P60D or P1Y")
    years, months, weeks, days = (int(part or 0) for part in match.groups())
    return relativedelta(years=years, months=months, weeks=weeks, days=days)


@lru_cache(maxsize=256)
def is_duration(text: str) -> bool:
    match = _DURATION.match(text)
    return match is not None and any(match.groups())


class Window(NamedTuple):
    """Days [first, last], both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def window_before(day: date, duration: str) -> Window:
    """The calendar span of `duration` that ends on the day before `day` (day 0 is outside)."""
    return Window(before(day, duration), day - timedelta(days=1))


def words(duration: str) -> str:
    """A duration in plain words: P6M -> "6 months"."""
    delta = _delta(duration)
    parts = [
        f"{count} {unit if count != 1 else unit[:-1]}"
        for count, unit in ((delta.years, "years"), (delta.months, "months"), (delta.days, "days"))
        if count
    ]
    return " ".join(parts)


def completed_years(birth: Span, day: date) -> tuple[int, int]:
    """Completed years on `day`: the lowest and highest that a partial birth date allows."""
    return _years(birth.last, day), _years(birth.first, day)


@lru_cache(maxsize=4096)
def completed_months(birth: Span, day: date) -> tuple[int, int]:
    """Completed months on `day`, lowest and highest."""
    low, high = relativedelta(day, birth.last), relativedelta(day, birth.first)
    return low.years * 12 + low.months, high.years * 12 + high.months


@lru_cache(maxsize=4096)
def months_between(start: date, end: date) -> float:
    """Calendar months from `start` to `end`: whole months are whole numbers, the rest a fraction.

    16 November to 16 February is 3.0, to 15 February less. 0 when `end` does not come later.
    """
    if end <= start:
        return 0.0
    delta = relativedelta(end, start)
    whole = delta.years * 12 + delta.months
    begun = start + relativedelta(months=whole)
    return whole + (end - begun).days / ((start + relativedelta(months=whole + 1)) - begun).days


def _years(birth: date, day: date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
