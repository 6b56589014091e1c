"""The answer about one order under one policy, in the shape that other programs rely on.

Absent values are omitted when encoded; nothing is null. Contract: docs/determination.md.
"""

from __future__ import annotations

from msgspec import Struct, UnsetType

from mappings.evidence import Evidence
from policies.repeated import Contact, Replacement


class Cited(Struct, frozen=True, omit_defaults=True):
    """Where the policy says so."""

    source: str
    quote: str
    clause: str = ""


class Part(Struct, omit_defaults=True):
    """One limb of a criterion with several: its own state, and the fact it asks for."""

    state: str
    fact: str = ""
    label: str = ""
    operator: str = ""
    reason: str = ""
    evidence: list[Evidence] = []
    notes: list[str] = []
    parts: list[Part] = []


class Limit(Struct, frozen=True, omit_defaults=True):
    """How much the policy allows: an amount with its unit (UCUM), or a span of time (ISO 8601)."""

    amount: float | None = None
    unit: str = ""
    span: str = ""


class Node(Struct, omit_defaults=True):
    """A criterion (with clauses) or a group of them (with operator and criteria).

    state: met, unmet or unknown; of an exclusion, met means that it applies. reason: why it is
    unknown. notes: how the state came about, in plain words. asks: what would settle it. gate: of a
    criterion, that it tells what the order is for; of a group, that the order is for something
    else. evidenced: false for an exclusion about which the record is silent. attested: it rests on
    statements with no record behind them. reserved: a provision of the policy reserves the decision
    about this failed criterion. count_needed: of an at_least group. fact: what a criterion of one
    limb asks for. instead: the code to order where the criterion lacks or the exclusion applies.
    """

    id: str
    state: str
    operator: str = ""
    count_needed: int = 0
    title: str = ""
    kind: str = ""
    clauses: list[str] = []
    says: str = ""
    reason: str = ""
    evidence: list[Evidence] = []
    notes: list[str] = []
    asks: list[str] = []
    citation: Cited | None = None
    interpretation: str = ""
    phase: str = ""
    required: bool = False
    gate: bool = False
    evidenced: bool = True
    attested: bool = False
    reserved: bool = False
    danger: bool = False
    fact: str = ""
    instead: Replacement | None = None
    parts: list[Part] = []
    limit: Limit | None = None
    criteria: list[Node] = []


def walk(node: Node) -> list[Node]:
    """A node and all nodes below it, in file order."""
    found = [node]
    for inner in node.criteria:
        if inner.criteria:
            found.extend(walk(inner))
        else:
            found.append(inner)
    return found


def facts_of(node: Node) -> list[str]:
    """The facts that a criterion, or a group with all below it, rests on."""
    found = [one.fact for one in walk(node) if one.fact]
    parts = [part for one in walk(node) for part in one.parts]
    while parts:
        part = parts.pop()
        parts += part.parts
        if part.fact:
            found.append(part.fact)
    return found


class PolicyRef(Struct, omit_defaults=True):
    """The policy that was asked. until: the last day on which it is in force, "" when that is open."""

    id: str
    version: str
    payer: str
    title: str
    sha256: str = ""
    url: str = ""
    until: str = ""
    contact: Contact | None = None


class Stated(Struct, omit_defaults=True):
    """A statement of the policy about this order: prior authorisation, a caveat, a later duty."""

    clauses: list[str]
    says: str
    answer: str = ""
    phase: str = ""
    citation: Cited | None = None
    limit: Limit | None = None


class CoverageRef(Struct, omit_defaults=True):
    """The coverage a determination is about, and how its payer was found; absent without one."""

    reference: str = ""
    payer: str = ""
    how: str = ""
    line_of_business: str = ""
    plan: str = ""


class Determination(Struct, omit_defaults=True):
    """The answer about one order under one policy.

    service: the part of the policy that judged it; UNSET, and so absent, where none did.
    outcome: met, not-met, needs-documentation, excluded or not-applicable. lacking: ids of the
    criteria that stand between the order and met on the nearest alternatives. looked_in: the resource
    types in which what lacks was looked for. asks: what can still change the result. reservations:
    provisions that reserve the decision.
    """

    order: str
    policy: PolicyRef
    service: str | UnsetType
    as_of: str
    outcome: str
    criteria: Node
    exclusions: list[Node] = []
    documentation: list[Node] = []
    asks: list[str] = []
    lacking: list[str] = []
    looked_in: list[str] = []
    reservations: list[Node] = []
    prior_authorization: Stated | None = None
    later: list[Stated] = []
    caveats: list[Stated] = []
    listed: list[str] = []
    coverage: CoverageRef | None = None
    title: str = ""
    order_label: str = ""


class Lapsed(Struct, omit_defaults=True):
    """An order whose only coverage with a loaded payer is not active on its day."""

    order: str
    coverage: CoverageRef
    as_of: str
    order_label: str = ""


def lacking_nodes(determination: Determination) -> list[Node]:
    """The criteria, exclusions, documents and provisions named by `lacking`."""
    names = set(determination.lacking)
    roots = (
        determination.criteria,
        *determination.exclusions,
        *determination.documentation,
        *determination.reservations,
    )
    return [node for root in roots for node in walk(root) if node.id in names]


class NotEvaluated(Struct, omit_defaults=True):
    """An order without a determination, and why."""

    order: str
    why: str


class Report(Struct, omit_defaults=True):
    """All answers to one request.

    payer_note: what was found out about the payer, for the reader. lapsed: coverages that would have
    counted, were they active.
    """

    determinations: list[Determination]
    not_evaluated: list[NotEvaluated]
    payer_note: str = ""
    lapsed: list[Lapsed] = []
