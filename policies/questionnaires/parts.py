"""What a questionnaire is about: which criteria bear on a service, and which facts only words can tell."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.catalogue import FactDefinition
from policies.model import Criterion, Group, Policy, Service
from policies.questionnaires.scopes import exclude_each_other


def is_narrative(fact: FactDefinition) -> bool:
    """Whether no record can tell a fact, and a clinician may state it."""
    return fact.stated and not fact.derivations


def parts_of(policy: Policy, service: Service) -> list[Group]:
    """All criteria that may bear on an order of a service, as groups in the order of reading.

    What the policy says about orders of other services alone is left out.
    """

    def part(name: str, title: str, criteria: Iterable[Criterion]) -> Group:
        nodes = tuple(c for c in criteria if not exclude_each_other(c.applies_when, service.when))
        return Group(id=f"policy.{name}", operator="all", nodes=nodes, line=0, title=title)

    return [
        part("scope", "Whom and what the policy is for", policy.scope),
        Group(id="", operator="all", nodes=(service.criteria,), line=service.line),
        part("documentation", "Documents on file", policy.documentation),
        part(
            "reservations",
            "What leaves the decision to the payer",
            (reservation.criterion for reservation in service.reservations),
        ),
        part("exclusions", "What the policy excludes; answer what may apply here", policy.exclusions),
    ]
