"""The fact book of one question (one order, one day): facts computed once, when first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct, structs

from mappings.catalogue import Catalogue, Derivation, FactDefinition, Given
from mappings.chart import Chart
from mappings.companions import DecidedPump
from mappings.coverage import Membership
from mappings.dates import before
from mappings.drugs import Drugs
from mappings.evidence import SILENT, Reading, Reason, unknown
from mappings.fhir import Coverage
from mappings.operators.base import Context
from mappings.order import Order
from mappings.recorded import joined, recorded, recorded_names
from mappings.statements import Statements

_At = str | tuple[str, tuple[tuple[str, Any], ...]]
# Where statements stand, and results that have our own code.
_STATEMENTS = ("QuestionnaireResponse", "DocumentReference", "Observation")


class Fact(Struct, frozen=True):
    """What is known of one fact: what was computed, and what was stated (None: nothing)."""

    definition: FactDefinition
    computed: Reading
    stated: Reading | None = None


class _Search(Struct):
    """Where one fact was looked for: in resource types, and by asking for other facts."""

    kinds: list[tuple[str, ...]]
    facts: list[str]


class FactBook(Context):
    """Facts about one order on one day."""

    def __init__(
        self,
        catalogue: Catalogue,
        drugs: Drugs,
        chart: Chart,
        order: Order,
        as_of: date,
        *,
        coverage: Coverage | None = None,
        member: Membership | None = None,
        pumps: tuple[DecidedPump, ...] = (),
    ) -> None:
        """coverage: the one that the question is about; member: what it says to those who know its payer.

        pumps: what the policy that asks says of the pumps that the order goes with.
        """
        super().__init__(chart, order, as_of, drugs, coverage, member, pumps)
        self._catalogue = catalogue
        self._facts: dict[_At, Fact] = {}
        self._statements = Statements(chart, as_of)
        self._recorded = recorded_names(chart)
        self._parameters = order.parameter_names()
        self._asking: list[_Search] = []
        self._searches: dict[str, _Search] = {}

    def fact(self, name: str, given: Mapping[str, Any] = {}) -> Fact:
        """The fact under the arguments that a criterion gives. Raises KeyError for an unknown name."""
        at = (name, tuple(sorted(given.items()))) if given else name
        found = self._facts.get(at)
        if found is None:
            found = self._facts[at] = self._find(name, given)
        if self._asking:
            self._asking[-1].facts.append(name)
        return found

    def looked_in(self, name: str) -> set[str]:
        """The resource types in which a fact was looked for, whatever the arguments, so far."""
        kinds: set[str] = set()
        names, seen = [name], set()
        while names:
            search = self._searches.get(names.pop())
            if search is not None and id(search) not in seen:
                seen.add(id(search))
                kinds.update(*search.kinds)
                names += search.facts
        return kinds

    def value(self, name: str, given: Mapping[str, Any] = {}) -> Any:
        """The one value that the readings of a fact agree on; None when unknown or conflicting."""
        fact = self.fact(name, given)
        readings = [r for r in (fact.stated, fact.computed) if r is not None and r.known]
        values = {reading.value for reading in readings if not reading.inferred} or {
            reading.value for reading in readings
        }
        return values.pop() if len(values) == 1 else None

    def _find(self, name: str, given: Mapping[str, Any]) -> Fact:
        definition = self._catalogue.facts[name]
        search = self._searches.get(name)
        if search is None:
            search = self._searches[name] = _Search([_STATEMENTS] if definition.stated else [], [])
        self._asking.append(search)
        found = Fact(definition, self._compute(definition, given), self._state(definition, given))
        self._asking.pop()
        return found

    def _state(self, definition: FactDefinition, given: Mapping[str, Any]) -> Reading | None:
        if not (definition.stated and self._statements.names):
            return None
        since = self._since(given)
        own = self._statements.reading(definition.name, definition.type, definition.unit, since)
        if own is not None or not definition.opposite:
            return own
        other = self._statements.reading(definition.opposite, definition.type, definition.unit, since)
        if other is None or not other.known:
            return other
        said = f"{self._catalogue.facts[definition.opposite].label}: {'yes' if other.value else 'no'}"
        return structs.replace(other, value=not other.value, note=f"stated the other way round ({said})")

    def _since(self, given: Mapping[str, Any]) -> date | None:
        """The first day of the period that is asked about: `duration` ends on day 0, whatever the fact."""
        return before(self.as_of, given["duration"]) if "duration" in given else None

    def _compute(self, definition: FactDefinition, given: Mapping[str, Any]) -> Reading:
        name, kind, unit = definition.name, definition.type, definition.unit
        if name in self._parameters:
            stated_on_order = self.order.parameter(name, kind, unit)
            if stated_on_order is not None and not _is_foreign(stated_on_order, definition):
                return stated_on_order
        computed = self._derive(definition, given)
        if name in self._recorded:
            by_name = recorded(self.chart, self.as_of, name, kind, unit, self._since(given))
            return computed if by_name is None else joined(by_name, computed)
        return computed

    def _derive(self, definition: FactDefinition, given: Mapping[str, Any]) -> Reading:
        """What the first operator that can tell says, else the most telling of the unknown readings."""
        best = SILENT
        for derivation in definition.derivations:
            operator, arguments = derivation.operator, derivation.arguments
            if definition.given:
                arguments = {
                    key: given[value.name] if isinstance(value, Given) else value
                    for key, value in arguments.items()
                }
            self._asking[-1].kinds.append(operator.reads)
            reading = operator.function(self, **arguments)
            if reading is SILENT:
                continue
            if reading.value is not None:
                failure = self._failure((derivation,))
                if not (failure and _rests_on_the_whole(reading, definition)):
                    return reading
                reading = unknown(Reason.FETCH_FAILED, failure, reading.evidence)
            if best.reason in (None, Reason.NO_DATA) and not (
                reading.reason is Reason.NO_DATA and not reading.evidence and not reading.note
            ):
                best = reading
        if best.reason is Reason.NO_DATA:
            failure = self._failure(definition.derivations)
            if failure:
                return unknown(Reason.FETCH_FAILED, failure, best.evidence)
        if definition.absent_means_false and best.reason is Reason.NO_DATA:
            return Reading(value=False, note="nothing on file says so", inferred=True)
        return best

    def _failure(self, derivations: Iterable[Derivation]) -> str:
        """What could not be fetched of all that is read; "" when everything was had."""
        chart = self.chart
        if not chart.failures:
            return ""
        for derivation in derivations:
            for kind in derivation.operator.reads:
                if kind in chart.failures:
                    return f"{kind} could not be fetched: {chart.failures[kind]}"
        return ""


def _rests_on_the_whole(reading: Reading, definition: FactDefinition) -> bool:
    """Whether what was not fetched could change a reading: a "no", a number, what follows from silence.

    A "yes" rests on what is there, and a date or a text on the resource that holds it.
    """
    return reading.value is False or reading.inferred or definition.type in ("decimal", "integer")


def _is_foreign(reading: Reading, definition: FactDefinition) -> bool:
    """Whether an order's parameter answers with a code that is no option: then what it means is computed."""
    return bool(definition.options) and reading.known and reading.value not in definition.options
