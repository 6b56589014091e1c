"""What a run found, counted: by policy, outcome, criterion and payer. Numbers only, nobody's reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from cds_service.population.patient import Judged
from policies.determination import Determination, Node, walk

NO_PAYER = "no known payer"
Counts = dict[str, int]

PARTS = ("criteria", "exclusions", "documentation", "reservations")


class CriterionTally(Struct, omit_defaults=True):
    """One criterion over all determinations. part: where it stands. lacking: how often it stood between
    the order and `met`. states: met, unmet, unknown -> how often. reasons: why unknown -> how often."""

    says: str
    part: str
    states: Counts = field(default_factory=dict)
    lacking: int = 0
    reasons: Counts = field(default_factory=dict)


class PolicyTally(Struct):
    """One version of a policy. outcomes: outcome -> determinations."""

    title: str
    payer: str
    sha256: str
    outcomes: Counts = field(default_factory=dict)
    criteria: dict[str, CriterionTally] = field(default_factory=dict)


class Tally(Struct):
    """What is counted in a bucket, and summed over all.

    answered: orders with a determination. not_evaluated: why -> orders. payers: payer of the coverage
    -> outcome -> determinations. left_out: why resources do not count -> how many. problems: lines that
    had to be mended or could not be read.
    """

    patients: int = 0
    answered: int = 0
    determinations: int = 0
    outcomes: Counts = field(default_factory=dict)
    policies: dict[str, PolicyTally] = field(default_factory=dict)
    payers: dict[str, Counts] = field(default_factory=dict)
    not_evaluated: Counts = field(default_factory=dict)
    left_out: Counts = field(default_factory=dict)
    problems: int = 0

    def count(self, judged: Judged) -> None:
        """Add one patient."""
        self.patients += 1
        self.answered += len({found.order for found in judged.determinations})
        self.determinations += len(judged.determinations)
        self.problems += len(judged.troubles)
        for left in judged.left:
            _up(self.not_evaluated, left.why)
        for why in judged.left_out:
            _up(self.left_out, why)
        for found in judged.determinations:
            self._determination(found)

    def _determination(self, found: Determination) -> None:
        _up(self.outcomes, found.outcome)
        payer = found.coverage.payer if found.coverage is not None else NO_PAYER
        _up(self.payers.setdefault(payer, {}), found.outcome)
        name = f"{found.policy.id}@{found.policy.version}"
        policy = self.policies.get(name)
        if policy is None:
            policy = PolicyTally(found.policy.title, found.policy.payer, found.policy.sha256)
            self.policies[name] = policy
        _up(policy.outcomes, found.outcome)
        lacking = set(found.lacking)
        for part, node in leaves(found):
            tally = policy.criteria.get(node.id)
            if tally is None:
                tally = policy.criteria[node.id] = CriterionTally(node.says or node.title, part)
            _up(tally.states, node.state)
            if node.reason:
                _up(tally.reasons, node.reason)
            tally.lacking += node.id in lacking


def leaves(found: Determination) -> Iterator[tuple[str, Node]]:
    """The criteria of a determination, each with the part in which it stands; no groups."""
    for part in PARTS:
        top = getattr(found, part)
        for root in top if isinstance(top, list) else (top,):
            yield from ((part, node) for node in walk(root) if not node.criteria)


def summed(tallies: Iterator[Tally]) -> Tally:
    """All of them in one, with sorted names: the same whatever the buckets."""
    total: dict[str, Any] = {}
    for tally in tallies:
        _add(total, msgspec.to_builtins(tally))
    return msgspec.convert(_sorted(total), Tally)


def _up(counts: Counts, name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _add(total: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            _add(total.setdefault(name, {}), value)
        elif isinstance(value, int):
            total[name] = total.get(name, 0) + value
        else:
            total[name] = value


def _sorted(value: Any) -> Any:
    return {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, dict) else value
