"""Measurements in the unit that the policies compare with, or the reason why not.

The unit decides, never the LOINC code: real data carries mmol/mol under codes for percent, 7.5 %
as a "glucose" and 53 g/dL for 53 mg/dL. So a value is converted only between units that are listed
for its kind, and refused when the number cannot belong to the unit. Tables and sources: units.yaml.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import msgspec

from mappings.codes import canonical_system, systems
from mappings.documents import nearest, read
from mappings.fhir import Quantity
from mappings.tables import table

_UCUM = systems()["ucum"].uri


class Converted(msgspec.Struct, frozen=True):
    """A value in the unit of its kind; or no value, a `problem` and a sentence that `says` it.

    `problem` is "no_data" (nothing was measured) or "unit_mismatch" (no unit, a unit of something
    else, or a number that the unit cannot have). `comparator` is the sender's ("<", ">="): the true
    value lies on that side of `value`. Conversions are increasing, so it holds in the new unit.
    """

    value: float | None = None
    unit: str = ""
    comparator: str = ""
    problem: str = ""
    says: str = ""


class UnknownKindError(KeyError):
    """units.yaml does not know this kind of measurement."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.message = f"unknown kind of measurement '{kind}'{nearest(kind, target_units())}"

    def __str__(self) -> str:
        return self.message


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a unit becomes the target. Factors are text: "1/60" and "18.016" stay exact."""

    factor: str = "1"
    offset: str = "0"
    decimals: int | None = None
    low: float = -math.inf
    high: float = math.inf

    def applied(self, value: float) -> float:
        """The value in the target unit; what needs no conversion stays as reported."""
        if self.factor == "1" and self.offset == "0":
            return value
        exact = Fraction(str(value)) * Fraction(self.factor) + Fraction(self.offset)
        if self.decimals is None:
            return float(exact)
        scale = 10**self.decimals
        return float(Fraction(math.floor(exact * scale + Fraction(1, 2)), scale))


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    unit: str
    from_: dict[str, _Rule] = msgspec.field(name="from")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    spellings: dict[str, tuple[str, ...]]
    kinds: dict[str, _Kind]


@table
def _table() -> _Table:
    return read(Path(__file__).parent / "units.yaml", _Table)


@table
def _units() -> dict[str, str]:
    spellings = _table().spellings
    return {_folded(text): unit for unit, others in spellings.items() for text in (unit, *others)}


def target_units() -> dict[str, str]:
    """The unit of each kind of measurement: {"hba1c": "%", "glucose": "mg/dL", ...}."""
    return {name: kind.unit for name, kind in _table().kinds.items()}


def convert(kind: str, quantity: Quantity | None) -> Converted:
    """`quantity` in the unit of `kind` (see `target_units`).

    Raises UnknownKindError; every defect of the data is a `problem` of the answer instead.
    """
    if quantity is None:
        quantity = Quantity()
    return _convert(kind, quantity.value, quantity.comparator, quantity.unit, quantity.code, quantity.system)


@lru_cache(maxsize=256)
def never_below(kind: str, limit: float) -> float:
    """A number that, in whatever unit of `kind`, is no measurement below `limit` of its target unit.

    It spares the conversion of most readings of a long log. Raises UnknownKindError.
    """
    rules = _kind(kind).from_.values()
    return max((limit - float(Fraction(r.offset))) / float(Fraction(r.factor)) for r in rules) + 1


# A chart with 17,280 glucose readings holds a few hundred different values.
@lru_cache(maxsize=16_384)
def _convert(name: str, value: float | None, comparator: str, unit: str, code: str, system: str) -> Converted:
    kind = _kind(name)
    if value is None:
        return Converted(problem="no_data", says=f"{kind.title} without a value")
    shown = f"{kind.title} {value:g}"
    found, defect = _unit(unit, code, system)
    if not defect and found not in kind.from_:
        accepted = " or ".join(filter(None, kind.from_))
        defect = f"in {found}, expected {accepted}" if found else f"without a unit, expected {accepted}"
    if defect:
        return Converted(problem="unit_mismatch", says=f"{shown} {defect}")
    rule = kind.from_[found]
    if not rule.low <= value <= rule.high:
        limits = f"at least {rule.low:g}" if rule.high == math.inf else f"{rule.low:g} to {rule.high:g}"
        says = f"{shown} is not plausible in {found or 'this scale'}, expected {limits}"
        return Converted(problem="unit_mismatch", says=says)
    return Converted(value=rule.applied(value), unit=kind.unit, comparator=comparator)


_WORDED = re.compile(r"(<=|>=|<|>|≤|≥)?\s*(\d+(?:\.\d+)?)\s*(.*)")
_COMPARATORS = {"≤": "<=", "≥": ">="}
# What a laboratory writes behind an abnormal result: "8.2 % (H)", "13.1 mg/dL HIGH".
_FLAG = re.compile(r"\s*(\*+|\((h+|l+|high|low|a|abnormal)\)|\b(hh?|ll?|high|low|abnormal))$", re.I)


@lru_cache(maxsize=4096)
def quantity_in_words(text: str) -> Quantity | None:
    """The quantity that a result in words is: "8.2 %", "> 14.0 %", "13.1 mg/dL (H)".

    None for whatever else: a range, a sentence, a unit that is not known.
    """
    match = _WORDED.fullmatch(text.strip())
    if match is None:
        return None
    comparator, value, rest = match.groups()
    for unit in (rest, _FLAG.sub("", rest)):
        if not unit or _known(unit):
            comparator = _COMPARATORS.get(comparator, comparator or "")
            return Quantity(value=float(value), comparator=comparator, unit=unit)
    return None


def _kind(name: str) -> _Kind:
    kind = _table().kinds.get(name)
    if kind is None:
        raise UnknownKindError(name)
    return kind


def _unit(unit: str, code: str, system: str) -> tuple[str, str]:
    """(UCUM unit or "" for none, defect or ""). Code and text must not contradict each other."""
    of_code, of_unit = _known(code), _known(unit)
    if of_code and of_unit and of_code != of_unit:
        return "", f"in {unit} according to its unit and {code} according to its code"
    # A code of another system (SNOMED CT 258718000 for mmol) leaves the text to decide; an unknown
    # UCUM code does not, because it may well say something else than the text.
    if of_unit and not of_code and code and canonical_system(system) == _UCUM:
        return "", f"in {code}, which is not a known unit"
    if not of_code and not of_unit and (code or unit):
        return "", f"in {unit or code}, which is not a known unit"
    return of_code or of_unit, ""


def _known(text: str) -> str:
    folded = _folded(text)
    return _units().get(folded) or _units().get(re.sub(r"\{[^}]*\}", "", folded), "")


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", text).lower().replace("µ", "u").replace("μ", "u")


def in_unit(quantity: Quantity, unit: str) -> float | None:
    """A stated quantity in a catalogue unit ("h", "mo", "%", "mg/dL", "" for a bare number).

    None when the quantity has no value, no unit where one belongs, or one that is no other
    spelling of `unit` and that no kind of measurement with that target converts.
    """
    if quantity.value is None:
        return None
    given, defect = _unit(quantity.unit, quantity.code, quantity.system)
    wanted = _known(unit) or unit
    if not unit or (given == wanted and not defect):
        return quantity.value
    if defect or not given:
        return None
    for name, kind in _table().kinds.items():
        if kind.unit == wanted and given in kind.from_ and name in _CONVERTIBLE:
            return convert(name, quantity).value
    return None


# Kinds whose units convert whatever was measured; mg/dL to mmol/L needs to know the substance.
_CONVERTIBLE = frozenset(
    {"hours", "days", "weeks", "months", "hours_per_day", "micrograms", "milligrams", "percent", "pressure"}
)
