"""Whether one disease is due to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mappings.conditions import Standing, date_of, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts


@operator(Condition)
def due_to(
    context: Context, shown: Iterable[str], otherwise: Iterable[str], suspects: Iterable[str]
) -> Reading:
    """Whether a disease is secondary to another, by diagnoses that name the cause.

    shown: diagnoses that say so (pulmonary hypertension due to left heart disease). otherwise:
    diagnoses that name another cause. suspects: diseases that may be the cause when they are on file
    beside it; mere coexistence is no cause, so with one of them the answer stays open, whatever
    other cause is named.
    """
    yes = tuple(_active(context, texts(shown)))
    no = tuple(_active(context, texts(otherwise)))
    perhaps = tuple(_active(context, texts(suspects)))
    if yes and no:
        return unknown(Reason.CONFLICTING, "diagnoses name different causes", (*yes, *no))
    if yes:
        return Reading(True, evidence=yes)
    if perhaps:
        return unknown(
            Reason.IMPRECISE, "a possible cause is on file; whether it is the cause is not told", perhaps
        )
    if no:
        return Reading(False, evidence=no, note="the diagnosis names another cause")
    return unknown(Reason.NO_DATA)


def _active(context: Context, value_sets: tuple[str, ...]) -> Iterator[Evidence]:
    for condition in context.chart.in_sets(Condition, value_sets):
        if standing(condition, context.as_of) is Standing.ACTIVE:
            yield context.evidence(condition, date_of(condition), says=words_of(condition.code))
