"""The newest result of a measurement."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.dates import before, words
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.operators.base import Context, operator, texts
from mappings.results import Refused, Result, Series, series


@operator(Observation, filtered=(Observation,), code_arguments=("codes",))
def latest_value(context: Context, codes: Iterable[str], kind: str, within: str = "") -> Reading:
    """The newest result on or before day 0, in the unit of `kind`.

    within: a calendar duration; an older result is stale. Several results of the newest day give
    Bounds from the lowest to the highest. "<" and ">" give Bounds too. A newest result that cannot
    be read (wrong unit, impossible size) is unknown: the one before it may be out of date.
    """
    on_file = series(context.chart, texts(codes), kind).until(context.as_of)
    days = [result.day.last for result in on_file.results] + [item.day.last for item in on_file.refused]
    last = max(days, default=None)
    if last is None:
        return unknown(Reason.NO_DATA)
    newest = [result for result in on_file.results if result.day.last == last]
    refused = [item for item in on_file.refused if item.day.last == last]
    if not newest:
        return unknown(Reason.UNIT_MISMATCH, refused[0].says, refused_evidence(context, refused))
    evidence = result_evidence(context, newest, on_file)
    if within and last < before(context.as_of, within):
        return unknown(Reason.STALE, f"the last result is older than {words(within)}", evidence)
    lows = [0.0 if result.comparator in ("<", "<=") else result.value for result in newest]
    highs = [float("inf") if result.comparator in (">", ">=") else result.value for result in newest]
    low, high = min(lows), max(highs)
    return Reading(low if low == high else Bounds(low, high), evidence=evidence)


def result_evidence(context: Context, results: Iterable[Result], of: Series) -> tuple[Evidence, ...]:
    """Evidence that names results with date, value and unit."""
    return tuple(
        context.evidence(
            result.observation,
            result.written,
            value=result.value,
            unit=of.unit,
            says=f"reported as {result.comparator} {result.value:g}" if result.comparator else "",
        )
        for result in results
    )


def refused_evidence(context: Context, refused: Iterable[Refused]) -> tuple[Evidence, ...]:
    """Evidence that names results which cannot be read, and says why."""
    return tuple(context.evidence(item.observation, item.written, says=item.says) for item in refused)
