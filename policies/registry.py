"""Which policies have something to say about an order: by code, payer and day.

Policies are indexed once by the value sets that they name, so an order that none of a thousand
policies lists costs one lookup per code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from mappings.terminology import ValueSets
from policies.model import Policy


class Registry:
    """The loaded policies. Drafts and retired versions are known but never selected."""

    def __init__(self, policies: Iterable[Policy], value_sets: ValueSets) -> None:
        self.policies = tuple(policies)
        self._value_sets = value_sets
        self._by_set: dict[str, list[Policy]] = {}
        self._by_code: dict[tuple[str, str], list[Policy]] = {}
        for policy in self.policies:
            if policy.status != "active":
                continue
            for value_set in policy.code_sets:
                self._by_set.setdefault(value_set, []).append(policy)
            for code in policy.codes:
                self._by_code.setdefault(code, []).append(policy)

    def listing(self, codes: Sequence[tuple[str, str]], day: date) -> list[Policy]:
        """The policies that list any of the codes: of each document the version in force on `day`.

        A document with no version in force on that day is there with the version that comes next
        (else the last one), so that the answer can say "not in force".
        """
        found: dict[str, Policy] = {}
        for code in codes:
            for value_set in self._value_sets.memberships(*code):
                for policy in self._by_set.get(value_set, ()):
                    found[policy.reference] = policy
            for policy in self._by_code.get(code, ()):
                found[policy.reference] = policy
        versions: dict[str, list[Policy]] = {}
        for policy in found.values():
            versions.setdefault(policy.id, []).append(policy)
        chosen = [_in_force(candidates, day) for candidates in versions.values()]
        return sorted(chosen, key=lambda policy: policy.id)

    def find(self, name: str) -> Policy | None:
        """A policy by id (its newest version) or by id@version."""
        matches = [policy for policy in self.policies if name in (policy.id, policy.reference)]
        return max(matches, key=lambda policy: policy.effective_from, default=None)


def _in_force(versions: list[Policy], day: date) -> Policy:
    current = [policy for policy in versions if policy.in_force(day)]
    if current:
        return max(current, key=lambda policy: policy.effective_from)
    coming = [policy for policy in versions if policy.effective_from > day]
    if coming:
        return min(coming, key=lambda policy: policy.effective_from)
    return max(versions, key=lambda policy: policy.effective_from)
