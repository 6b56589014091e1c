"""Stretches of days during which something was in use, with ends that may be uncertain.

A record often knows an end only roughly ("since 2024", "stopped"). A stretch keeps both readings:
the days on which the thing was surely in use, and those on which it may have been.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct

from mappings.dates import span
from mappings.fhir import Period

NEVER, FOREVER = date.min, date.max
_DAY = timedelta(days=1)


class Stretch(Struct, frozen=True):
    """In use surely on [sure_first, sure_last] (none when that is empty), perhaps on [first, last]."""

    first: date
    sure_first: date
    sure_last: date
    last: date

    def surely(self, day: date) -> bool:
        return self.sure_first <= day <= self.sure_last

    def perhaps(self, day: date) -> bool:
        return self.first <= day <= self.last


def stretch_of(
    period: Period | None, at: str, known_on: str, as_of: date, over: bool, doubtful: bool = False
) -> Stretch:
    """The stretch that a status and the dates of a record mean.

    period: when it was used. at: a point in time at which it was used. known_on: the day the record
    was made. over: the status says that the use has ended; then it ended before the end date
    given, or, without one, at an unknown time before day 0. doubtful: the status leaves open
    whether it was used at all.

    A point in time, or the day of the record, shows use from that day on; it may have begun before.
    """
    start = span(period.start) if period is not None else None
    end = span(period.end) if period is not None else None
    since = span(at) or span(known_on)
    if start is not None:
        first, sure_first = start.first, start.last
    else:
        first, sure_first = NEVER, since.last if since is not None else as_of
    if end is not None:
        sure_last, last = (end.first - _DAY, end.last - _DAY) if over else (end.first, end.last)
    elif over:
        sure_last, last = sure_first, max(first, as_of - _DAY)
    else:
        sure_last, last = FOREVER, FOREVER
    if doubtful:
        sure_last = sure_first - _DAY if sure_first > NEVER else NEVER
    return Stretch(first, sure_first, sure_last, last)


def days(first: date, last: date) -> Stretch:
    """A stretch that is known to the day."""
    return Stretch(first, first, last, last)


def runs(of: Iterable[date], gap: int) -> list[tuple[date, date]]:
    """Days put together to runs that are broken by at most `gap` days."""
    found: list[tuple[date, date]] = []
    for day in sorted(of):
        if found and (day - found[-1][1]).days <= gap + 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def covers(stretches: Iterable[Stretch], first: date, last: date, gap: int) -> bool | None:
    """Whether use lasted from `first` through `last`; breaks of up to `gap` days do not count.

    None when uncertain ends leave it open.
    """
    listed = list(stretches)
    sure = [(s.sure_first, s.sure_last) for s in listed if s.sure_first <= s.sure_last]
    if _covered(sure, first, last, gap):
        return True
    return None if _covered([(s.first, s.last) for s in listed], first, last, gap) else False


def begin_of_run(stretches: Iterable[Stretch], day: date, gap: int) -> date | None:
    """The first day of the sure use that lasts to `day`, breaks of up to `gap` days aside."""
    parts = [(s.sure_first, s.sure_last) for s in stretches if s.sure_first <= s.sure_last]
    return next((first for first, last in _joined(parts, gap) if first <= day <= last), None)


def _covered(parts: list[tuple[date, date]], first: date, last: date, gap: int) -> bool:
    return any(begun <= first and ended >= last for begun, ended in _joined(parts, gap))


def _joined(parts: list[tuple[date, date]], gap: int) -> list[tuple[date, date]]:
    joined: list[tuple[date, date]] = []
    for first, last in sorted(parts):
        if joined and (joined[-1][1] == FOREVER or (first - joined[-1][1]).days <= gap + 1):
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
