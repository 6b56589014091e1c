"""Facts that the record holds under their own name.

A result for which no public code exists is an Observation coded `urn:coverage-hooks:fact|<fact>`
(shared examples, README). A certificate is a DocumentReference with that code as its type; it says
yes to a yes-or-no fact. The latest day on or before day 0 counts; different values of that day
are conflicting. Of a period that ends on day 0, what was recorded before it began says nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from mappings.chart import Chart, reference_of
from mappings.codes import ANSWER_SYSTEM, FACT_SYSTEM
from mappings.components import naming_part
from mappings.dates import Span, span
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, DocumentReference, Observation, Resource
from mappings.results import COUNTED, written_date
from mappings.statements import YES_NO, plain
from mappings.units import in_unit


def recorded_names(chart: Chart) -> frozenset[str]:
    """The facts of which the record may hold something under their own name."""
    return chart.once("recorded-names", lambda: _recorded_names(chart))


def recorded(
    chart: Chart, as_of: date, name: str, kind: str, unit: str, since: date | None = None
) -> Reading | None:
    """What the record holds of a fact of a type under the fact's own name; None when nothing.

    kind: the fact's type in the catalogue. unit: the unit that a number is read in. since: the first
    day of the period that is asked about; what was recorded before it is stale.
    """
    found: list[tuple[Span, Any, Resource, str]] = []
    for observation in chart.coded(Observation, FACT_SYSTEM, name):
        written = written_date(observation)
        day = span(written)
        if observation.status in COUNTED and day is not None and day.on_or_before(as_of):
            found.append((day, _value(observation, kind, unit), observation, written))
    if kind == "boolean":
        for document in _certified(chart).get(name, ()):
            day = span(document.date)
            if day is not None and day.on_or_before(as_of):
                found.append((day, True, document, document.date))
    if not found:
        return None
    last = max(day.last for day, *_ in found)
    latest = [item for item in found if item[0].last == last]
    evidence = tuple(
        Evidence(
            resource=reference_of(resource),
            origin=chart.origin(resource),
            date=written[:10],
            value=plain(value),
            unit=unit if isinstance(value, float) else "",
            says=naming_part(resource, ""),
        )
        for _, value, resource, written in latest
    )
    values = {value for _, value, _, _ in latest if value is not None}
    if not values:
        return unknown(Reason.UNIT_MISMATCH, f"the record's {name} cannot be read as {kind}", evidence)
    if since is not None and any(day.first < since for day, *_ in latest):
        note = f"the record's {name} is older than the period that is asked about, from {since} on"
        return unknown(Reason.STALE, note, evidence)
    if len(values) > 1:
        return unknown(Reason.CONFLICTING, "results of the same day differ", evidence)
    return Reading(values.pop(), evidence=evidence)


def _recorded_names(chart: Chart) -> frozenset[str]:
    return frozenset(chart.codes_of(Observation, FACT_SYSTEM)).union(_certified(chart))


def joined(name_given: Reading, computed: Reading) -> Reading:
    """What the record holds by name, and what was computed from it, as one reading.

    Where both know and differ, a number lies between the two (a demand that both meet is met), and
    anything else is conflicting.
    """
    if not computed.known or computed.inferred:
        return name_given
    evidence = (*name_given.evidence, *computed.evidence)
    if not name_given.known or name_given.value == computed.value:
        return Reading(computed.value, evidence=evidence, note=computed.note)
    ends = [_ends(name_given.value), _ends(computed.value)]
    if None in ends:
        return unknown(Reason.CONFLICTING, "results on file differ", evidence)
    lows, highs = zip(*(end for end in ends if end is not None), strict=True)
    note = f"the record states {plain(name_given.value)}; its data give: {computed.note or computed.value}"
    return Reading(Bounds(min(lows), max(highs)), evidence=evidence, note=note)


def _ends(value: Any) -> tuple[float, float] | None:
    if isinstance(value, Bounds):
        return value.low, value.high
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value, value
    return None


def _certified(chart: Chart) -> dict[str, list[DocumentReference]]:
    """Name of a fact -> the current documents that certify it."""
    return chart.once("certificates", lambda: _certificates(chart))


def _certificates(chart: Chart) -> dict[str, list[DocumentReference]]:
    found: dict[str, list[DocumentReference]] = {}
    for document in chart.of(DocumentReference):
        if document.status == "current" and document.docStatus not in ("preliminary", "entered-in-error"):
            codings = document.type.coding if document.type else ()
            for name in {coding.code for coding in codings if coding.system == FACT_SYSTEM}:
                found.setdefault(name, []).append(document)
    return found


def _value(observation: Observation, kind: str, unit: str) -> Any:
    """The value as the fact's type, None when it does not fit."""
    if kind == "boolean":
        concept = observation.valueCodeableConcept
        if observation.valueBoolean is not None or concept is None:
            return observation.valueBoolean
        return next((YES_NO[c.code] for c in concept.coding if c.code in YES_NO), None)
    if kind in ("decimal", "integer"):
        if observation.valueQuantity is not None:
            return in_unit(observation.valueQuantity, unit)
        return observation.valueInteger
    if kind == "date":
        return span(observation.valueDateTime)
    text = _text(observation.valueCodeableConcept) or observation.valueString.strip()
    if not text:
        return None
    return (text,) if kind == "list" else text


def _text(concept: CodeableConcept | None) -> str:
    if concept is None:
        return ""
    ours = next((c.code for c in concept.coding if c.system == ANSWER_SYSTEM and c.code), "")
    return ours or next((c.code for c in concept.coding if c.code), concept.text)
