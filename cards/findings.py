"""What the record shows for a criterion, in plain words: values with their units, days, resources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from cards.markdown import escape
from mappings.evidence import Evidence
from policies.determination import Node, Part

_MAX_EVIDENCE = 4
_OF_SILENCE = "nothing on file says so"
# UCUM writes units for machines; these are the ones that a reader would not take for what they are.
_ONE_AND_MANY = {
    "a": ("year", "years"),
    "mo": ("month", "months"),
    "wk": ("week", "weeks"),
    "d": ("day", "days"),
    "h": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "h/d": ("hour a day", "hours a day"),
    "/d": ("a day", "a day"),
    "/wk": ("a week", "a week"),
    "/mo": ("a month", "a month"),
    "{score}": ("point", "points"),
    "{count}": ("", ""),
    "1": ("", ""),
    "mm[Hg]": ("mmHg", "mmHg"),
    "ug": ("mcg", "mcg"),
}
_COUNTED = frozenset({"bag", "cassette", "course", "dose", "syringe", "vial"})
_ANNOTATION = re.compile(r"\{([^{}]*)\}")


def found(of: Node | Part) -> list[str]:
    """What the record shows, notes first (they say how a number came about).

    Of a criterion of several limbs, a yes or no goes with the name of what it answers.
    """
    limbs = list(limbs_of(of.parts))
    notes = [note.rstrip(".") for note in of.notes]
    if of.evidence:
        # Beside something found, that nothing else says so tells nothing.
        notes = [note for note in notes if note != _OF_SILENCE]
    shown = [f"{_answered(e, limbs)}{text}" for e in of.evidence[:_MAX_EVIDENCE] if (text := _evidence(e))]
    rest = len(of.evidence) - _MAX_EVIDENCE
    if rest > 0:
        shown.append(f"and {rest} more")
    return [*map(escape, notes), *shown]


def limbs_of(parts: Iterable[Part]) -> Iterator[Part]:
    """The tests below a compound."""
    for part in parts:
        if part.parts:
            yield from limbs_of(part.parts)
        else:
            yield part


def _answered(evidence: Evidence, limbs: list[Part]) -> str:
    if not isinstance(evidence.value, bool):
        return ""
    return next((f"{limb.label}: " for limb in limbs if limb.label and evidence in limb.evidence), "")


def _evidence(evidence: Evidence) -> str:
    text = _of_patient(evidence) if evidence.resource.startswith("Patient/") else _words(evidence)
    return f"{escape(text)} ({escape(evidence.resource)})" if text else escape(evidence.resource)


def _words(evidence: Evidence) -> str:
    parts = []
    if evidence.value is not None:
        answers = isinstance(evidence.value, bool) and evidence.says
        parts.append(amount_words(evidence.value, evidence.unit) + ("," if answers else ""))
    if evidence.says:
        parts.append(evidence.says)
    if evidence.date:
        parts.append(f"on {evidence.date}")
    return " ".join(parts)


def _of_patient(evidence: Evidence) -> str:
    """The day of a Patient is the birth date: "37 years, born 1988-04-09"."""
    if not evidence.date:
        return _words(evidence)
    age = "" if evidence.value is None else f"{amount_words(evidence.value, evidence.unit)}, "
    return f"{age}born {evidence.date}"


def amount_words(value: Any, unit: str = "") -> str:
    """A value with its unit as people read it: "37 years", "28 vials", "8.1 %"."""
    return f"{value_words(value)} {_unit_words(unit, value == 1)}".rstrip()


def _unit_words(unit: str, single: bool) -> str:
    if unit in _ONE_AND_MANY:
        return _ONE_AND_MANY[unit][0 if single else 1]
    whole = _ANNOTATION.fullmatch(unit)
    word = whole[1] if whole else unit
    if (whole or word in _COUNTED) and not (single or word.endswith("s")):
        return f"{word}s"
    return _ANNOTATION.sub(r"\1", unit)


def value_words(value: Any) -> str:
    """A value of evidence as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(value_words(item) for item in value)
    return str(value)
