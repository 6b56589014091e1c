"""Evaluate one policy for one order on one day. Pure: everything it needs is passed in.

The result mirrors the policy's tree. Outcome (shared design, rule 4): not-applicable when the
policy is not in force, sends the order elsewhere, or is for other orders or members; excluded when
an exclusion applies; else what the criteria say, where an exclusion that plausibly applies, a
required document that is missing or a provision that reserves the decision make it
needs-documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from datetime import date
from typing import Any

from msgspec import UNSET

from mappings.terminology import ValueSets
from policies.determination import Determination, Limit, Node, Part, PolicyRef, Stated
from policies.logic import Truth, all_of, any_of, at_least
from policies.model import Criterion, Duty, Group, Parameter, Policy, Rule, Service
from policies.model import Node as PolicyNode
from policies.nearest import lacking
from policies.predicates import Asked
from policies.weigh import Facts, Scale, moot
from policies.weighed import Weighed

_NEGATIVE = frozenset({"exclusion", "contraindication", "referral"})


def evaluate(
    policy: Policy, book: Facts, value_sets: ValueSets, order: str, as_of: date
) -> Determination | None:
    """The determination of an order; None when no service of the policy takes it.

    `book` holds the facts of this order on day `as_of`; `order` is its reference.
    """
    scale = Scale(
        book=book,
        asked=Asked(
            as_of=as_of,
            parameters={name: parameter.on(as_of) for name, parameter in policy.parameters.items()},
            value_sets=value_sets,
            other=book.value,
        ),
        attestation_suffices=policy.attestation == "sufficient",
        memo={},
    )
    if not policy.in_force(as_of):
        node = copy(policy.effective.blank)
        node.notes = [_not_in_force(policy, as_of)]
        return _not_applicable(policy, order, as_of, [node], scale)
    elsewhere = [node for node in _criteria(policy.referrals, scale) if node.state == Truth.MET]
    if elsewhere:
        return _not_applicable(policy, order, as_of, elsewhere, scale)
    scope = _criteria(policy.scope, scale)
    outside = [node for node in scope if node.state == Truth.UNMET]
    if outside:
        return _not_applicable(policy, order, as_of, outside, scale)
    service = next((s for s in policy.services if moot(s.when, scale) is Truth.MET), None)
    if service is None:
        return None
    return _judge(policy, service, scope, scale, order, as_of)


def _judge(
    policy: Policy, service: Service, scope: list[Node], scale: Scale, order: str, as_of: date
) -> Determination:
    criteria = _group(service.criteria, scale)
    if scope:
        criteria = _all(policy.id, [*scope, criteria])
    exclusions = _criteria(policy.exclusions, scale)
    documentation = _criteria(policy.documentation, scale)
    reservations = [(r, n) for r in service.reservations if (n := _criterion(r.criterion, scale)) is not None]
    applying = [(r, n) for r, n in reservations if _may_apply(r.criterion, n, scale)]
    outcome = _outcome(criteria, exclusions, documentation)
    perhaps: list[Node] = []
    if outcome == "not-met" and applying:
        covered = _covered(service.criteria, [r.covers for r, _ in applying])
        _reserve(criteria, covered)
        if _without_reserved(criteria) is not Truth.UNMET:
            outcome = "needs-documentation"
            perhaps = [n for _, n in applying if n.state == Truth.UNKNOWN]
    lack = [*_lack(criteria, exclusions, documentation, outcome), *perhaps]
    return Determination(
        order=order,
        policy=_reference(policy),
        service=service.id,
        title=service.title,
        as_of=as_of.isoformat(),
        outcome=outcome,
        criteria=criteria,
        exclusions=exclusions,
        documentation=documentation,
        asks=_unique(ask for node in lack for ask in node.asks),
        lacking=[node.id for node in lack],
        reservations=[n for _, n in reservations],
        prior_authorization=_first(policy.prior_authorization, scale),
        later=[_later(d) for d in policy.duties if moot(d.applies_when, scale) is Truth.MET],
        caveats=_caveats(policy, scale, outcome),
    )


def _outcome(criteria: Node, exclusions: list[Node], documentation: list[Node]) -> str:
    if any(node.state == Truth.MET for node in exclusions):
        return "excluded"
    if criteria.state == Truth.UNMET:
        return "not-met"
    open_questions = (
        criteria.state == Truth.UNKNOWN
        or any(node.state == Truth.UNKNOWN for node in exclusions)
        or any(node.required and node.state != Truth.MET for node in documentation)
    )
    return "needs-documentation" if open_questions else "met"


def _lack(criteria: Node, exclusions: list[Node], documentation: list[Node], outcome: str) -> list[Node]:
    """What stands between the order and met: exclusions first, then the nearest way, then documents."""
    if outcome == "excluded":
        return [n for n in exclusions if n.state == Truth.MET] + lacking(criteria)
    open_exclusions = [n for n in exclusions if n.state == Truth.UNKNOWN]
    papers = [n for n in documentation if n.required and n.state != Truth.MET]
    return [*open_exclusions, *lacking(criteria), *papers]


def _may_apply(criterion: Criterion, node: Node, scale: Scale) -> bool:
    """Whether a reservation applies, or the record points there without deciding it."""
    if node.state == Truth.UNKNOWN:
        assert criterion.condition is not None
        return not scale.weigh(criterion.condition).silent
    return node.state == Truth.MET


def _covered(group: Group, covers: Iterable[frozenset[str]]) -> set[str]:
    """Ids of the criteria that reservations cover; a group's id covers what is below it."""
    names = set().union(*covers)
    everything = any(not cover for cover in covers)

    def walk(node: PolicyNode, inside: bool) -> Iterable[str]:
        inside = inside or everything or node.id in names
        if isinstance(node, Criterion):
            return [node.id] if inside else []
        return [found for inner in node.nodes for found in walk(inner, inside)]

    return set(walk(group, False))


