"""Whether a measurement has been above a threshold all the time for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mappings.dates import before, words
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.operators.base import Context, operator, texts
from mappings.operators.latest_value import refused_evidence, result_evidence
from mappings.results import Result, Series, series


@operator(Observation, filtered=(Observation,), code_arguments=("codes",))
def sustained_above(
    context: Context, codes: Iterable[str], kind: str, threshold: float, duration: str, min_results: int = 2
) -> Reading:
    """Whether every result has been above `threshold` for at least the calendar `duration`.

    Read backwards from day 0 (readings A7, ledger ins-new-4a). The run is the longest tail of the
    results that are all strictly above, after conversion and rounding.

    - met: the run reaches back to a result dated `duration` or more before day 0, its newest
      result is not older than that, and it has results on `min_results` different days.
    - unmet: the newest result is at or below, or one at or below breaks the run within the
      duration, or lies right before a run that began later than that.
    - unknown: only results older than `duration` (stale); a run that began later with nothing on
      file before it, or too few results (too_short_a_record); a result inside the run, or newer,
      that cannot be read (unit_mismatch); a partial date or a "<" or ">" that leaves it open
      (imprecise).

    A dip before a run that is long enough does not matter. A result of day 0 counts.
    """
    on_file = series(context.chart, texts(codes), kind).until(context.as_of)
    if not on_file.results:
        if on_file.refused:
            evidence = refused_evidence(context, on_file.refused)
            return unknown(Reason.UNIT_MISMATCH, on_file.refused[-1].says, evidence)
        return unknown(Reason.NO_DATA)
    threshold = float(threshold)
    start = before(context.as_of, duration)
    newest = on_file.results[-1]
    if newest.day.last < start:
        note = f"the last result is older than {words(duration)}"
        return unknown(Reason.STALE, note, result_evidence(context, [newest], on_file))
    run, breaker = _run(on_file, threshold)
    if breaker is not None:
        broken = _broken(context, on_file, run, breaker, threshold, start)
        if broken is not None:
            return broken
    if not run:
        evidence = result_evidence(context, [newest], on_file)
        return unknown(Reason.IMPRECISE, "the last result is an open range", evidence)
    return _long_enough(context, on_file, run, start, duration, min_results)


def _run(on_file: Series, threshold: float) -> tuple[list[Result], Result | None]:
    """The tail of results above the threshold, oldest first, and the result that ends it backwards."""
    run: list[Result] = []
    for result in reversed(on_file.results):
        if result.above(threshold) is not True:
            return run[::-1], result
        run.append(result)
    return run[::-1], None


def _broken(
    context: Context, on_file: Series, run: list[Result], breaker: Result, threshold: float, start: date
) -> Reading | None:
    """The reading when `breaker` decides; None when the run after it may still be long enough."""
    if run and run[0].day.on_or_before(start) is not False:
        return None
    evidence = result_evidence(context, [breaker, *run], on_file)
    if breaker.above(threshold) is None:
        return unknown(Reason.IMPRECISE, "a result is an open range", evidence)
    shown = f"{breaker.value:g} {on_file.unit} on {breaker.written[:10]} is not above {threshold:g}"
    return Reading(False, evidence=evidence, note=shown)


def _long_enough(
    context: Context, on_file: Series, run: list[Result], start: date, duration: str, min_results: int
) -> Reading:
    evidence = result_evidence(context, run, on_file)
    refused = [item for item in on_file.refused if item.day.last >= run[0].day.first]
    if refused:
        evidence = (*evidence, *refused_evidence(context, refused))
        return unknown(Reason.UNIT_MISMATCH, refused[0].says, evidence)
    days = len({result.day for result in run})
    reached = run[0].day.on_or_before(start)
    span_words = f"{days} {'result' if days == 1 else 'results'} above since {run[0].written[:10]}"
    if reached is None:
        return unknown(Reason.IMPRECISE, f"{span_words}: the date is not exact", evidence)
    if not reached or days < min_results:
        need = f"{words(duration)} and {min_results} results are needed"
        return unknown(Reason.TOO_SHORT_A_RECORD, f"{span_words}; {need}", evidence)
    failure = context.chart.failure(Observation)
    if failure:
        # A result that was not fetched could break the run.
        return unknown(Reason.FETCH_FAILED, f"Observation could not be fetched: {failure}", evidence)
    return Reading(True, evidence=evidence, note=span_words)
