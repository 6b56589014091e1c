"""Whether a procedure or a program has been completed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from mappings.conditions import in_any, words_of
from mappings.dates import Span, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Procedure
from mappings.operators.base import Context, operator, texts

_SESSION_DAYS = 2
_NOT_COMPLETED = ("in-progress", "preparation", "not-done", "stopped", "on-hold")
_UNFINISHED = re.compile(
    r"\b(not|never|in|un)[\s-]?(yet )?(completed?|finished)\b|\bdid not (complete|finish)\b|\bto return\b",
    re.IGNORECASE,
)
_BROKEN_OFF = re.compile(r"\bpartial(ly)?\b|\bwithdrew\b|\bdropped out\b", re.IGNORECASE)
_COUNT = re.compile(r"\b(\d+) (?:out )?of (\d+)\b", re.IGNORECASE)
_COUNT_OF_SESSIONS = re.compile(
    r"\b(?:session|class|visit|part)s? (\d+) (?:out )?of (\d+)\b"
    r"|\b(\d+) (?:out )?of (\d+) (?:sessions|classes|visits|parts)\b",
    re.IGNORECASE,
)
_WHOLE = r"(program(me)?|course|curriculum|series|education|training|all( \w+)? (sessions|classes))"
_ENDED = r"(?<!be )(completed|finished|graduated)"
_COMPLETED = re.compile(
    rf"\b{_WHOLE}\b.*\b{_ENDED}\b|\b{_ENDED}\b.*\b{_WHOLE}\b|\bcertificate of completion\b", re.IGNORECASE
)


@operator(Procedure)
def procedure_done(
    context: Context,
    value_sets: Iterable[str],
    pointing: Iterable[str] = (),
    sessions: Iterable[str] = (),
) -> Reading:
    """Whether a Procedure of the value sets was completed on or before day 0.

    True: status completed and an outcome or a note that does not say otherwise ("3 of 6 sessions
    attended"). sessions: value sets of members that are one session each; they count when the outcome
    says that the whole was completed (in words, or by the code of a member that is no session), or when
    sessions of two days are on file.
    False: one is on file, and none is completed: in progress, in preparation, not done, stopped,
    with an incomplete outcome, or completed only after day 0. Unknown: none on file, a status
    "unknown", a partial date that may lie after day 0 or one session alone (imprecise), or only
    something that goes with it (`pointing`). A completed one without a date counts: the record of day 0
    holds it.
    """
    chart, as_of = context.chart, context.as_of
    whole, parts_of_it = texts(value_sets), texts(sessions)
    done: list[Evidence] = []
    attended: list[tuple[Procedure, Evidence]] = []
    against: list[Evidence] = []
    open_: list[tuple[Reason, Evidence]] = []
    for procedure in chart.in_sets(Procedure, whole):
        written, day = _performed(procedure)
        outcome = words_of(procedure.outcome)
        says = ", ".join(filter(None, (words_of(procedure.code), procedure.status, outcome)))
        evidence = context.evidence(procedure, written, says=says)
        if procedure.status in _NOT_COMPLETED or (
            procedure.status == "completed" and _is_incomplete(procedure)
        ):
            against.append(evidence)
        elif procedure.status != "completed":
            open_.append((Reason.NO_DATA, evidence))
        else:
            before_order = True if day is None else day.on_or_before(as_of)
            if before_order and _is_session(context, procedure, whole, parts_of_it):
                attended.append((procedure, evidence))
            elif before_order:
                done.append(evidence)
            elif before_order is None:
                open_.append((Reason.IMPRECISE, evidence))
            else:
                against.append(evidence)
    seen = tuple(evidence for _, evidence in attended)
    if not done and len({day for procedure, _ in attended for day in _days(procedure)}) >= _SESSION_DAYS:
        return Reading(True, evidence=seen, note=f"sessions on at least {_SESSION_DAYS} days")
    if done:
        return Reading(True, evidence=tuple(done))
    if seen:
        note = "a session is on file, and nothing says that the program was completed"
        return unknown(Reason.IMPRECISE, note, seen)
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


def _is_session(
    context: Context, procedure: Procedure, whole: tuple[str, ...], sessions: tuple[str, ...]
) -> bool:
    """Whether it is one session of a program, and nothing tells that it was the last."""
    known = context.value_sets
    codings = procedure.code.coding if procedure.code is not None else ()
    if any(_is_whole(context, CodeableConcept(coding=(coding,)), whole, sessions) for coding in codings):
        return False
    if not in_any(known, procedure.code, sessions):
        return False
    if procedure.outcome is not None and _is_whole(context, procedure.outcome, whole, sessions):
        return False
    return not (_COMPLETED.search(_spoken(procedure)) or _counts(procedure))


def _is_whole(
    context: Context, concept: CodeableConcept, whole: tuple[str, ...], sessions: tuple[str, ...]
) -> bool:
    known = context.value_sets
    return in_any(known, concept, whole) and not in_any(known, concept, sessions)


def _is_incomplete(procedure: Procedure) -> bool:
    """Whether outcome or notes say that something is missing: in words, or "1 of 4"."""
    if _UNFINISHED.search(_spoken(procedure)) or _BROKEN_OFF.search(_outcome(procedure)):
        return True
    return any(some < all_ for some, all_ in _counts(procedure))


def _counts(procedure: Procedure) -> list[tuple[int, int]]:
    """ "3 of 6" in the outcome, "session 3 of 6" in a note."""
    found = _COUNT.findall(_outcome(procedure))
    for note in procedure.note:
        found += [tuple(filter(None, groups)) for groups in _COUNT_OF_SESSIONS.findall(note.text)]
    return [(int(some), int(all_)) for some, all_ in found]


def _days(procedure: Procedure) -> Iterator[date]:
    """The days, as far as they are known, on which a session took place."""
    period = procedure.performedPeriod
    written = (procedure.performedDateTime, *((period.start, period.end) if period is not None else ()))
    for day in map(span, written):
        if day is not None and day.exact:
            yield day.first


def _performed(procedure: Procedure) -> tuple[str, Span | None]:
    """When it was completed: the end of its period, else its start, or the moment given."""
    period = procedure.performedPeriod
    written = procedure.performedDateTime or ((period.end or period.start) if period is not None else "")
    return written, span(written)


def _outcome(procedure: Procedure) -> str:
    """All words of the outcome."""
    if procedure.outcome is None:
        return ""
    return " ".join((procedure.outcome.text, *(coding.display for coding in procedure.outcome.coding)))


def _spoken(procedure: Procedure) -> str:
    """All words of the outcome and of the notes."""
    return "; ".join((_outcome(procedure), *(note.text for note in procedure.note)))
