"""Coverage of a policy by its cases, counted by criterion: met, unmet and unknown.

A criterion is covered when some case leaves it in each state that it can have; a limb of a
compound criterion likewise; an exclusion when it has fired and stayed silent; a referral when it
has sent an order elsewhere (where it does not, it is no part of the answer). A threshold is covered
by cases below, at and above it (policies.boundaries), an `at_least` group by a case with n-1 and
one with n met nodes. States that the policy file declares impossible (`cannot_be`) are not asked
for; a case that shows one is a mistake in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from policies.boundaries import SIDES, sides, thresholds
from policies.cases import Case, load_cases, run
from policies.determination import Determination, Node, Part, walk
from policies.model import STATES, Condition, Criterion, Group, Policy, Test, groups_of


class Row(Struct, frozen=True):
    """What cases have to show of a criterion, a limb of it, a threshold or a group, and have shown.

    impossible: what the policy file says cannot be.
    """

    name: str
    line: int
    wanted: tuple[str, ...]
    shown: frozenset[str]
    impossible: frozenset[str] = frozenset()

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(what for what in self.wanted if what not in self.shown | self.impossible)

    @property
    def contradicted(self) -> tuple[str, ...]:
        """What cannot be, and a case shows all the same."""
        return tuple(what for what in self.wanted if what in self.shown & self.impossible)


def coverage(policy: Policy, catalogue: Catalogue, value_sets: ValueSets) -> list[Row]:
    """The rows of a policy: criteria in file order with their limbs, then groups, then thresholds."""
    cases = load_cases(policy, catalogue)
    answers = [run(case, policy, catalogue, value_sets) for case in cases]
    nodes = [node for answer in answers if answer is not None for node in _nodes(answer)]
    return [*_criteria_rows(policy, nodes), *_group_rows(policy, nodes), *_threshold_rows(policy, cases)]


def _criteria_rows(policy: Policy, nodes: Iterable[Node]) -> Iterator[Row]:
    shown: dict[str, set[str]] = {}
    for node in nodes:
        for name, state in _states(node):
            shown.setdefault(name, set()).add(state)
    for criterion in policy.criteria():
        wanted = ("met",) if criterion.kind == "referral" else STATES
        for name, line, impossible in _names(criterion):
            yield Row(name, line, wanted, frozenset(shown.get(name, ())), frozenset(impossible))


def _group_rows(policy: Policy, nodes: Iterable[Node]) -> Iterator[Row]:
    met: dict[str, set[int]] = {}
    for node in nodes:
        if node.operator == "at_least":
            met.setdefault(node.id, set()).add(sum(inner.state == "met" for inner in node.criteria))
    for service in policy.services:
        for group in groups_of(service.criteria):
            if group.operator == "at_least":
                yield _group_row(group, met.get(group.id, set()))


def _group_row(group: Group, met: set[int]) -> Row:
    wanted = (f"{group.count - 1} met", f"{group.count} met")
    return Row(group.id, group.line, wanted, frozenset(f"{count} met" for count in met))


def _threshold_rows(policy: Policy, cases: list[Case]) -> Iterator[Row]:
    for name, line, test, demand in thresholds(policy):
        yield Row(name, line, SIDES, sides(policy, test, demand, cases))


def _names(criterion: Criterion) -> Iterator[tuple[str, int, Iterable[str]]]:
    yield criterion.id, criterion.line, criterion.cannot_be
    if criterion.condition is not None and not isinstance(criterion.condition, Test):
        yield from _limbs(criterion.id, criterion.condition)


def _limbs(path: str, condition: Condition) -> Iterator[tuple[str, int, Iterable[str]]]:
    if isinstance(condition, Test):
        yield f"{path} > {condition.fact}", condition.line, condition.cannot_be
        return
    for index, part in enumerate(condition.parts):
        here = path if isinstance(part, Test) else f"{path}.{index}"
        yield from _limbs(here, part)


def _nodes(determination: Determination) -> Iterator[Node]:
    roots: Iterable[Node] = (
        determination.criteria,
        *determination.exclusions,
        *determination.documentation,
        *determination.reservations,
    )
    for root in roots:
        yield from walk(root)


def _states(node: Node) -> Iterator[tuple[str, str]]:
    yield node.id, node.state if node.evidenced else "unknown"
    yield from _part_states(node.id, node.parts)


def _part_states(path: str, parts: list[Part]) -> Iterator[tuple[str, str]]:
    for index, part in enumerate(parts):
        if part.parts:
            yield from _part_states(f"{path}.{index}", part.parts)
        else:
            yield f"{path} > {part.fact}", part.state
