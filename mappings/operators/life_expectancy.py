"""What the record lets expect of the time that is left."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, in_any, standing, words_of
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Encounter, Procedure
from mappings.operators.base import Context, operator, texts

_A_YEAR = 12.0


@operator(Condition, Procedure, Encounter)
def life_expectancy(context: Context, hospice: Iterable[str], life_limiting: Iterable[str]) -> Reading:
    """The months of life to expect, as far as diagnoses tell; a number is for the clinician to state.

    hospice: value sets of hospice and palliative care; with one the time is open ("six months or
    less" proves no three). life_limiting: value sets of diseases that shorten life; with an active one
    it is open too. With Conditions on file and none of these, a year or more is inferred, for
    pain that is not malignant only.
    """
    care = _care(context, texts(hospice))
    if care:
        return unknown(Reason.IMPRECISE, "hospice or palliative care is on file", care)
    chart = context.chart
    ill = tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in chart.in_sets(Condition, texts(life_limiting))
        if standing(condition, context.as_of) in (Standing.ACTIVE, Standing.UNCONFIRMED)
    )
    if ill:
        return unknown(Reason.NO_DATA, "a disease that may shorten life is on file", ill)
    if not chart.has(Condition) or context.value("pain_malignant") is not False:
        return unknown(Reason.NO_DATA)
    note = "no disease that shortens life is on file"
    return Reading(Bounds(_A_YEAR), note=note, inferred=True)


def _care(context: Context, sets: tuple[str, ...]) -> tuple[Evidence, ...]:
    chart, day = context.chart, context.as_of
    found = [
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in chart.in_sets(Condition, sets)
        if standing(condition, day) is Standing.ACTIVE
    ]
    found += [
        context.evidence(procedure, procedure.performedDateTime, says=words_of(procedure.code))
        for procedure in chart.in_sets(Procedure, sets)
        if procedure.status in ("completed", "in-progress")
    ]
    for encounter in chart.of(Encounter):
        concepts = (*encounter.type, *encounter.reasonCode, encounter.serviceType)
        if encounter.status in ("finished", "in-progress") and any(
            in_any(context.value_sets, c, sets) for c in concepts
        ):
            start = encounter.period.start if encounter.period is not None else ""
            found.append(context.evidence(encounter, start, says="hospice or palliative care"))
    return tuple(found)
