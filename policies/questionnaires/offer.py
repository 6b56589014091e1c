"""Whether a questionnaire would help with an order: it asks for something that is still open."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.catalogue import Catalogue
from policies.determination import Determination
from policies.determination import Node as Judged
from policies.model import Criterion, Group, Node, Policy, Service, Test, criteria_of, groups_of, tests_of
from policies.nearest import shut
from policies.questionnaires.parts import is_narrative, parts_of


def asks_something_open(
    determination: Determination, policy: Policy, service: Service, catalogue: Catalogue
) -> bool:
    """Whether the questionnaire of a service asks for something that an answer to an order left open.

    What is open on a path for another use of the pump does not count.
    """
    judged = (
        determination.criteria,
        *determination.documentation,
        *determination.reservations,
        *determination.exclusions,
    )
    left_open = {node.id for top in judged for node in _open(top)}
    return bool(left_open) and any(
        node.id in left_open and any(is_narrative(catalogue.facts[test.fact]) for test in _tests(node))
        for part in parts_of(policy, service)
        for node in _nodes(part)
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
