"""How a Condition stands on a day.

Active means: clinical status active, recurrence or relapse (or none, without an abatement), not
refuted, confirmed (or no verification status, which R4 does not require), and dated on or before
the day. A Condition that is resolved now, but abated only after the day, was active on it.
Source: https://hl7.org/fhir/R4/condition.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from mappings.chart import has_code, is_active, is_confirmed
from mappings.codes import ICD_10_CM, SNOMED, key
from mappings.dates import Span, span
from mappings.fhir import CodeableConcept, Condition, Period
from mappings.terminology import ValueSets

_NO_DISEASE = "Z"  # ICD-10-CM chapter 21: factors influencing health status, contact with health services


class Standing(StrEnum):
    """What a Condition says of one day."""

    ACTIVE = "active"
    UNCONFIRMED = "not confirmed"
    OVER = "no longer active"
    REFUTED = "refuted"
    LATER = "dated after the order"
    UNDATABLE = "perhaps dated after the order"


def standing(condition: Condition, day: date) -> Standing:
    """How a Condition stands on `day`."""
    if has_code(condition.verificationStatus, "refuted", "entered-in-error"):
        return Standing.REFUTED
    begun = _begun(condition, day)
    if begun is False:
        return Standing.LATER
    if not _active_on(condition, day):
        return Standing.OVER
    if not is_confirmed(condition):
        return Standing.UNCONFIRMED
    return Standing.ACTIVE if begun else Standing.UNDATABLE


def _begun(condition: Condition, day: date) -> bool | None:
    """Whether the Condition was there on `day`; a year alone is settled by the day it was recorded."""
    onset, recorded = onset_of(condition), span(condition.recordedDate)
    if onset is None and recorded is None:
        return True
    if onset is not None:
        begun = onset.on_or_before(day)
        if begun is not None:
            return begun
    if recorded is not None and recorded.on_or_before(day):
        return True
    return None if onset is not None or recorded is None else recorded.on_or_before(day)


def _active_on(condition: Condition, day: date) -> bool:
    abated = _period_date(condition.abatementDateTime, condition.abatementPeriod, last=True)
    if abated is not None:
        return abated.on_or_before(day) is False
    return is_active(condition)


def onset_of(condition: Condition) -> Span | None:
    """When the Condition began, as far as it says."""
    return _period_date(condition.onsetDateTime, condition.onsetPeriod, last=False)


def date_of(condition: Condition) -> str:
    """The date to show for a Condition: its onset, else the day it was recorded."""
    onset = condition.onsetDateTime or (condition.onsetPeriod.start if condition.onsetPeriod else "")
    return onset or condition.recordedDate


def _period_date(written: str, period: Period | None, last: bool) -> Span | None:
    if written:
        return span(written)
    if period is None:
        return None
    return span(period.end if last else period.start)


def in_any(value_sets: ValueSets, concept: CodeableConcept | None, names: Iterable[str]) -> bool:
    """Whether a coding of the concept is a member of one of the value sets."""
    return any(value_sets.match(name, concept) is not None for name in names)


def is_recognised(value_sets: ValueSets, concept: CodeableConcept) -> bool:
    """Whether "not in this set" can be trusted: value sets hold ICD-10-CM by prefix, completely, but
    of SNOMED CT only the concepts that they list, so an unlisted one may be a kind of a listed one. A Z
    code of ICD-10-CM tells of an encounter or a status, whatever the disease behind it."""
    for coding in concept.coding:
        system, code = key(coding)
        if system == ICD_10_CM and code and not code.startswith(_NO_DISEASE):
            return True
        if system == SNOMED and value_sets.memberships(system, code):
            return True
    return False


def is_another_reason(value_sets: ValueSets, concepts: Sequence[CodeableConcept]) -> bool:
    """Whether reasons, none of which is in the set that is asked for, surely name something else.

    One of them must be a recognised disease; a Z code beside it (fitting of a pump) changes nothing, a
    code that is not known here leaves it open.
    """
    others = [concept for concept in concepts if not is_recognised(value_sets, concept)]
    return len(others) < len(concepts) and all(is_no_disease(concept) for concept in others)


def is_no_disease(concept: CodeableConcept) -> bool:
    """Whether a concept is coded as an encounter or a status: ICD-10-CM chapter 21, the Z codes."""
    pairs = [key(coding) for coding in concept.coding]
    return any(system == ICD_10_CM and code.startswith(_NO_DISEASE) for system, code in pairs)


def words_of(concept: CodeableConcept | None) -> str:
    """A concept in words: its text, a display, or the code."""
    if concept is None:
        return ""
    if concept.text:
        return concept.text
    return next((c.display or c.code for c in concept.coding if c.display or c.code), "")
