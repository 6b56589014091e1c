"""Glucose self-tests: which readings a person took with a drop of blood and a meter.

A reading counts by its code (glucometer, test strip), or, under a general glucose code, when it is
marked as self-measured: performed by the patient or a relative, with a glucose meter, or by a
method that says so. A reading of a sensor never counts, and a day with more readings than anyone
pricks a finger is a sensor's day whatever its code (readings A10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from mappings.chart import Chart
from mappings.conditions import in_any
from mappings.dates import span
from mappings.fhir import Device, Observation, Patient, Reference
from mappings.results import COUNTED, written_date

_MOST_A_DAY = 30
"""A reading every 5 to 15 minutes makes 96 to 288 a day; the busiest self-testers stay far below 30."""

_METHOD_WORDS = ("self", "finger", "glucometer", "glucose meter")


class SelfTests(Struct, frozen=True):
    """Self-tests by calendar day.

    sure: day -> number of tests. unclear: day -> readings of a glucose meter that a professional
    took or entered. observations: one reading of each day, for evidence. streams: how many days
    were left out because a sensor's readings fill them.
    """

    sure: dict[date, int]
    unclear: dict[date, int]
    observations: dict[date, Observation]
    streams: int = 0

    def count(self, first: date, last: date) -> tuple[int, int]:
        """The tests within [first, last]: those that are sure, and those that may be."""
        sure = sum(number for day, number in self.sure.items() if first <= day <= last)
        return sure, sure + sum(number for day, number in self.unclear.items() if first <= day <= last)


def self_tests(
    chart: Chart,
    codes: tuple[str, ...],
    marked: tuple[str, ...],
    meters: tuple[str, ...],
    sensors: tuple[str, ...],
) -> SelfTests:
    """The self-tests of a chart, by day.

    codes: value sets of glucometer codes. marked: value sets of general codes that need a mark.
    meters, sensors: value sets of the Device types. Duplicates (the same instant and value)
    count once; a reading without an exact day is left out.
    """
    at = ("self-tests", codes, marked, meters, sensors)
    return chart.once(at, lambda: _Reader(chart, meters, sensors).read(codes, marked))


class _Reader:
    def __init__(self, chart: Chart, meters: tuple[str, ...], sensors: tuple[str, ...]) -> None:
        self._chart, self._meters, self._sensors = chart, meters, sensors
        self._devices: dict[str, str] = {}
        self._performers: dict[str, str] = {}

    def read(self, codes: Iterable[str], marked: Iterable[str]) -> SelfTests:
        sure: Counter[date] = Counter()
        unclear: Counter[date] = Counter()
        observations: dict[date, Observation] = {}
        seen: set[tuple[str, float | str]] = set()
        by_code = self._chart.in_sets(Observation, codes)
        coded = {id(observation) for observation in by_code}
        general = (o for o in self._chart.in_sets(Observation, marked) if id(o) not in coded)
        for observations_of, needs_mark in ((by_code, False), (general, True)):
            for observation in observations_of:
                quantity = observation.valueQuantity
                # A meter that shows "HI" or "LO" was used for a test too.
                value = observation.valueString if quantity is None else quantity.value
                if observation.status not in COUNTED or value is None or value == "":
                    continue
                written = written_date(observation)
                day = span(written)
                if day is None or not day.exact or (written, value) in seen:
                    continue
                who = self._who(observation, needs_mark)
                if who == "":
                    continue
                seen.add((written, value))
                (sure if who == "self" else unclear)[day.first] += 1
                observations.setdefault(day.first, observation)
        streams = {day for day in {*sure, *unclear} if sure[day] + unclear[day] > _MOST_A_DAY}
        return SelfTests(
            {day: number for day, number in sure.items() if day not in streams},
            {day: number for day, number in unclear.items() if day not in streams},
            observations,
            len(streams),
        )

    def _who(self, observation: Observation, needs_mark: bool) -> str:
        """ "self", "unclear" or "" (no self-test)."""
        device = self._device(observation)
        if device == "sensor":
            return ""
        performers = {
            self._performer(reference.reference, reference.type) for reference in observation.performer
        }
        if "self" in performers:
            return "self"
        if needs_mark:
            return "self" if device == "meter" or _says_self(observation) else ""
        # A glucometer code with only a nurse as performer is a bedside test, or a home test that
        # the nurse typed in: it must not lower the average, nor raise it.
        return "unclear" if "other" in performers else "self"

    def _device(self, observation: Observation) -> str:
        if observation.device is None:
            return ""
        written = observation.device.reference or observation.device.display
        found = self._devices.get(written)
        if found is None:
            device = self._chart.resolve(observation.device, observation)
            concept = device.type if isinstance(device, Device) else None
            value_sets = self._chart.value_sets
            if in_any(value_sets, concept, self._sensors):
                found = "sensor"
            elif in_any(value_sets, concept, self._meters):
                found = "meter"
            else:
                found = ""
            self._devices[written] = found
        return found

    def _performer(self, written: str, type_: str) -> str:
        """ "self" for the patient or a relative, "other" for anybody else, "" when nobody is named."""
        found = self._performers.get(written)
        if found is None:
            parts = written.split("/")
            kind = type_ or (parts[-2] if len(parts) > 1 else "")
            if not kind and isinstance(self._chart.resolve(Reference(reference=written)), Patient):
                kind = "Patient"
            found = "self" if kind in ("Patient", "RelatedPerson") else "other" if kind else ""
            self._performers[written] = found
        return found


def _says_self(observation: Observation) -> bool:
    method = observation.method
    if method is None:
        return False
    words = " ".join((method.text, *(coding.display for coding in method.coding))).lower()
    return any(word in words for word in _METHOD_WORDS)