def _reserve(node: Node, covered: set[str]) -> None:
    """Mark the unmet criteria whose decision is reserved."""
    if not node.criteria:
        node.reserved = node.state == Truth.UNMET and node.id in covered
    for inner in node.criteria:
        _reserve(inner, covered)


def _without_reserved(node: Node) -> Truth:
    """The state of a tree if every reserved criterion were open."""
    if not node.criteria:
        return Truth.UNKNOWN if node.reserved else Truth(node.state)
    if node.gate or node.reason:
        return Truth(node.state)
    return _joined(node.operator, node.count_needed, [_without_reserved(n) for n in node.criteria])


def _joined(operator: str, count: int, states: list[Truth]) -> Truth:
    if operator == "at_least":
        return at_least(count, states)
    return (all_of if operator == "all" else any_of)(states)


def _group(group: Group, scale: Scale) -> Node:
    """The state of a group. Moot nodes are left out of it and of the answer.

    While it is open which order this is (no drug is named), a path for certain orders is open at best.
    """
    nodes, states = [], []
    for inner in group.nodes:
        applies = moot(inner.applies_when, scale)
        if applies is Truth.UNMET:
            continue
        node = _criterion(inner, scale) if isinstance(inner, Criterion) else _group(inner, scale)
        if node is None:
            continue
        if applies is Truth.UNKNOWN and node.state == Truth.UNMET:
            # It would be unmet if it applied, and whether it applies is open.
            assert inner.applies_when is not None
            node.state, node.reason = Truth.UNKNOWN, "no_data"
            node.asks = list(scale.weigh(inner.applies_when).asks)
        nodes.append(node)
        states.append(Truth(node.state))
    found = copy(group.blank)
    found.criteria = nodes
    gate = moot(group.gate, scale)
    if gate is Truth.UNMET:
        found.gate = True
        return found
    state = _joined(group.operator, group.count, states)
    found.state = all_of([gate, state])
    if gate is Truth.UNKNOWN and state is not Truth.UNMET:
        # Whether the order is for this path comes first, before all that the path asks for.
        assert group.gate is not None
        weighed = scale.weigh(group.gate)
        found.reason, found.asks = weighed.reason or "no_data", list(weighed.asks)
        found.evidence, found.notes = list(weighed.evidence), list(weighed.notes)
        found.says = found.says or found.title
    elif state is Truth.UNKNOWN and group.operator == "any" and group.says:
        _take_open_scope(found)
    return found


def _take_open_scope(group: Node) -> None:
    """Where all that is left of alternatives is open in its scope, their group says and asks so once."""
    left = [node for node in group.criteria if node.state == Truth.UNKNOWN]
    if not all(node.criteria and node.reason for node in left):
        return
    group.reason = left[0].reason
    group.asks = _unique(ask for node in left for ask in node.asks)
    group.notes = _unique(note for node in left for note in node.notes)
    for node in left:
        group.evidence = [*group.evidence, *(e for e in node.evidence if e not in group.evidence)]


