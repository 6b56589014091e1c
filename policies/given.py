"""Facts as a file gives them, in place of a chart: for cases and for the comparison of policies.

A given value counts as a documented statement; a fact that is not given is one about which the
record is silent.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mappings.book import Fact
from mappings.catalogue import Catalogue, FactDefinition
from mappings.dates import Span, span
from mappings.evidence import SILENT, Basis, Bounds, Evidence, Reading, Reason, unknown
from mappings.yaml_file import Fields, allowed_words


class GivenFacts:
    """A fact book whose facts are given."""

    def __init__(self, catalogue: Catalogue, given: Mapping[str, Reading]) -> None:
        self._catalogue = catalogue
        self._given = given

    def fact(self, name: str, given: Mapping[str, Any] = {}) -> Fact:
        del given  # the fact is given, whatever the policy's thresholds
        definition = self._catalogue.facts[name]
        stated = self._given.get(name)
        computed = SILENT
        if stated is None and definition.absent_means_false:
            computed = Reading(value=False, inferred=True)
        return Fact(definition, computed, stated)

    def value(self, name: str, given: Mapping[str, Any] = {}) -> Any:
        fact = self.fact(name, given)
        return fact.stated.value if fact.stated is not None else fact.computed.value


def given_like(
    base: Mapping[str, Reading], fields: Fields, catalogue: Catalogue, as_of: datetime.date
) -> dict[str, Reading]:
    """The facts of `base`, less those under `without`, and those under `given`. Raises DataError."""
    given = dict(base)
    for name in fields.texts("without"):
        if given.pop(name, None) is None:
            raise fields.error(f"{name} is not given before", "without")
    if "given" in fields:
        facts = fields.child("given")
        for name in facts:
            definition = catalogue.facts.get(name)
            if definition is None:
                raise facts.error(f"unknown fact {name!r}; {allowed_words(name, catalogue.facts)}", name)
            given[name] = _reading(facts, name, definition, as_of)
    return given


def _reading(facts: Fields, name: str, definition: FactDefinition, as_of: datetime.date) -> Reading:
    """A given value: plain, or {value, date}, {low, high}, {unknown: reason}."""
    raw = facts.take(name)
    day = as_of
    if isinstance(raw, dict):
        inner = facts.child(name)
        if "unknown" in inner:
            reason = Reason(inner.choice("unknown", [r.value for r in Reason]))
            inner.done()
            evidence = () if reason is Reason.NO_DATA else (Evidence("Case/given"),)
            return unknown(reason, evidence=evidence)
        if "low" in inner:
            low, high = inner.take("low"), inner.take("high", Decimal("Infinity"))
            inner.done()
            return Reading(Bounds(float(low), float(high)), basis=Basis.DOCUMENTED)
        raw = inner.take("value")
        day = inner.day("date", as_of) or as_of
        inner.done()
    value = _typed(raw, definition)
    if value is None:
        raise facts.error(f"{name} is {definition.type}, which {raw!r} is not", name)
    if definition.options:
        for option in value if isinstance(value, tuple) else (value,):
            if option not in definition.options:
                raise facts.error(f"{name} has no option {option!r}: {', '.join(definition.options)}", name)
    evidence = (Evidence("Case/given", date=day.isoformat()),)
    return Reading(value, evidence=evidence, basis=Basis.DOCUMENTED)


def _typed(raw: Any, definition: FactDefinition) -> Any:
    """A YAML value as the fact's type; None when it is none."""
    kind = definition.type
    if kind == "boolean":
        return raw if isinstance(raw, bool) else None
    if kind in ("decimal", "integer"):
        return float(raw) if isinstance(raw, int | Decimal) and not isinstance(raw, bool) else None
    if kind == "date":
        if isinstance(raw, datetime.date):
            return Span(raw, raw)
        return span(raw) if isinstance(raw, str) else None
    if kind == "list":
        values = raw if isinstance(raw, list) else [raw]
        return tuple(values) if all(isinstance(v, str) for v in values) else None
    return raw if isinstance(raw, str) else None
