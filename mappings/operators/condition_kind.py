"""Which of several kinds of disease is on file."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.codes import key
from mappings.conditions import Standing, date_of, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order


@operator(Condition)
def condition_kind(context: Context, kinds: Iterable[str], value_sets: Iterable[str]) -> Reading:
    """The kind of the active Conditions: the word in `kinds` whose value set (same place) holds one.

    A Condition that the order gives as its reason goes before the others, an earlier kind before a
    later one. A diagnosis that is only suspected leaves it unknown.
    """
    reasons = {key(coding) for concept, _ in reasons_of_order(context) for coding in concept.coding}
    found: dict[tuple[bool, int], list[Evidence]] = {}
    suspected: list[Evidence] = []
    words = texts(kinds)
    for rank, (kind, value_set) in enumerate(zip(words, texts(value_sets), strict=True)):
        for condition in context.chart.in_set(Condition, value_set):
            state = standing(condition, context.as_of)
            evidence = context.evidence(condition, date_of(condition), kind, says=words_of(condition.code))
            if state is Standing.ACTIVE:
                codings = condition.code.coding if condition.code is not None else ()
                ordered_for = any(key(coding) in reasons for coding in codings)
                found.setdefault((not ordered_for, rank), []).append(evidence)
            elif state is Standing.UNCONFIRMED:
                suspected.append(evidence)
    if found:
        first = min(found)
        return Reading(words[first[1]], evidence=tuple(found[first]))
    if suspected:
        return unknown(Reason.IMPRECISE, "the diagnosis is not confirmed", tuple(suspected))
    return unknown(Reason.NO_DATA)
