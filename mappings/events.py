"""Dated events that the record holds as a diagnosis or as the reason of a visit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from mappings.chart import Chart, is_confirmed
from mappings.conditions import date_of, in_any, words_of
from mappings.dates import Span, span
from mappings.fhir import Condition, Encounter, Resource


class Event(Struct, frozen=True):
    """Something that happened: when, the resource that says so, in words."""

    day: Span
    written: str
    resource: Resource
    says: str


def coded_events(chart: Chart, value_sets: Iterable[str], as_of: date) -> list[Event]:
    """Events up to `as_of` whose code is in the value sets, oldest first, one for each day.

    Confirmed Conditions, active or over (what happened stays true), by their onset, else the day
    they were recorded; and the reasons of visits that took place.
    """
    sets = tuple(value_sets)
    found: dict[Span, Event] = {}
    for condition in chart.in_sets(Condition, sets):
        if is_confirmed(condition):
            _take(found, date_of(condition), condition, words_of(condition.code), as_of)
    for encounter in chart.of(Encounter):
        if encounter.status in ("finished", "in-progress", "onleave") and encounter.period is not None:
            for concept in encounter.reasonCode:
                if in_any(chart.value_sets, concept, sets):
                    _take(found, encounter.period.start, encounter, words_of(concept), as_of)
    return sorted(found.values(), key=lambda event: event.day.last)


def _take(found: dict[Span, Event], written: str, resource: Resource, says: str, as_of: date) -> None:
    day = span(written)
    if day is not None and day.on_or_before(as_of):
        found.setdefault(day, Event(day, written, resource, says))
