"""How often readings of one kind exceed a threshold."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.chart import Chart
from mappings.dates import window_before, words
from mappings.evidence import Bounds, Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.meals import is_tagged
from mappings.operators.base import Context, operator, texts
from mappings.operators.latest_value import result_evidence
from mappings.results import Result, Series, series

_SHOWN = 5


@operator(Observation, filtered=(Observation,), code_arguments=("codes", "tagged"))
def share_above(
    context: Context,
    codes: Iterable[str],
    kind: str,
    threshold: float,
    within: str,
    meal: str,
    tagged: Iterable[str] = (),
    min_readings: int = 5,
) -> Reading:
    """The share (0 to 1) of readings strictly above `threshold`, among those taken in one context.

    codes: value sets of readings that count if they say that they were taken in the context `meal`
    ("premeal" or "fasting", mappings.meals). tagged: value sets whose codes say so themselves.
    within: the calendar span before day 0. A "<" or ">" that leaves a reading open gives Bounds.

    Unknown: no reading (no_data), none that says its context (imprecise: untagged readings cannot
    answer), fewer than `min_readings` that do (too_short_a_record: they cannot show what is common),
    or only older ones (stale).
    """
    on_file = tagged_series(context.chart, texts(codes), texts(tagged), kind, meal).until(context.as_of)
    window = window_before(context.as_of, within)
    inside = [result for result in on_file.results if result.day.within(window.first, window.last)]
    if len(inside) < min_readings:
        return _too_few(context, on_file, inside, (*texts(codes), *texts(tagged)), kind, within, meal)
    states = [result.above(float(threshold)) for result in inside]
    above, open_ = states.count(True), states.count(None)
    marked = f"{len(inside)} readings marked as {_NAMES[meal]}"
    note = f"{above} of {marked} are above {threshold:g} {on_file.unit}"
    low, high = above / len(inside), (above + open_) / len(inside)
    highest = sorted(inside, key=lambda result: -result.value)[:_SHOWN]
    evidence = result_evidence(context, highest, on_file)
    return Reading(low if low == high else Bounds(low, high), evidence=evidence, note=note)


_NAMES = {"premeal": "before a meal", "fasting": "fasting"}


def tagged_series(
    chart: Chart, codes: tuple[str, ...], tagged: tuple[str, ...], kind: str, meal: str
) -> Series:
    """The readings that were taken in the context `meal`, by their code or by what they say."""

    def build() -> Series:
        everything = series(chart, tuple(dict.fromkeys((*codes, *tagged))), kind)
        by_code = {id(observation) for observation in chart.in_sets(Observation, tagged)}
        chosen = tuple(
            result
            for result in everything.results
            if id(result.observation) in by_code or is_tagged(result.observation, meal)
        )
        return Series(chosen, (), everything.unit)

    return chart.once(("tagged", codes, tagged, kind, meal), build)


def _too_few(
    context: Context,
    on_file: Series,
    inside: list[Result],
    codes: tuple[str, ...],
    kind: str,
    within: str,
    meal: str,
) -> Reading:
    everything = series(context.chart, tuple(dict.fromkeys(codes)), kind).until(context.as_of)
    if inside:
        note = f"only {len(inside)} such readings in the last {words(within)}"
        return unknown(Reason.TOO_SHORT_A_RECORD, note, result_evidence(context, inside, on_file))
    if on_file.results:
        note = f"the last such reading is older than {words(within)}"
        return unknown(Reason.STALE, note, result_evidence(context, on_file.results[-1:], on_file))
    if everything.results:
        note = f"{len(everything.results)} readings on file, none is marked as {_NAMES[meal]}"
        return unknown(Reason.IMPRECISE, note, result_evidence(context, everything.results[-1:], everything))
    return unknown(Reason.NO_DATA)
