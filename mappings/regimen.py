"""How many doses a day were scheduled on each day of a period."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def longest_break(of: Iterable[Segment], at_least: float, sure: bool) -> int:
    """The most days in a row with fewer doses: surely enough (`sure`), or perhaps enough."""
    longest = current = 0
    for segment in of:
        enough = (segment.doses.low if sure else segment.doses.high) >= at_least
        current = 0 if enough else current + segment.days
        longest = max(longest, current)
    return longest
