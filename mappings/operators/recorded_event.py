"""Whether something has happened to the patient: a history of it."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.dates import before, words
from mappings.events import coded_events
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Condition, Encounter
from mappings.operators.base import Context, operator, texts


@operator(Condition, Encounter)
def recorded_event(context: Context, value_sets: Iterable[str], within: str = "") -> Reading:
    """Whether a diagnosis or the reason of a visit in the value sets is dated on or before day 0.

    What happened stays true when the Condition is resolved. within: a calendar duration; older
    events alone are stale. Never False: a record without the event may be incomplete.
    """
    events = coded_events(context.chart, texts(value_sets), context.as_of)
    first = before(context.as_of, within) if within else None
    recent = [event for event in events if first is None or event.day.on_or_after(first)]
    if recent:
        return Reading(
            True, evidence=tuple(context.evidence(e.resource, e.written, says=e.says) for e in recent)
        )
    if events:
        last = events[-1]
        evidence = (context.evidence(last.resource, last.written, says=last.says),)
        return unknown(Reason.STALE, f"the last such event is older than {words(within)}", evidence)
    return unknown(Reason.NO_DATA)
