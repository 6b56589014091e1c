"""Which policies have something to say about an order: by code, payer and day.

Policies are indexed once by the value sets and codes that they name, and what lists the codes of an
order on a day is remembered by payer: a thousand loaded policies cost an order nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

from msgspec import Struct

from mappings.terminology import ValueSets
from policies.model import Policy


class Listing(Struct, frozen=True):
    """The policies that list an order, sorted by id, and those of each payer. False when there is none."""

    policies: tuple[Policy, ...]
    by_payer: Mapping[str, tuple[Policy, ...]]

    def __bool__(self) -> bool:
        return bool(self.policies)

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Listing:
        ordered = tuple(sorted(policies, key=lambda policy: policy.id))
        by_payer: dict[str, tuple[Policy, ...]] = {}
        for policy in ordered:
            by_payer[policy.payer] = (*by_payer.get(policy.payer, ()), policy)
        return cls(ordered, by_payer)


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
        self.listing = lru_cache(maxsize=4096)(self._list)
        # By id the newest version, by id@version each.
        ordered = sorted(self.policies, key=lambda policy: policy.effective_from)
        self._by_name = {name: policy for policy in ordered for name in (policy.id, policy.reference)}

    def _list(self, codes: tuple[tuple[str, str], ...], day: date) -> Listing:
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
        return Listing.of(_in_force(candidates, day) for candidates in versions.values())

    def find(self, name: str) -> Policy | None:
        """A policy by id (its newest version) or by id@version."""
        return self._by_name.get(name)


def _in_force(versions: list[Policy], day: date) -> Policy:
    current = [policy for policy in versions if policy.in_force(day)]
    if current:
        return max(current, key=lambda policy: policy.effective_from)
    coming = [policy for policy in versions if policy.effective_from > day]
    if coming:
        return min(coming, key=lambda policy: policy.effective_from)
    return max(versions, key=lambda policy: policy.effective_from)
