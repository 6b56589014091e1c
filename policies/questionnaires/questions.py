"""The questions of a service: facts that nothing but a statement can tell, in groups along the criteria.

A fact is asked once, however many criteria ask for it: in the innermost group that holds them all.
Groups without a title are not shown; what they mean for their members (needless) stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from mappings.catalogue import Catalogue, FactDefinition
from policies.model import Citation, Condition, Criterion, Node, Policy, Service, Test, tests_of
from policies.questionnaires.needless import Clause, unique, until_met, until_moot
from policies.questionnaires.parts import is_narrative, parts_of

_YES_OR_NO = re.compile(r"(Is|Are|Was|Were|Does|Do|Did|Has|Have|Had|Can|Must|May|Will)\b")


class Ground(Struct, frozen=True):
    """Why a fact is asked: what a criterion says, and where the policy says so."""

    says: str
    clauses: tuple[str, ...]
    citation: Citation | None
    interpretation: str = ""


class Question(Struct, frozen=True):
    """One fact to be answered. text: the question. clauses: while they hold it is asked."""

    fact: FactDefinition
    text: str
    grounds: tuple[Ground, ...]
    clauses: tuple[Clause, ...] = ()


class Section(Struct):
    """Questions and groups of them under a title."""

    id: str
    title: str
    clauses: tuple[Clause, ...] = ()
    members: list[Question | Section] = []


class _Use(Struct, frozen=True):
    """A place where a fact is asked for: the titled groups around it, innermost last."""

    fact: str
    place: tuple[str, ...]
    ask: str
    ground: Ground
    clauses: tuple[Clause, ...]


def questions(policy: Policy, service: Service, catalogue: Catalogue) -> Section:
    """The questions of a service, below a root without title; no members when there is nothing to ask."""
    collector = _Collector(policy, catalogue)
    for part in parts_of(policy, service):
        collector.walk(part, (), ())
    return collector.section()


class _Collector:
    """Walks the criteria once and keeps, for each fact, where it is asked for."""

    def __init__(self, policy: Policy, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._uses: dict[str, list[_Use]] = {}
        self._groups: dict[str, Section] = {}
        self._never_spared = _used_elsewhere(policy, catalogue)

    def asked(self, fact: str) -> bool:
        return is_narrative(self._catalogue.facts[fact])

    def walk(self, node: Node, place: tuple[str, ...], clauses: tuple[Clause, ...]) -> None:
        """place: ids of the titled groups around. clauses: since the innermost of them."""
        if isinstance(node, Criterion):
            self._criterion(node, place, clauses)
            return
        ground = Ground(node.says or node.title, node.clauses, None)
        self._condition(node.applies_when, place, clauses, ground)
        clauses = (*clauses, *until_moot(node.applies_when, self.asked))
        if node.title:
            self._groups[node.id] = Section(node.id, node.title, clauses)
            place, clauses = (*place, node.id), ()
        self._condition(node.gate, place, clauses, ground)
        earlier: tuple[Clause, ...] = ()
        for inner in node.nodes:
            self.walk(inner, place, (*clauses, *earlier))
            if node.operator == "any":
                earlier = (*earlier, *until_met(inner, self.asked))

    def _criterion(self, node: Criterion, place: tuple[str, ...], clauses: tuple[Clause, ...]) -> None:
        ground = Ground(node.says, node.clauses, node.citation, node.interpretation)
        self._condition(node.applies_when, place, clauses, ground)
        clauses = (*clauses, *until_moot(node.applies_when, self.asked))
        alone = isinstance(node.condition, Test)
        self._condition(node.condition, place, clauses, ground, node.ask if alone else "")

    def _condition(
        self,
        condition: Condition | None,
        place: tuple[str, ...],
        clauses: tuple[Clause, ...],
        ground: Ground,
        ask: str = "",
    ) -> None:
        for test in () if condition is None else tests_of(condition):
            for name in (test.fact, *test.predicate.facts):
                if self.asked(name):
                    use = _Use(name, place, ask or test.ask, ground, clauses)
                    self._uses.setdefault(name, []).append(use)

    def section(self) -> Section:
        root = Section("", "")
        placed: dict[tuple[str, ...], Section] = {(): root}
        for name, uses in self._uses.items():
            home = _common([use.place for use in uses])
            for depth in range(1, len(home) + 1):
                if home[:depth] not in placed:
                    group = self._groups[home[depth - 1]]
                    placed[home[:depth]] = group
                    placed[home[: depth - 1]].members.append(group)
            placed[home].members.append(self._question(name, uses))
        return root

    def _question(self, name: str, uses: Sequence[_Use]) -> Question:
        fact = self._catalogue.facts[name]
        asks = unique(use.ask for use in uses)
        # Where two criteria ask under different conditions, the question stands under neither.
        spared = len({use.clauses for use in uses}) == 1 and name not in self._never_spared
        return Question(
            fact=fact,
            text=_text(fact, asks[0] if len(asks) == 1 else ""),
            grounds=unique(use.ground for use in uses),
            clauses=uses[0].clauses if spared else (),
        )


def _text(fact: FactDefinition, ask: str) -> str:
    """The question: what the criterion asks, else the fact; a boolean says what its yes stands for."""
    text = ask or fact.ask or f"{fact.label}?"
    if fact.type == "boolean" and not _YES_OR_NO.match(text):
        text += f" Yes or no: {fact.label}?"
    return text


def _common(places: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    first, *others = places
    length = len(first)
    for other in others:
        while first[:length] != other[:length]:
            length -= 1
    return first[:length]


def _used_elsewhere(policy: Policy, catalogue: Catalogue) -> set[str]:
    """Facts that also bear on something beside criteria: on a rule, a duty, or a computed fact."""
    rules = [rule.condition for rule in (*policy.prior_authorization, *policy.caveats)]
    rules += [duty.applies_when for duty in policy.duties]
    found = {test.fact for condition in rules if condition is not None for test in tests_of(condition)}
    for fact in catalogue.facts.values():
        for derivation in fact.derivations:
            for value in derivation.arguments.values():
                names = value if isinstance(value, tuple) else (value,)
                found |= {name for name in names if isinstance(name, str)}
    return found
