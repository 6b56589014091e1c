"""All results of a measurement, for showing."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.dates import before, words
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.operators.base import Context, operator, texts
from mappings.operators.latest_value import refused_evidence, result_evidence
from mappings.results import series

_SHOWN = 40


@operator(Observation, filtered=(Observation,), code_arguments=("codes",))
def value_series(context: Context, codes: Iterable[str], kind: str, within: str = "") -> Reading:
    """The results up to day 0 as a list of texts "2026-02-04: 7.8 %", oldest first, at most the last 40.

    within: a calendar duration; older results are left out, and stale when nothing else is there.
    """
    on_file = series(context.chart, texts(codes), kind).until(context.as_of)
    first = before(context.as_of, within) if within else None
    recent = [r for r in on_file.results if first is None or r.day.last >= first][-_SHOWN:]
    if recent:
        listed = tuple(f"{r.written[:10]}: {r.comparator}{r.value:g} {on_file.unit}".strip() for r in recent)
        return Reading(listed, evidence=result_evidence(context, recent, on_file))
    if on_file.results:
        evidence = result_evidence(context, on_file.results[-1:], on_file)
        return unknown(Reason.STALE, f"the last result is older than {words(within)}", evidence)
    if on_file.refused:
        evidence = refused_evidence(context, on_file.refused)
        return unknown(Reason.UNIT_MISMATCH, on_file.refused[-1].says, evidence)
    return unknown(Reason.NO_DATA)
