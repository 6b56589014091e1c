"""How many doses a day were scheduled on each day of a period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from mappings.drug_use import DrugUse, doses_on
from mappings.evidence import Bounds

GAP = 14
"""A break of up to two weeks (a change of the product, a late refill) does not end a regimen."""

_DAY = timedelta(days=1)


class Segment(Struct, frozen=True):
    """Days [first, last] with the same doses."""

    first: date
    last: date
    doses: Bounds

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def segments(uses: Sequence[DrugUse], first: date, last: date) -> list[Segment]:
    """The days [first, last] cut where a use begins or ends, surely or perhaps; oldest first."""
    starts = {first}
    for use in uses:
        stretch = use.stretch
        begins = [stretch.first, stretch.sure_first]
        begins += [day + _DAY for day in (stretch.sure_last, stretch.last) if day < last]
        starts.update(day for day in begins if first < day <= last)
    ordered = sorted(starts)
    ends = [*(start - _DAY for start in ordered[1:]), last]
    return [Segment(begin, end, doses_on(uses, begin)) for begin, end in zip(ordered, ends, strict=True)]


def is_held(of: Sequence[Segment], first: date, at_least: float, sure: bool) -> bool:
    """Whether so many doses were kept from `first` on: surely enough (`sure`), or perhaps enough.

    A break that is tolerated lies between two stretches of the regimen: it must be on at `first`, or
    before it with a break across `first` that is short. `of` begins GAP days before `first`.
    """
    begun, current = False, 0
    for segment in of:
        if (segment.doses.low if sure else segment.doses.high) >= at_least:
            if not begun and segment.first > first:
                return False
            begun, current = True, 0
        elif begun:
            current += segment.days
            if current > GAP:
                return False
    return begun
