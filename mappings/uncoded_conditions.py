"""Conditions whose codes cannot be read: in words alone, or in a system that no value set holds.

Value sets hold diagnoses in ICD-10-CM and SNOMED CT. What stands in the chart in words or in ICD-9-CM
may be any diagnosis: it proves none, and nothing is inferred from its absence while it is there.
"""

from __future__ import annotations

from mappings.chart import Chart
from mappings.codes import ICD_10_CM, SNOMED, key
from mappings.conditions import Standing, date_of, standing, words_of
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition
from mappings.operators.base import Context

_READ = (ICD_10_CM, SNOMED)
_GONE = (Standing.REFUTED, Standing.OVER, Standing.LATER)


def uncoded_conditions(context: Context) -> list[Condition]:
    """The Conditions without a code that can be read which may be there on day 0."""
    of_chart = context.chart.once("uncoded-conditions", lambda: _uncoded(context.chart))
    return [condition for condition in of_chart if standing(condition, context.as_of) not in _GONE]


def named_in_words(context: Context, value_sets: tuple[str, ...]) -> Reading | None:
    """What is unknown because a diagnosis of the value sets is on file in their own words only.

    None when no words are the display of a member: what is merely alike would be a guess.
    """
    found = [
        condition
        for condition in uncoded_conditions(context)
        if condition.code is not None
        and any(context.value_sets.says(name, text) for name in value_sets for text in _words(condition.code))
    ]
    if not found:
        return None
    evidence = tuple(context.evidence(c, date_of(c), says=words_of(c.code)) for c in found)
    if any(coding.code for c in found if c.code is not None for coding in c.code.coding):
        return unknown(Reason.UNMAPPED_CODE, "the diagnosis has a code that is not known here", evidence)
    return unknown(Reason.NARRATIVE_ONLY, "the diagnosis is on file in words only", evidence)


def _uncoded(chart: Chart) -> list[Condition]:
    return [c for c in chart.of(Condition) if words_of(c.code) and not _is_coded(c.code)]


def _is_coded(concept: CodeableConcept | None) -> bool:
    pairs = [key(coding) for coding in concept.coding] if concept is not None else []
    return any(system in _READ and code for system, code in pairs)


def _words(concept: CodeableConcept) -> list[str]:
    return [text for text in (concept.text, *(coding.display for coding in concept.coding)) if text]