def _all(name: str, nodes: list[Node]) -> Node:
    state = all_of(Truth(node.state) for node in nodes)
    return Node(id=name, operator="all", state=state, criteria=nodes)


def _criteria(criteria: Iterable[Criterion], scale: Scale) -> list[Node]:
    return [node for criterion in criteria if (node := _criterion(criterion, scale)) is not None]


def _criterion(criterion: Criterion, scale: Scale) -> Node | None:
    """The state of a criterion; None when it is moot.

    An exclusion about which the record says nothing does not fire: it is unmet, not evidenced.
    """
    applies = moot(criterion.applies_when, scale)
    if applies is Truth.UNMET:
        return None
    assert criterion.condition is not None
    weighed = scale.weigh(criterion.condition)
    node = copy(criterion.blank)
    negative = criterion.kind in _NEGATIVE
    if negative and weighed.silent:
        node.evidenced = False
        return node
    state = weighed.state
    if negative and applies is Truth.UNKNOWN and state is Truth.MET:
        state = Truth.UNKNOWN
    node.state = state
    node.required = criterion.required and applies is Truth.MET
    node.evidence = list(weighed.evidence)
    node.notes = list(weighed.notes)
    node.attested = weighed.attested
    node.fact = weighed.fact
    if criterion.limit is not None:
        node.limit = _limit(criterion.limit, scale)
    if state is Truth.UNKNOWN:
        node.reason = weighed.reason or "no_data"
        node.asks = [criterion.ask] if criterion.ask else list(weighed.asks)
    if weighed.parts:
        node.parts = [_part(part) for part in weighed.parts]
    return node


def _part(weighed: Weighed) -> Part:
    return Part(
        state=weighed.state,
        fact=weighed.fact,
        label=weighed.label,
        operator=weighed.operator,
        reason=weighed.reason or "",
        evidence=list(weighed.evidence) if not weighed.parts else [],
        notes=list(weighed.notes) if not weighed.parts else [],
        parts=[_part(part) for part in weighed.parts],
    )


def _limit(parameter: Parameter | None, scale: Scale) -> Limit | None:
    """What a limit allows on the day of the order."""
    if parameter is None:
        return None
    value = parameter.on(scale.asked.as_of)
    return Limit(span=value) if isinstance(value, str) else Limit(float(value), parameter.unit)


def _reference(policy: Policy) -> PolicyRef:
    source = next(iter(policy.sources.values()))
    return PolicyRef(
        policy.id,
        policy.version,
        policy.payer,
        policy.title,
        policy.sha256,
        source.url,
        until=policy.effective_to.isoformat() if policy.effective_to else "",
        contact=policy.contact,
    )


def _not_in_force(policy: Policy, day: date) -> str:
    until = f" to {policy.effective_to}" if policy.effective_to else ""
    return f"in force from {policy.effective_from}{until}; the order counts for {day}"


def _not_applicable(
    policy: Policy, order: str, as_of: date, nodes: list[Node], scale: Scale
) -> Determination:
    return Determination(
        order=order,
        policy=_reference(policy),
        service=UNSET,
        title=policy.title,
        as_of=as_of.isoformat(),
        outcome="not-applicable",
        criteria=_all("applicability", nodes),
        caveats=_caveats(policy, scale, "not-applicable"),
    )


def _first(rules: tuple[Rule, ...], scale: Scale) -> Stated | None:
    for rule in rules:
        if moot(rule.condition, scale) is Truth.MET:
            return Stated(
                list(rule.clauses),
                rule.says,
                answer=rule.answer,
                citation=rule.cited,
                limit=_limit(rule.limit, scale),
            )
    return None


def _caveats(policy: Policy, scale: Scale, outcome: str) -> list[Stated]:
    return [
        Stated(
            list(rule.clauses),
            rule.says,
            citation=rule.cited,
            limit=_limit(rule.limit, scale),
        )
        for rule in policy.caveats
        if (not rule.outcomes or outcome in rule.outcomes) and moot(rule.condition, scale) is Truth.MET
    ]


def _later(duty: Duty) -> Stated:
    return Stated(list(duty.clauses), duty.says, phase=duty.phase, citation=duty.cited)


def _unique(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
