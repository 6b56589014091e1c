"""Coverage of a policy by its cases, counted by criterion: met, unmet and unknown.

A criterion is covered when some case leaves it in each state that it can have; a limb of a
compound criterion likewise; an exclusion when it has fired and stayed silent; a referral when it
has sent an order elsewhere (where it does not, it is no part of the answer). `at_least` groups need
a case with n-1 and one with n met nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from policies.cases import load_cases, run
from policies.determination import Determination, Node, Part, walk
from policies.model import Condition, Criterion, Policy, Test

STATES = ("met", "unmet", "unknown")


class Row(Struct, frozen=True):
    """One criterion, or one limb of it: the states that cases have shown, and where it stands."""

    name: str
    line: int
    shown: frozenset[str]
    kind: str

    @property
    def missing(self) -> tuple[str, ...]:
        wanted = ("met",) if self.kind == "referral" else STATES
        return tuple(state for state in wanted if state not in self.shown)


def coverage(policy: Policy, catalogue: Catalogue, value_sets: ValueSets) -> list[Row]:
    """The rows of a policy, in file order. A criterion's limbs follow it, named by their fact."""
    shown: dict[str, set[str]] = {}
    for case in load_cases(policy, catalogue):
        determination = run(case, policy, catalogue, value_sets)
        if determination is not None:
            for name, state in _states(determination):
                shown.setdefault(name, set()).add(state)
    return [
        Row(name, line, frozenset(shown.get(name, ())), criterion.kind)
        for criterion in policy.criteria()
        for name, line in _names(criterion)
    ]


def _names(criterion: Criterion) -> Iterator[tuple[str, int]]:
    yield criterion.id, criterion.line
    if criterion.condition is not None and not isinstance(criterion.condition, Test):
        yield from _limbs(criterion.id, criterion.condition)


def _limbs(path: str, condition: Condition) -> Iterator[tuple[str, int]]:
    if isinstance(condition, Test):
        yield f"{path} > {condition.fact}", condition.line
        return
    for index, part in enumerate(condition.parts):
        here = path if isinstance(part, Test) else f"{path}.{index}"
        yield from _limbs(here, part)


def _states(determination: Determination) -> Iterator[tuple[str, str]]:
    roots: Iterable[Node] = (
        determination.criteria,
        *determination.exclusions,
        *determination.documentation,
        *determination.reservations,
    )
    for root in roots:
        for node in walk(root):
            yield node.id, node.state if node.evidenced else "unknown"
            yield from _part_states(node.id, node.parts)


def _part_states(path: str, parts: list[Part]) -> Iterator[tuple[str, str]]:
    for index, part in enumerate(parts):
        if part.parts:
            yield from _part_states(f"{path}.{index}", part.parts)
        else:
            yield f"{path} > {part.fact}", part.state
