"""For how many months one of several glucose patterns has been seen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from math import inf

from msgspec import Struct

from mappings.dates import before, months_between
from mappings.events import coded_events
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Encounter, Observation
from mappings.operators.base import Context, operator, texts
from mappings.operators.episodes_below import low_episodes
from mappings.operators.share_above import tagged_series
from mappings.results import Series

_ONGOING = timedelta(days=7)
_BREAK = timedelta(days=31)


class _Pattern(Struct, frozen=True):
    """Days on which a pattern was seen, oldest first, and whether it is one at all."""

    name: str
    days: tuple[date, ...]
    holds: bool
    evidence: tuple[Evidence, ...] = ()


@operator(
    Observation,
    Condition,
    Encounter,
    filtered=(Observation,),
    code_arguments=("codes", "sensors", "premeal", "fasting"),
)
def pattern_duration(
    context: Context,
    codes: Iterable[str],
    kind: str,
    low: float,
    episodes: float,
    high_premeal: float,
    high_fasting: float,
    commonly: float,
    sensors: Iterable[str] = (),
    premeal: Iterable[str] = (),
    fasting: Iterable[str] = (),
    low_conditions: Iterable[str] = (),
    severe: Iterable[str] = (),
    fasting_needs: str = "",
    within: str = "P1Y",
) -> Reading:
    """Calendar months from the first to the last sign of a pattern, the longest of those that hold.

    The patterns are those of ledger ins-new-4b to 4e: at least `episodes` episodes below `low`;
    pre-meal readings, and fasting readings, of which at least the share `commonly` lies above their
    limit (the latter only where the fact `fasting_needs` is true); severe events. A pattern still
    seen in the week before day 0 is ongoing and counts up to day 0. Signs older than `within` do not
    count, nor do high readings from before a month without any.

    Each pattern is measured for itself: an episode in May and a severe event in August are no
    pattern of three months. A single event has no duration, so that a known duration is then only a
    lower bound. Unknown when nothing holds; 0 when a log is on file that shows no sign of any.
    """
    chart, as_of = context.chart, context.as_of
    first, sets = before(as_of, within), texts(codes)
    lows = low_episodes(context, sets, texts(sensors), texts(low_conditions), kind, low, within)
    events = [e for e in coded_events(chart, texts(severe), as_of) if e.day.exact and e.day.first >= first]
    severe_evidence = tuple(context.evidence(e.resource, e.written, says=e.says) for e in events)
    dawn = not fasting_needs or context.value(fasting_needs) is True
    before_meals = tagged_series(chart, sets, texts(premeal), kind, "premeal").until(as_of)
    when_fasting = tagged_series(chart, sets, texts(fasting), kind, "fasting").until(as_of)
    patterns = [
        _Pattern("low readings", lows.days, len(lows.days) >= episodes, lows.evidence),
        _high(context, "high readings before meals", before_meals, high_premeal, commonly, first),
        _high(context, "high fasting readings", when_fasting, high_fasting, commonly if dawn else inf, first),
        _Pattern("severe events", tuple(e.day.first for e in events), bool(events), severe_evidence),
    ]
    holding = [pattern for pattern in patterns if pattern.holds]
    seen = tuple(evidence for pattern in patterns for evidence in pattern.evidence)
    if not holding:
        if any(pattern.days for pattern in patterns):
            note = "single signs are on file, which make no pattern"
            return unknown(Reason.TOO_SHORT_A_RECORD, note, seen)
        if lows.log:
            return Reading(0.0, note="the readings on file show none of these patterns")
        return unknown(Reason.TOO_SHORT_A_RECORD if lows.readings else Reason.NO_DATA)
    lasting = [pattern for pattern in holding if len(pattern.days) > 1]
    if not lasting:
        return unknown(Reason.TOO_SHORT_A_RECORD, "a single event is on file, which has no duration", seen)
    longest = max(lasting, key=lambda pattern: _months(pattern, as_of))
    months = _months(longest, as_of)
    note = f"{longest.name} from {longest.days[0]} to {longest.days[-1]}"
    value = months if len(lasting) == len(holding) else Bounds(months)
    return Reading(value, evidence=longest.evidence, note=note)


def _months(pattern: _Pattern, as_of: date) -> float:
    last = pattern.days[-1]
    return months_between(pattern.days[0], as_of if last >= as_of - _ONGOING else last)


def _high(
    context: Context, name: str, on_file: Series, threshold: float, commonly: float, first: date
) -> _Pattern:
    """The last stretch of readings above the threshold that no month without one interrupts."""
    recent = [result for result in on_file.results if result.day.exact and result.day.first >= first]
    above = [result for result in recent if result.above(float(threshold))]
    begun = len(above) - 1
    while begun > 0 and above[begun].day.first - above[begun - 1].day.first <= _BREAK:
        begun -= 1
    stretch = above[max(begun, 0) :]
    if not stretch:
        return _Pattern(name, (), False)
    among = sum(stretch[0].day.first <= r.day.first <= stretch[-1].day.first for r in recent)
    days = tuple(sorted({result.day.first for result in stretch}))
    evidence = tuple(
        context.evidence(result.observation, result.written, value=result.value, unit=on_file.unit)
        for result in (stretch[0], stretch[-1])[: len(stretch)]
    )
    return _Pattern(name, days, len(stretch) / among >= float(commonly), evidence)
