"""Whether a questionnaire would help with an order: it asks for something that is still open."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.catalogue import Catalogue
from policies.determination import Determination
from policies.determination import Node as Judged
from policies.model import Criterion, Group, Node, Policy, Service, Test, criteria_of, groups_of, tests_of
from policies.nearest import shut
from policies.questionnaires.parts import is_narrative, parts_of


def asks_something_open(determination: Determination, asked: frozenset[str]) -> bool:
    """Whether an answer to what a questionnaire asks could settle what a determination left open.

    asked: of the service that judged (`asked_nodes`). What is open on a path for another use of the
    pump does not count.
    """
    judged = (
        determination.criteria,
        *determination.documentation,
        *determination.reservations,
        *determination.exclusions,
    )
    return any(node.id in asked for top in judged for node in _open(top))


def asked_nodes(policy: Policy, service: Service, catalogue: Catalogue) -> frozenset[str]:
    """Ids of the criteria and groups of which the questionnaire of a service asks something."""
    return frozenset(
        node.id
        for part in parts_of(policy, service)
        for node in _nodes(part)
        if any(is_narrative(catalogue.facts[test.fact]) for test in _tests(node))
    )


def _open(node: Judged) -> Iterator[Judged]:
    if node.state == "met" or shut(node):
        return
    if node.state == "unknown":
        yield node
    for inner in node.criteria:
        yield from _open(inner)


def _nodes(group: Group) -> Iterator[Node]:
    yield from groups_of(group)
    yield from criteria_of(group)


def _tests(node: Node) -> Iterator[Test]:
    own = node.condition if isinstance(node, Criterion) else node.gate
    for condition in (node.applies_when, own):
        if condition is not None:
            yield from tests_of(condition)
