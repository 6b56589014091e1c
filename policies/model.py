"""A payer policy as it is evaluated: services with criteria, exclusions, documentation.

Read from policy.yaml by `policies.loader`; the format is described in docs/policy-format.md.
Every node knows the line of its file, so that reports can point at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from msgspec import Struct

from mappings.evidence import Reason
from policies import determination
from policies.logic import Truth
from policies.predicates import Predicate
from policies.repeated import Contact, Replacement
from policies.weighed import Weighed

STATES = ("met", "unmet", "unknown")
OUTCOMES = ("met", "not-met", "needs-documentation", "excluded", "not-applicable")


class Parameter(Struct, frozen=True):
    """A number, duration or text of the policy that can change on a date.

    values: in force from each date on, ascending. Raises LookupError before the first date.
    """

    name: str
    unit: str
    values: tuple[tuple[date, Any], ...]
    clause: str

    def on(self, day: date) -> Any:
        value = None
        for start, dated in self.values:
            if start <= day:
                value = dated
        if value is None:
            # An order older than the policy is answered before any parameter is asked for.
            return self.values[0][1]
        return value


class Source(Struct, frozen=True):
    """A document the policy is taken from. text: the file it was read as; sha256 of that file."""

    name: str
    title: str
    url: str
    sha256: str
    text: str
    retrieved: date | None


class Citation(Struct, frozen=True):
    """Where the policy says so: source name and a verbatim quote (white space normalised)."""

    source: str
    quote: str

    def of(self, clauses: tuple[str, ...]) -> determination.Cited:
        """As a determination gives it, for something with these clauses."""
        return determination.Cited(self.source, self.quote, clauses[0] if clauses else "")


class Test(Struct, frozen=True, dict=True):
    """One demand on one fact.

    label: the fact's, for people. given: arguments that the fact's operators need; parameters: those
    that are parameters of the policy -> their names. ask: what would settle it, where the policy has
    words of its own; asks: with the fact's words for the rest. silence_is_no: where the record says
    nothing at all of the fact, the demand is unmet. cannot_be: states that no order can have here -> why.
    """

    fact: str
    given: Mapping[str, Any]
    predicate: Predicate
    ask: str
    line: int
    label: str = ""
    parameters: Mapping[str, str] = {}
    asks: tuple[str, ...] = ()
    silence_is_no: bool = False
    cannot_be: Mapping[str, str] = {}

    @cached_property
    def silent(self) -> Weighed:
        """What it weighs where the record says nothing of the fact."""
        if self.silence_is_no:
            notes = ("nothing on file says so",)
            return Weighed(Truth.UNMET, notes=notes, fact=self.fact, label=self.label)
        no_data = Reason.NO_DATA
        return Weighed(Truth.UNKNOWN, no_data, asks=self.asks, silent=True, fact=self.fact, label=self.label)


class Compound(Struct, frozen=True):
    """Conditions joined by all, any or not."""

    operator: str
    parts: tuple[Condition, ...]


Condition = Test | Compound


class Criterion(Struct, frozen=True, dict=True):
    """What the policy asks, with its clause, its words, its citation and the condition that shows it.

    gate: it tells which use an order is for, so it closes a path and is not something to mend.
    applies_when: outside of it the criterion is moot. phase: of the ledger (order, order-doc,
    continuing). required: for documentation, whether the answer waits for it (where it applies for
    certain; a document that may be needed is a to-do).
    kind: criterion, referral, exclusion, contraindication or documentation. danger: it threatens life.
    instead: the code to order where this stands in the way.
    limit: how much of the order the policy allows.
    cannot_be: states that no order can have here -> why.
    """

    id: str
    clauses: tuple[str, ...]
    says: str
    condition: Condition | None
    citation: Citation
    line: int
    kind: str = "criterion"
    ask: str = ""
    interpretation: str = ""
    gate: bool = False
    applies_when: Condition | None = None
    phase: str = "order"
    required: bool = False
    danger: bool = False
    instead: Replacement | None = None
    limit: Parameter | None = None
    cannot_be: Mapping[str, str] = {}

    @cached_property
    def blank(self) -> determination.Node:
        """What is said of it whatever the order: copied for each, never changed."""
        return determination.Node(
            id=self.id,
            kind="" if self.kind == "criterion" else self.kind,
            clauses=list(self.clauses),
            says=self.says,
            state=Truth.UNMET,
            citation=self.citation.of(self.clauses),
            interpretation=self.interpretation,
            phase="" if self.phase == "order" else self.phase,
            required=self.required,
            gate=self.gate,
            danger=self.danger,
            instead=self.instead,
        )


class Group(Struct, frozen=True, dict=True):
    """Nodes joined by all, any or at_least. title: what a path is called.

    says: what lacks when every path is closed. applies_when: outside of it the group is moot.
    gate: the orders that this path is for; where it is unmet the path is shut, hence unmet.
    """

    id: str
    operator: str
    nodes: tuple[Node, ...]
    line: int
    count: int = 0
    title: str = ""
    says: str = ""
    clauses: tuple[str, ...] = ()
    applies_when: Condition | None = None
    gate: Condition | None = None

    @cached_property
    def blank(self) -> determination.Node:
        """What is said of it whatever the order: copied for each, never changed."""
        return determination.Node(
            id=self.id,
            operator=self.operator,
            count_needed=self.count,
            title=self.title,
            says=self.says,
            clauses=list(self.clauses),
            state=Truth.UNMET,
        )


Node = Criterion | Group


class Reservation(Struct, frozen=True):
    """A provision that reserves the decision: failed criteria it covers become needs-documentation.

    covers: ids of criteria or groups; () covers all.
    """

    criterion: Criterion
    covers: frozenset[str]


class Rule(Struct, frozen=True, dict=True):
    """A statement that holds when its condition does: prior authorisation, caveat, notice.

    answer: for prior authorisation "required", "not-required" or "unknown". outcomes: outcomes to
    which a caveat belongs, () for all. limit: how much of the order the statement allows.
    """

    id: str
    clauses: tuple[str, ...]
    says: str
    citation: Citation | None
    line: int
    condition: Condition | None = None
    answer: str = ""
    outcomes: tuple[str, ...] = ()
    limit: Parameter | None = None

    @cached_property
    def cited(self) -> determination.Cited | None:
        return None if self.citation is None else self.citation.of(self.clauses)


class Duty(Struct, frozen=True, dict=True):
    """What comes after the order: phase is delivery, claim or continuing."""

    id: str
    clauses: tuple[str, ...]
    says: str
    phase: str
    citation: Citation | None
    line: int
    applies_when: Condition | None = None

    @cached_property
    def cited(self) -> determination.Cited | None:
        return None if self.citation is None else self.citation.of(self.clauses)


class Service(Struct, frozen=True):
    """One kind of order that the policy judges by criteria of its own. when: None takes every order."""

    id: str
    title: str
    when: Condition | None
    criteria: Group
    reservations: tuple[Reservation, ...]
    line: int


class Policy(Struct, frozen=True):
    """One version of one payer document.

    referrals: where the document sends orders elsewhere. scope: whom and what it is for. code_sets:
    value sets of the orders it has something to say about. codes: codes that the document lists,
    with the listing clauses. information, derived: clauses that are only accounted for -> line.
    """

    id: str
    version: str
    title: str
    payer: str
    ledger: str
    status: str
    attestation: str
    effective_from: date
    effective_to: date | None
    effective: Criterion
    reviewed_on: date
    sources: Mapping[str, Source]
    parameters: Mapping[str, Parameter]
    code_sets: tuple[str, ...]
    codes: Mapping[tuple[str, str], tuple[str, ...]]
    referrals: tuple[Criterion, ...]
    scope: tuple[Criterion, ...]
    services: tuple[Service, ...]
    exclusions: tuple[Criterion, ...]
    documentation: tuple[Criterion, ...]
    duties: tuple[Duty, ...]
    prior_authorization: tuple[Rule, ...]
    caveats: tuple[Rule, ...]
    information: Mapping[str, int]
    derived: Mapping[str, int]
    file: str
    sha256: str
    contact: Contact | None = None

    @property
    def reference(self) -> str:
        return f"{self.id}@{self.version}"

    def in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def criteria(self) -> Iterator[Criterion]:
        """Every criterion of the policy, in file order, exclusions and documentation included."""
        yield from self.referrals
        yield from self.scope
        for service in self.services:
            yield from criteria_of(service.criteria)
            yield from (reservation.criterion for reservation in service.reservations)
        yield from self.exclusions
        yield from self.documentation

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the policy, those that only select included."""
        for criterion in self.criteria():
            yield from (c for c in (criterion.condition, criterion.applies_when) if c is not None)
        for service in self.services:
            if service.when is not None:
                yield service.when
            yield from _group_conditions(service.criteria)
        for rule in (*self.prior_authorization, *self.caveats):
            if rule.condition is not None:
                yield rule.condition
        for duty in self.duties:
            if duty.applies_when is not None:
                yield duty.applies_when

    def limits(self) -> Iterator[Parameter]:
        """The parameters that limit what is ordered."""
        limiting: tuple[Criterion | Rule, ...] = (
            *self.criteria(),
            *self.prior_authorization,
            *self.caveats,
        )
        for item in limiting:
            if item.limit is not None:
                yield item.limit

    def facts(self) -> frozenset[str]:
        """Names of all facts that the policy asks for."""
        return frozenset(
            name
            for condition in self.conditions()
            for test in tests_of(condition)
            for name in (test.fact, *test.predicate.facts)
        )


def criteria_of(node: Node) -> Iterator[Criterion]:
    """The criteria below a node, in file order."""
    if isinstance(node, Criterion):
        yield node
    else:
        for inner in node.nodes:
            yield from criteria_of(inner)


def groups_of(group: Group) -> Iterator[Group]:
    """A group and the groups below it, in file order."""
    yield group
    for inner in group.nodes:
        if isinstance(inner, Group):
            yield from groups_of(inner)


def tests_of(condition: Condition) -> Iterator[Test]:
    """The tests of a condition, in file order."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests_of(part)


def _group_conditions(group: Group) -> Iterator[Condition]:
    for inner in groups_of(group):
        yield from (c for c in (inner.applies_when, inner.gate) if c is not None)
