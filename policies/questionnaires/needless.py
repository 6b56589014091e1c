"""Which answers make which questions needless, in the form that enableWhen can say.

Of alternatives, one that the answers alone meet spares those after it; a scope that an answer shows
not to hold spares what stands in it. A question is spared only on such grounds: where enableWhen
cannot say it, or a computed fact has a part in it, the question stays. Only "is not answered so" is
ever asked, which holds while nothing is answered, so no question waits for another.
Source: https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from policies.model import Compound, Condition, Criterion, Node, Test

T = TypeVar("T")


class Unless(Struct, frozen=True):
    """The fact is not answered with this value: a bool, or an option of an enum."""

    fact: str
    value: bool | str


Clause = tuple[Unless, ...]
"""Joined by or; several clauses are joined by and."""

Asked = Callable[[str], bool]
"""Whether a fact is one that the questionnaire asks."""


def until_met(node: Node, asked: Asked) -> tuple[Clause, ...]:
    """Clauses that hold until the answers alone meet a node; () when they alone cannot."""
    if node.applies_when is not None:
        return ()
    if isinstance(node, Criterion):
        return () if node.condition is None else _until_met(node.condition, asked)
    if node.gate is not None or node.operator == "at_least":
        return ()
    return _joined(node.operator, [until_met(inner, asked) for inner in node.nodes])


def until_moot(applies_when: Condition | None, asked: Asked) -> tuple[Clause, ...]:
    """Clauses that hold until an answer shows that a scope does not apply; () when none can."""
    if applies_when is None:
        return ()
    if isinstance(applies_when, Test):
        wanted = applies_when.predicate.demand
        spared = isinstance(wanted, bool) and asked(applies_when.fact)
        return ((Unless(applies_when.fact, not wanted),),) if spared else ()
    if applies_when.operator == "not":
        return ()
    opposite = "any" if applies_when.operator == "all" else "all"
    return _joined(opposite, [until_moot(part, asked) for part in applies_when.parts])


def _until_met(condition: Condition, asked: Asked) -> tuple[Clause, ...]:
    if isinstance(condition, Compound):
        if condition.operator == "not":
            return ()
        return _joined(condition.operator, [_until_met(part, asked) for part in condition.parts])
    if not asked(condition.fact):
        return ()
    demand = condition.predicate.demand
    if isinstance(demand, bool):
        return ((Unless(condition.fact, demand),),)
    if isinstance(demand, dict) and set(demand) == {"one_of"}:
        return tuple((Unless(condition.fact, option),) for option in demand["one_of"])
    return ()


def _joined(operator: str, parts: Sequence[tuple[Clause, ...]]) -> tuple[Clause, ...]:
    """`any` is met by one part that can be, `all` only by all parts."""
    if operator == "any":
        return unique(clause for part in parts for clause in part)
    if all(len(part) == 1 for part in parts):
        return (unique(atom for part in parts for atom in part[0]),)
    return ()


def flat(clauses: Iterable[Clause]) -> tuple[str, Clause]:
    """enableBehavior and the conditions it joins, as much as one item can say; "" when there are none.

    FHIR joins the conditions of an item by all or by any, never both: beside single conditions a
    choice of several is left out, which asks rather too much than too little.
    """
    found = unique(clauses)
    single = unique(atom for clause in found if len(clause) == 1 for atom in clause)
    if single:
        return "all", single
    return ("any", found[0]) if found else ("", ())


def unique(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
