"""The serum calcium, corrected for albumin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from mappings.dates import before, words
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.operators.base import Context, operator, texts
from mappings.operators.latest_value import refused_evidence, result_evidence
from mappings.results import Result, Series, series

_NORMAL_ALBUMIN = 4.0
_PER_GRAM = 0.8
_SAME_SAMPLE = timedelta(days=3)


@operator(Observation, filtered=(Observation,), code_arguments=("totals", "albumins", "corrected"))
def corrected_calcium(
    context: Context,
    totals: Iterable[str],
    albumins: Iterable[str],
    corrected: Iterable[str],
    within: str,
) -> Reading:
    """The newest calcium on or before day 0 in mg/dL, corrected for albumin.

    A result that is reported as corrected counts as it is. A total calcium is corrected by the usual
    formula: total + 0.8 x (4.0 - albumin in g/dL), with the albumin of the same day, else the nearest
    within three days. Without one the correction is open (unknown); ionized calcium is another
    quantity and never asked for. Several results of the newest day give Bounds.
    within: a calendar duration; a newest calcium from before it is stale.
    """
    wanted = ((corrected, "calcium"), (totals, "calcium"), (albumins, "albumin"))
    direct, total, albumin = (
        series(context.chart, texts(sets), kind).until(context.as_of) for sets, kind in wanted
    )
    days = [result.day.last for found in (direct, total) for result in found.results]
    days += [refused.day.last for found in (direct, total) for refused in found.refused]
    if not days:
        return unknown(Reason.NO_DATA)
    last = max(days)
    if last < before(context.as_of, within):
        old = [
            (result, found)
            for found in (direct, total)
            for result in found.results
            if result.day.last == last
        ]
        evidence = tuple(
            entry for result, found in old for entry in result_evidence(context, [result], found)
        )
        return unknown(Reason.STALE, f"no calcium of the last {words(within)} is on file", evidence)
    newest = [result for result in direct.results if result.day.last == last]
    if newest:
        return _reading([result.value for result in newest], result_evidence(context, newest, direct), "")
    newest = [result for result in total.results if result.day.last == last]
    if not newest:
        refused = [item for found in (direct, total) for item in found.refused if item.day.last == last]
        return unknown(Reason.UNIT_MISMATCH, refused[0].says, refused_evidence(context, refused))
    evidence = result_evidence(context, newest, total)
    if any(result.comparator for result in newest):
        return unknown(Reason.IMPRECISE, "the calcium is reported as a limit", evidence)
    partner = _nearest(albumin, newest[0])
    if partner is None:
        note = "the total calcium is not corrected: no albumin within three days of it"
        return unknown(Reason.NO_DATA, note, evidence)
    note = f"total + {_PER_GRAM} x ({_NORMAL_ALBUMIN} - albumin {partner.value:g} g/dL)"
    values = [round(result.value + _PER_GRAM * (_NORMAL_ALBUMIN - partner.value), 2) for result in newest]
    return _reading(values, (*evidence, *result_evidence(context, [partner], albumin)), note)


def _nearest(albumin: Series, to: Result) -> Result | None:
    """The albumin nearest to a calcium, none farther than three days; the later of two equally near."""
    near = [r for r in albumin.results if abs(r.day.last - to.day.last) <= _SAME_SAMPLE and not r.comparator]
    return min(reversed(near), key=lambda r: abs(r.day.last - to.day.last), default=None)


def _reading(values: list[float], evidence: tuple[Evidence, ...], note: str) -> Reading:
    low, high = min(values), max(values)
    return Reading(low if low == high else Bounds(low, high), evidence=evidence, note=note)
