"""Which disease caused another."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts


@operator(Condition)
def cause_of(
    context: Context,
    causes: Iterable[str],
    named_by: Iterable[str],
    paired: Iterable[str],
    diseases: Iterable[str],
) -> Reading:
    """The cause of a secondary disease: one of the words in `causes`.

    named_by: value sets (same place; "" for none) of diagnoses that name the cause themselves. paired:
    value sets of the secondary disease without its cause; then a disease of `diseases` (same place)
    on file is the cause. Several possible causes leave it open.
    """
    words = texts(causes)
    named = {word: _active(context, name) for word, name in zip(words, texts(named_by), strict=True)}
    found = {word: evidence for word, evidence in named.items() if evidence}
    if not found:
        secondary = [evidence for name in texts(paired) for evidence in _active(context, name)]
        if not secondary:
            return unknown(Reason.NO_DATA)
        on_file = {word: _active(context, name) for word, name in zip(words, texts(diseases), strict=True)}
        found = {word: [*secondary, *evidence] for word, evidence in on_file.items() if evidence}
        if not found:
            note = "the diagnosis is of a secondary disease and does not name the cause"
            return unknown(Reason.IMPRECISE, note, tuple(secondary))
    evidence = tuple(dict.fromkeys(entry for entries in found.values() for entry in entries))
    if len(found) > 1:
        return unknown(Reason.IMPRECISE, f"several possible causes are on file: {', '.join(found)}", evidence)
    return Reading(next(iter(found)), evidence=evidence)


def _active(context: Context, value_set: str) -> list[Evidence]:
    return [
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in (context.chart.in_set(Condition, value_set) if value_set else ())
        if standing(condition, context.as_of) is Standing.ACTIVE
    ]
