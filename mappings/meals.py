"""How a glucose reading relates to meals, as far as the reading says.

The relation is a code of the reading (a pre-meal or fasting LOINC code), a component with a
v3-TimingEvent code (ACM: before breakfast) or fasting status 49541-6, or a plain word in the
component, the code's text or a note. Nothing is guessed from the time of day.
Sources: https://terminology.hl7.org/CodeSystem-v3-TimingEvent.html, LOINC 49541-6.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mappings.codes import LOINC, SNOMED, key, systems
from mappings.fhir import CodeableConcept, Observation, ObservationComponent
from mappings.statements import YES_NO

CONTEXTS = ("premeal", "fasting")

_EVENT_SYSTEMS = frozenset({systems()["timing-event"].uri, systems()["event-timing"].uri})
_PREMEAL_EVENTS = frozenset({"AC", "ACM", "ACD", "ACV"})
_FASTING_STATUS = (LOINC, "49541-6")
_FASTING = (SNOMED, "16985007")
_NEGATED = re.compile(r"\b(non|not|no|post|after)\b[\s-]*(fasting|meal)")
_WORDS = {
    "premeal": re.compile(
        r"\bpre[\s-]?(meal|prandial|breakfast|lunch|dinner|supper)"
        r"|\bbefore (a |each |the )?(meals?|breakfast|lunch|dinner|supper)\b|\bac (breakfast|lunch|dinner)\b"
    ),
    "fasting": re.compile(r"\bfast(ing|ed)\b"),
}


def is_tagged(observation: Observation, context: str) -> bool:
    """Whether the reading says that it was taken in this context ("premeal" or "fasting")."""
    if observation.code is not None and _worded(observation.code.text, context):
        return True
    # Asked of every reading of a log, of which few have either.
    if observation.component and any(_component(part, context) for part in observation.component):
        return True
    return bool(observation.note) and any(_worded(note.text, context) for note in observation.note)


def _component(component: ObservationComponent, context: str) -> bool:
    value = component.valueCodeableConcept
    if context == "fasting" and component.code is not None and _has(component.code, _FASTING_STATUS):
        if component.valueBoolean is not None:
            return component.valueBoolean
        if value is not None and (_has(value, _FASTING) or any(YES_NO.get(c.code) for c in value.coding)):
            return True
    if value is not None:
        if context == "premeal" and any(
            key(coding)[0] in _EVENT_SYSTEMS and coding.code in _PREMEAL_EVENTS for coding in value.coding
        ):
            return True
        if _worded(value.text, context):
            return True
    return _worded(component.valueString, context)


def _has(concept: CodeableConcept, wanted: tuple[str, str]) -> bool:
    return any(key(coding) == wanted for coding in concept.coding)


@lru_cache(maxsize=4096)
def _worded(text: str, context: str) -> bool:
    if not text:
        return False
    lowered = text.lower()
    return bool(_WORDS[context].search(lowered)) and not _NEGATED.search(lowered)
