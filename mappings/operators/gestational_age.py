"""How many weeks a pregnancy has lasted on day 0."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from mappings.codes import ICD_10_CM, key
from mappings.conditions import Standing, date_of, standing, words_of
from mappings.dates import span
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Observation
from mappings.operators.base import Context, operator, texts
from mappings.results import COUNTED, series, written_date

_TERM_WEEKS = 40
_LONGEST = 44
_WEEKS_CODE = re.compile(r"Z3A\.([1-4]\d|0[89])$")


@operator(Condition, Observation, filtered=(Observation,), code_arguments=("age_codes", "due_codes"))
def gestational_age(
    context: Context, age_codes: Iterable[str], due_codes: Iterable[str], conditions: Iterable[str] = ()
) -> Reading:
    """Weeks of gestation on day 0, from the latest estimate on file.

    An estimated delivery date (40 weeks), a gestational age with the weeks since, or an ICD-10-CM
    Z3A code, which states completed weeks and so is a week wide. More than 44 weeks is stale.
    """
    estimates = [
        *_by_due_date(context, texts(due_codes)),
        *_by_age(context, texts(age_codes)),
        *_by_code(context, texts(conditions)),
    ]
    if not estimates:
        return unknown(Reason.NO_DATA)
    _, low, high, evidence = max(estimates, key=lambda estimate: estimate[0])
    if low > _LONGEST:
        return unknown(Reason.STALE, "the last estimate is of a pregnancy that must be over", (evidence,))
    return Reading(low if low == high else Bounds(low, high), evidence=(evidence,))


_Estimate = tuple[date, float, float, Evidence]


def _by_due_date(context: Context, codes: tuple[str, ...]) -> Iterable[_Estimate]:
    for observation in context.chart.in_sets(Observation, codes):
        written = written_date(observation)
        made, due = span(written), span(observation.valueDateTime)
        if observation.status not in COUNTED or made is None or due is None:
            continue
        low, high = (_TERM_WEEKS - (day - context.as_of).days / 7 for day in (due.last, due.first))
        if made.on_or_before(context.as_of) and high > 0:
            says = f"due on {observation.valueDateTime[:10]}"
            yield made.last, low, high, context.evidence(observation, written, says=says)


def _by_age(context: Context, codes: tuple[str, ...]) -> Iterable[_Estimate]:
    for result in series(context.chart, codes, "weeks").until(context.as_of).results:
        weeks = result.value + (context.as_of - result.day.last).days / 7
        evidence = context.evidence(result.observation, result.written, value=result.value, unit="wk")
        yield result.day.last, weeks, weeks, evidence


def _by_code(context: Context, sets: tuple[str, ...]) -> Iterable[_Estimate]:
    for condition in context.chart.in_sets(Condition, sets):
        written = date_of(condition)
        day = span(written)
        if standing(condition, context.as_of) is not Standing.ACTIVE or day is None or not day.exact:
            continue
        for coding in condition.code.coding if condition.code is not None else ():
            system, code = key(coding)
            match = _WEEKS_CODE.match(code) if system == ICD_10_CM else None
            if match is not None:
                weeks = int(match[1]) + (context.as_of - day.first).days / 7
                evidence = context.evidence(condition, written, says=words_of(condition.code))
                yield day.first, weeks, weeks + 1, evidence
