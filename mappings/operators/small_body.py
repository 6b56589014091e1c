"""Whether the size of the body asks for a word of the clinician."""

from __future__ import annotations

from mappings.dates import before, completed_years, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.operators.base import Context, operator
from mappings.results import series


@operator(Observation, filtered=(Observation,), code_arguments=("weights",))
def small_body(
    context: Context, weights: str, below_kg: float, below_years: float, weight_within: str
) -> Reading:
    """Never a "yes" or "no": only what makes the question whether a device fits worth asking.

    Unknown with evidence when the latest body weight (value set `weights`) is below `below_kg`, or,
    without a weight, the age below `below_years`. A weight older than `weight_within` (a calendar
    duration) is none: children grow. Else the record says nothing. The limits decide whether to ask,
    not whether the body is too small: no policy gives a number for that.
    """
    first = before(context.as_of, weight_within)
    weighed = series(context.chart, (weights,), "weight").until(context.as_of).results
    results = [result for result in weighed if result.day.last >= first]
    found: Evidence | None = None
    if results:
        last = results[-1]
        if last.value < float(below_kg):
            found = context.evidence(last.observation, last.written, last.value, "kg")
    elif context.chart.patient is not None:
        birth = span(context.chart.patient.birthDate)
        if birth is not None and completed_years(birth, context.as_of)[1] < below_years:
            found = context.evidence(
                context.chart.patient, context.chart.patient.birthDate, says="date of birth"
            )
    if found is None:
        return unknown(Reason.NO_DATA)
    return unknown(
        Reason.IMPRECISE, "a small body; the record does not say whether the device fits", (found,)
    )
