"""The clause report: how a policy file accounts for every clause of its document.

`clauses.yaml` beside the policy lists the document's clauses with kind and phase. A clause is
evaluated (criterion, exclusion, contraindication), answered by applicability (effective date, scope,
referral, listed code), reported (documentation, later duty, prior authorisation, caveat), derived
from other clauses, or information only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from mappings.yaml_file import load_mapping
from policies.determination import Determination, walk
from policies.model import Criterion, Duty, Policy, Rule, criteria_of, groups_of

FILE = "clauses.yaml"
EVALUATED, APPLICABILITY, REPORTED = "evaluated", "applicability", "reported"
DERIVED, INFORMATION, MISSING = "derived", "information", "missing"


class Place(Struct, frozen=True):
    """Where the policy file takes up a clause, and how: `by` is the id there."""

    how: str
    by: str
    line: int


class ClauseRow(Struct, frozen=True):
    """One clause of the document and the places that take it up."""

    clause: str
    kind: str
    phase: str
    places: tuple[Place, ...]

    @property
    def how(self) -> str:
        return self.places[0].how if self.places else MISSING


def clause_rows(policy: Policy) -> list[ClauseRow]:
    """The rows of all clauses that clauses.yaml lists, in its order.

    Raises FileNotFoundError when there is no clauses.yaml, mappings.yaml_file.DataError for a bad one.
    """
    places: dict[str, list[Place]] = {}
    for clause, place in _places(policy):
        places.setdefault(clause, []).append(place)
    top = load_mapping(Path(policy.file).parent / FILE)
    top.choice("ledger", (policy.ledger,))
    listed = top.child("clauses")
    rows = []
    for name in listed:
        kind, phase = listed.texts(name)
        clause = f"{policy.ledger}/{name}"
        rows.append(ClauseRow(clause, kind, phase, tuple(places.get(clause, ()))))
    top.done()
    return rows


def stray_clauses(policy: Policy) -> list[tuple[str, Place]]:
    """Clauses that the policy names and clauses.yaml does not list."""
    known = {row.clause for row in clause_rows(policy)}
    return [(clause, place) for clause, place in _places(policy) if clause not in known]


def stated_clauses(determination: Determination) -> set[str]:
    """The clauses that an answer speaks of, met or not."""
    roots = (
        determination.criteria,
        *determination.exclusions,
        *determination.documentation,
        *determination.reservations,
    )
    found = {clause for root in roots for node in walk(root) for clause in node.clauses}
    found.update(
        clause for stated in (*determination.later, *determination.caveats) for clause in stated.clauses
    )
    if determination.prior_authorization is not None:
        found.update(determination.prior_authorization.clauses)
    return found | set(determination.listed)


def _places(policy: Policy) -> Iterator[tuple[str, Place]]:
    yield from _criterion_places(policy.effective, APPLICABILITY)
    for criterion in (*policy.referrals, *policy.scope):
        yield from _criterion_places(criterion, APPLICABILITY)
    for service in policy.services:
        for group in groups_of(service.criteria):
            for clause in group.clauses:
                yield clause, Place(EVALUATED, group.id, group.line)
        for criterion in criteria_of(service.criteria):
            yield from _criterion_places(criterion, EVALUATED)
        for reservation in service.reservations:
            yield from _criterion_places(reservation.criterion, EVALUATED)
    for criterion in policy.exclusions:
        yield from _criterion_places(criterion, EVALUATED)
    for criterion in policy.documentation:
        yield from _criterion_places(criterion, REPORTED)
    stated: tuple[Duty | Rule, ...] = (*policy.duties, *policy.prior_authorization, *policy.caveats)
    for item in stated:
        for clause in item.clauses:
            yield clause, Place(REPORTED, item.id, item.line)
    for code, clauses in policy.codes.items():
        for clause in clauses:
            yield clause, Place(APPLICABILITY, code[1], 0)
    for clause, line in policy.derived.items():
        yield clause, Place(DERIVED, DERIVED, line)
    for clause, line in policy.information.items():
        yield clause, Place(INFORMATION, INFORMATION, line)


def _criterion_places(criterion: Criterion, how: str) -> Iterator[tuple[str, Place]]:
    for clause in criterion.clauses:
        yield clause, Place(how, criterion.id, criterion.line)
