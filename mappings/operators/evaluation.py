"""An evaluation that had to come to a favorable result: done, when, with what result."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from mappings.conditions import in_any, words_of
from mappings.dates import Span, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Appointment, Encounter, Procedure, ServiceRequest
from mappings.operators.base import Context, operator, texts
from mappings.spinal_trials import began

_FAVORABLE, _UNFAVORABLE = "outcome-favorable", "outcome-unfavorable"


class _Done(Struct, frozen=True):
    """One evaluation that took place. result: True favorable, False not, None not coded."""

    day: Span | None
    evidence: Evidence
    result: bool | None


@operator(Procedure, Encounter, ServiceRequest, Appointment)
def evaluation(
    context: Context,
    property: str,  # noqa: A002 - the word of the catalogue
    value_sets: Iterable[str],
    date_fact: str = "",
    result_fact: str = "",
) -> Reading:
    """One property of the evaluations of the value sets by day 0; the latest one counts.

    done: True when one took place (Procedure completed, Encounter finished); False when it is only
    ordered, booked, planned, not done, or dated after day 0. date: its day. favorable: by
    Procedure.outcome; evaluations of one day that differ are conflicting.
    date_fact, result_fact: facts that state the day and the result; where nothing else is on file, a
    stated day on or before day 0, or a stated result, means that it was done (inferred).
    """
    sets = texts(value_sets)
    done, waiting = _read(context, sets)
    if property == "done":
        if done:
            return Reading(True, evidence=tuple(d.evidence for d in done))
        stated = _stated(context, date_fact, result_fact)
        waiting = waiting or _asked(context, sets)
        if waiting and not stated.value:
            return Reading(False, evidence=tuple(waiting), note="not done by the day of the order")
        return stated
    if not done:
        return unknown(Reason.NO_DATA)
    last = max(done, key=lambda d: d.day.last.isoformat() if d.day is not None else "")
    if property == "date":
        if last.day is None:
            return unknown(Reason.NO_DATA, "the evaluation is on file without a date", (last.evidence,))
        return Reading(last.day, evidence=(last.evidence,))
    same = [d for d in done if d.day == last.day]
    results = {d.result for d in same if d.result is not None}
    evidence = tuple(d.evidence for d in same)
    if len(results) == 1:
        return Reading(results.pop(), evidence=evidence)
    if results:
        return unknown(Reason.CONFLICTING, "evaluations of the same day differ", evidence)
    return unknown(Reason.NO_DATA, "the evaluation is on file without its result", evidence)


def _stated(context: Context, date_fact: str, result_fact: str) -> Reading:
    day = context.value(date_fact) if date_fact else None
    in_time = day.on_or_before(context.as_of) if isinstance(day, Span) else None
    if in_time is False:
        return Reading(False, inferred=True, note="it is dated after the order")
    if in_time or (result_fact and context.value(result_fact) is not None):
        return Reading(True, inferred=True, note="its day or its result is on file")
    return unknown(Reason.NO_DATA)


def _read(context: Context, sets: tuple[str, ...]) -> tuple[list[_Done], list[Evidence]]:
    done: list[_Done] = []
    waiting: list[Evidence] = []
    for procedure in context.chart.in_sets(Procedure, sets):
        day = span(began(procedure))
        late = day is not None and day.on_or_before(context.as_of) is False
        evidence = context.evidence(procedure, began(procedure), says=procedure.status)
        if procedure.status in ("preparation", "not-done") or late:
            waiting.append(evidence)
        elif procedure.status == "completed":
            done.append(_Done(day, evidence, _result(context, procedure)))
    for encounter in context.chart.of(Encounter):
        if not any(in_any(context.value_sets, c, sets) for c in (*encounter.type, encounter.serviceType)):
            continue
        start = encounter.period.start if encounter.period is not None else ""
        day = span(start)
        late = day is not None and day.on_or_before(context.as_of) is False
        evidence = context.evidence(encounter, start, says=encounter.status)
        if encounter.status in ("planned", "cancelled") or late:
            waiting.append(evidence)
        elif encounter.status == "finished":
            done.append(_Done(day, evidence, None))
    return done, waiting


def _asked(context: Context, sets: tuple[str, ...]) -> list[Evidence]:
    """Requests and bookings of it."""
    requests = [
        context.evidence(request, request.authoredOn, says=f"ordered: {words_of(request.code)}")
        for request in context.chart.in_sets(ServiceRequest, sets)
        if request.status in ("active", "draft", "on-hold") and request is not context.order.resource
    ]
    booked = [
        context.evidence(appointment, appointment.start, says=f"appointment {appointment.status}")
        for appointment in context.chart.of(Appointment)
        if appointment.status in ("proposed", "pending", "booked", "waitlist")
        and any(in_any(context.value_sets, concept, sets) for concept in appointment.serviceType)
    ]
    return [*requests, *booked]


def _result(context: Context, procedure: Procedure) -> bool | None:
    if in_any(context.value_sets, procedure.outcome, (_FAVORABLE,)):
        return True
    return False if in_any(context.value_sets, procedure.outcome, (_UNFAVORABLE,)) else None
