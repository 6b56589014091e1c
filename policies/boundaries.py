"""Boundary triples: for each threshold of a policy, cases below, at and above it.

For a span of time that ends on day 0 the three are the day before its first day, that day and the
day after. Only thresholds that stand in a demand (`is:`) count; those handed to operators (`with:`)
are tested with the operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from mappings.dates import Span, before
from policies.cases import Case
from policies.model import Policy, Test, tests_of
from policies.predicates import is_parameter

SIDES = ("below", "at", "above")
_NUMBERS = ("at_least", "above", "at_most", "below", "count_at_least", "unknown_from")
_SPANS = ("within", "at_least_ago")


def thresholds(policy: Policy) -> Iterator[tuple[str, int, Test, str]]:
    """Every threshold of a policy as (name for people, line, test, demand), each line once."""
    seen = set()
    for condition in policy.conditions():
        for test in tests_of(condition):
            for demand in _demands(test):
                if (test.line, demand) not in seen:
                    seen.add((test.line, demand))
                    yield f"{test.fact} {demand}", test.line, test, demand


def sides(policy: Policy, test: Test, demand: str, cases: Iterable[Case]) -> frozenset[str]:
    """The sides of a threshold on which cases have a value."""
    return frozenset(
        side
        for case in cases
        if (reading := case.given.get(test.fact)) is not None and reading.value is not None
        if (side := _side(policy, test, demand, case, reading.value))
    )


def _demands(test: Test) -> list[str]:
    demand = test.predicate.demand
    return [name for name in demand if name in (*_NUMBERS, *_SPANS)] if isinstance(demand, dict) else []


def _side(policy: Policy, test: Test, demand: str, case: Case, value: Any) -> str:
    limit = test.predicate.demand[demand]
    if is_parameter(limit):
        limit = policy.parameters[limit["parameter"]].on(case.as_of)
    if demand in _SPANS:
        first = before(case.as_of, limit)
        days = {first + timedelta(days=offset): side for offset, side in zip((-1, 0, 1), SIDES, strict=True)}
        return days.get(value.first, "") if isinstance(value, Span) and value.first == value.last else ""
    number = len(set(value)) if demand == "count_at_least" else value
    if not isinstance(number, int | float):
        return ""
    edge = float(limit)
    return SIDES[(number > edge) - (number < edge) + 1]
