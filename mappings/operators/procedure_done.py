"""Whether a procedure or a program has been completed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mappings.conditions import words_of
from mappings.dates import Span, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Procedure
from mappings.operators.base import Context, operator, texts

_NOT_COMPLETED = ("in-progress", "preparation", "not-done", "stopped", "on-hold")
_INCOMPLETE = re.compile(
    r"\b(not|never|in|un)[\s-]?(yet )?(completed?|finished)\b|\bpartial(ly)?\b|\bwithdrew\b|\bdropped out\b"
    r"|\bdid not (complete|finish)\b|\b\d+ of \d+\b",
    re.IGNORECASE,
)


@operator(Procedure)
def procedure_done(
    context: Context,
    value_sets: Iterable[str],
    pointing: Iterable[str] = (),
) -> Reading:
    """Whether a Procedure of the value sets was completed on or before day 0.

    True: status completed and an outcome that does not say otherwise ("3 of 6 sessions attended").
    False: one is on file, and none is completed: in progress, in preparation, not done, stopped,
    with an incomplete outcome, or completed only after day 0. Unknown: none on file, a status
    "unknown", a partial date that may lie after day 0 (imprecise), or only something that goes with
    it (`pointing`). A completed one without a date counts: the record of day 0 holds it.
    """
    chart, as_of = context.chart, context.as_of
    done: list[Evidence] = []
    against: list[Evidence] = []
    open_: list[tuple[Reason, Evidence]] = []
    for procedure in chart.in_sets(Procedure, texts(value_sets)):
        outcome = words_of(procedure.outcome)
        written, day = _performed(procedure)
        says = ", ".join(filter(None, (words_of(procedure.code), procedure.status, outcome)))
        evidence = context.evidence(procedure, written, says=says)
        if procedure.status in _NOT_COMPLETED or (
            procedure.status == "completed" and _INCOMPLETE.search(_spoken(procedure))
        ):
            against.append(evidence)
        elif procedure.status != "completed":
            open_.append((Reason.NO_DATA, evidence))
        else:
            before_order = True if day is None else day.on_or_before(as_of)
            if before_order:
                done.append(evidence)
            elif before_order is None:
                open_.append((Reason.IMPRECISE, evidence))
            else:
                against.append(evidence)
    if done:
        return Reading(True, evidence=tuple(done))
    if open_:
        note = "a record does not say that it was completed before the order"
        return unknown(open_[0][0], note, tuple(evidence for _, evidence in open_))
    if against:
        return Reading(False, evidence=tuple(against), note="on file, but not completed before the order")
    parts = tuple(
        context.evidence(p, _performed(p)[0], says=words_of(p.code))
        for p in chart.in_sets(Procedure, texts(pointing))
        if p.status == "completed"
    )
    if parts:
        return unknown(Reason.NO_DATA, "only a part of it, or something that goes with it, is on file", parts)
    return unknown(Reason.NO_DATA)


def _performed(procedure: Procedure) -> tuple[str, Span | None]:
    """When it was completed: the end of its period, else its start, or the moment given."""
    period = procedure.performedPeriod
    written = procedure.performedDateTime or ((period.end or period.start) if period is not None else "")
    return written, span(written)


def _spoken(procedure: Procedure) -> str:
    """All words of the outcome."""
    if procedure.outcome is None:
        return ""
    return " ".join((procedure.outcome.text, *(coding.display for coding in procedure.outcome.coding)))
