"""Whether the patient is pregnant on day 0."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from mappings.conditions import Standing, date_of, in_any, standing, words_of
from mappings.dates import before, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Observation
from mappings.operators.base import Context, operator, texts
from mappings.results import COUNTED, written_date

_PREGNANT, _NOT_PREGNANT = "77386006", "60001007"
_LONGEST_PREGNANCY = "P44W"
_NEGATIVE_LASTS = "P3M"


class _Sign(Struct, frozen=True):
    """One thing the record says: pregnant or not, as of a day (the last it may mean)."""

    day: date
    pregnant: bool
    evidence: Evidence


@operator(Condition, Observation, filtered=(Observation,), code_arguments=("status_codes",))
def pregnant(
    context: Context,
    conditions: Iterable[str],
    status_codes: Iterable[str],
    over: Iterable[str] = (),
) -> Reading:
    """Whether the patient is pregnant on day 0: the latest sign of the record counts.

    Signs: an active, confirmed Condition in `conditions`; a pregnancy status Observation (US Core,
    SNOMED CT 77386006 or 60001007; anything else says nothing); a Condition in `over` (delivery,
    puerperium, the end of a pregnancy), which says no from its date on. A "yes" older than 44 weeks
    is stale, a "no" older than 3 months too. Signs of one day that differ are conflicting.
    """
    signs = [*_conditions(context, texts(conditions), texts(over)), *_statuses(context, texts(status_codes))]
    if not signs:
        return unknown(Reason.NO_DATA)
    last = max(sign.day for sign in signs)
    latest = [sign for sign in signs if sign.day == last]
    evidence = tuple(sign.evidence for sign in latest)
    if len({sign.pregnant for sign in latest}) > 1:
        return unknown(Reason.CONFLICTING, "the record says both on the same day", evidence)
    lasts = _LONGEST_PREGNANCY if latest[0].pregnant else _NEGATIVE_LASTS
    if last < before(context.as_of, lasts):
        return unknown(Reason.STALE, "what the record says of a pregnancy is too old", evidence)
    return Reading(latest[0].pregnant, evidence=evidence)


def _conditions(context: Context, sets: tuple[str, ...], over: tuple[str, ...]) -> list[_Sign]:
    signs = []
    for condition in context.chart.in_sets(Condition, dict.fromkeys((*sets, *over))):
        written = date_of(condition)
        day = span(written)
        state = standing(condition, context.as_of)
        if day is None or day.first > context.as_of or state in (Standing.REFUTED, Standing.UNCONFIRMED):
            continue
        evidence = context.evidence(condition, written, says=words_of(condition.code))
        at = min(day.last, context.as_of)
        if in_any(context.value_sets, condition.code, over):
            signs.append(_Sign(at, False, evidence))
        elif state is Standing.ACTIVE:
            signs.append(_Sign(at, True, evidence))
    return signs


def _statuses(context: Context, codes: tuple[str, ...]) -> list[_Sign]:
    signs = []
    for observation in context.chart.in_sets(Observation, codes):
        written = written_date(observation)
        day = span(written)
        concept = observation.valueCodeableConcept
        if observation.status not in COUNTED or day is None or day.last > context.as_of or concept is None:
            continue
        values = {coding.code for coding in concept.coding} & {_PREGNANT, _NOT_PREGNANT}
        if len(values) == 1:
            evidence = context.evidence(observation, written, says=words_of(concept))
            signs.append(_Sign(day.last, _PREGNANT in values, evidence))
    return signs
