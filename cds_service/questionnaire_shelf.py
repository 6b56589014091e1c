"""The questionnaires of the policies in service, found by id, canonical address or determination.

They are written when asked for, so a changed policy has a changed form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from policies.determination import Determination
from policies.engine import Engine
from policies.model import Policy, Service
from policies.questionnaires.naming import canonical, questionnaire_id, questionnaire_url
from policies.questionnaires.offer import asked_nodes, asks_something_open
from policies.questionnaires.resource import questionnaire

Json = dict[str, Any]
_Pair = tuple[Policy, Service]


class Shelf:
    """All questionnaires. base: address of this service.

    today: decides which version is current, where none is asked for; None takes the newest.
    """

    def __init__(self, engine: Engine, base: str, today: date | None = None) -> None:
        self._engine = engine
        self._base = base
        self._today = today
        self._asked_nodes: dict[tuple[str, str], frozenset[str]] = {}

    def by_id(self, name: str, version: str = "") -> Json | None:
        """One by its id: a version, or the current one; None when there is none."""
        pairs = [
            (policy, service)
            for policy, service in self._pairs()
            if questionnaire_id(policy.id, service.id) == name and version in ("", policy.version)
        ]
        return self._written(max(pairs, key=self._currency, default=None))

    def by_canonical(self, url: str) -> Json | None:
        """One by its canonical address, with or without |version."""
        address, _, version = url.partition("|")
        for policy, service in self._pairs():
            if canonical(self._base, policy.id, service.id) == address:
                return self.by_id(questionnaire_id(policy.id, service.id), version)
        return None

    def by_determination(self, determination: Determination) -> Json | None:
        """The one for the service that judged an order; None when that leaves nothing to document."""
        return self._written(self.judged_by(determination))

    def judged_by(self, determination: Determination) -> _Pair | None:
        """The policy and service that judged an order; None when no service did."""
        policy = self._engine.registry.find(f"{determination.policy.id}@{determination.policy.version}")
        services = policy.services if policy is not None else ()
        return next(((policy, s) for s in services if policy and s.id == determination.service), None)

    def current(self) -> Iterator[Json]:
        """The current version of each questionnaire."""
        ids = dict.fromkeys(questionnaire_id(policy.id, service.id) for policy, service in self._pairs())
        return (found for name in ids if (found := self.by_id(name)) is not None)

    def asks_something_open(self, determination: Determination) -> bool:
        """Whether the questionnaire of a determination would settle something that it leaves open."""
        pair = self.judged_by(determination)
        return pair is not None and asks_something_open(determination, self._asked(*pair))

    def _asked(self, policy: Policy, service: Service) -> frozenset[str]:
        at = (policy.reference, service.id)
        if at not in self._asked_nodes:
            self._asked_nodes[at] = asked_nodes(policy, service, self._engine.catalogue)
        return self._asked_nodes[at]

    def url(self, determination: Determination) -> str:
        return questionnaire_url(self._base, determination)

    def _pairs(self) -> Iterator[_Pair]:
        return ((policy, service) for policy in self._engine.registry.policies for service in policy.services)

    def _currency(self, pair: _Pair) -> tuple[bool, bool, date]:
        policy = pair[0]
        in_force = self._today is None or policy.in_force(self._today)
        return policy.status == "active", in_force, policy.effective_from

    def _written(self, pair: _Pair | None) -> Json | None:
        if pair is None:
            return None
        policy, service = pair
        payer = self._engine.payers.name(policy.payer)
        return questionnaire(policy, service, self._engine.catalogue, self._base, payer)


def questionnaire_canonical(base: str, engine: Engine) -> Callable[[Determination], str | None]:
    """Tells the canonical address, with version, of the form that settles what a determination left open.

    base: address of this service. None when the part of the policy that judged asks for nothing that
    only documentation can settle, or when nothing of that is open.
    """
    shelf = Shelf(engine, base)

    def canonical(determination: Determination) -> str | None:
        return shelf.url(determination) if shelf.asks_something_open(determination) else None

    return canonical
