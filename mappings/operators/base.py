"""What an operator is, and what it may look at."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from mappings.chart import Chart, reference_of
from mappings.components import naming_part
from mappings.coverage import Membership
from mappings.drugs import Drugs
from mappings.evidence import Evidence, Reading
from mappings.fhir import Coverage, Resource

if TYPE_CHECKING:
    from mappings.book import Fact
    from mappings.companions import DecidedPump
    from mappings.order import Order


class Context(ABC):
    """All that an operator may look at: one question, and the other facts of it.

    as_of: day 0, the day the order counts for. coverage: the one that the question is about. member:
    what it says, read with the knowledge of its payer. pumps: what the policy says of the pumps that
    the order goes with.
    """

    def __init__(
        self,
        chart: Chart,
        order: Order,
        as_of: date,
        drugs: Drugs,
        coverage: Coverage | None = None,
        member: Membership | None = None,
        pumps: tuple[DecidedPump, ...] = (),
    ) -> None:
        self.chart = chart
        self.order = order
        self.as_of = as_of
        self.value_sets = chart.value_sets
        self.drugs = drugs
        self.coverage = coverage
        self.member = member
        self.pumps = pumps

    @abstractmethod
    def fact(self, name: str, given: Mapping[str, Any] = ...) -> Fact:
        """Another fact of the same question."""

    @abstractmethod
    def value(self, name: str, given: Mapping[str, Any] = ...) -> Any:
        """The one value of another fact; None when it is unknown or conflicting."""

    def evidence(
        self, resource: Resource, date: str = "", value: Any = None, unit: str = "", says: str = ""
    ) -> Evidence:
        """Evidence that names a resource and where it came from. `date` is shortened to the day."""
        return Evidence(
            resource=reference_of(resource),
            origin=self.chart.origin(resource),
            date=date[:10],
            value=value,
            unit=unit,
            says=naming_part(resource, says),
        )


def texts(argument: str | Iterable[str]) -> tuple[str, ...]:
    """An argument that may be one text or a list of texts."""
    return (argument,) if isinstance(argument, str) else tuple(argument)


class Operator(Struct, frozen=True):
    """A named function with the resource types it reads.

    reads: resource type names. filtered: those of them that are searched by code, with the
    arguments that name the value sets (`code_arguments`).
    """

    name: str
    function: Callable[..., Reading]
    reads: tuple[str, ...]
    filtered: tuple[str, ...]
    code_arguments: tuple[str, ...]

    def code_sets(self, arguments: Mapping[str, Any]) -> set[str]:
        sets: set[str] = set()
        for name in self.code_arguments:
            sets.update(texts(arguments.get(name, ())))
        return sets

    def misfit(self, arguments: Mapping[str, Any]) -> str:
        """Why the arguments do not fit the function; "" when they do."""
        parameters = inspect.signature(self.function).parameters
        known = [name for name in parameters if name != "context"]
        for name in arguments:
            if name not in known:
                return f"{self.name} takes {', '.join(known)}; not {name}"
        for name in known:
            if parameters[name].default is inspect.Parameter.empty and name not in arguments:
                return f"{self.name} needs {name}"
        return ""


def operator(
    *reads: type[Resource], filtered: tuple[type[Resource], ...] = (), code_arguments: tuple[str, ...] = ()
) -> Callable[[Callable[..., Reading]], Operator]:
    """Declare a function as an operator that reads these resource types."""

    def wrap(function: Callable[..., Reading]) -> Operator:
        return Operator(
            name=function.__name__,
            function=function,
            reads=tuple(kind.__name__ for kind in reads),
            filtered=tuple(kind.__name__ for kind in filtered),
            code_arguments=code_arguments,
        )

    return wrap
