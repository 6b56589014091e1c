"""Weigh what is known of a fact against what a criterion demands.

Both sources of a fact are tested, what was computed and what was stated: where only one speaks
it counts, where both agree both are evidence, where they contradict the state is unknown
(shared design, rule 10). A computed value that only follows from silence yields to any statement.
A statement with no record behind it counts only where the policy says so (rule 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from mappings.book import Fact
from mappings.evidence import SILENT, Basis, Reading, Reason
from policies.logic import Truth, all_of, any_of, negate
from policies.model import Compound, Condition, Test
from policies.predicates import Asked
from policies.weighed import Weighed

T = TypeVar("T")
Decide = Callable[[Any, Asked], Truth]

_REASON_RANK = (
    Reason.CONFLICTING,
    Reason.ATTESTED_ONLY,
    Reason.FETCH_FAILED,
    Reason.UNIT_MISMATCH,
    Reason.UNMAPPED_CODE,
    Reason.STALE,
    Reason.TOO_SHORT_A_RECORD,
    Reason.IMPRECISE,
    Reason.NARRATIVE_ONLY,
    Reason.NO_DATA,
)


class Facts(Protocol):
    """Where facts come from: mappings.book.FactBook, or the given facts of a case."""

    def fact(self, name: str, given: Mapping[str, Any] = ...) -> Fact: ...

    def value(self, name: str, given: Mapping[str, Any] = ...) -> Any: ...


class Scale(Struct, frozen=True):
    """What conditions of one policy are weighed with, on one day, for one order.

    memo: id of a condition of the policy -> what it weighed.
    """

    book: Facts
    asked: Asked
    attestation_suffices: bool
    memo: dict[int, Weighed]

    def weigh(self, condition: Condition) -> Weighed:
        """The state of a condition; each condition object is weighed once."""
        at = id(condition)
        found = self.memo.get(at)
        if found is None:
            found = self._test(condition) if isinstance(condition, Test) else self._compound(condition)
            self.memo[at] = found
        return found

    def truth(self, condition: Condition) -> Truth:
        """The state alone, from no more facts than it takes."""
        found = self.memo.get(id(condition))
        if found is not None:
            return found.state
        if isinstance(condition, Test):
            return self.weigh(condition).state
        if condition.operator == "not":
            return negate(self.truth(condition.parts[0]))
        decisive, state = (
            (Truth.UNMET, Truth.MET) if condition.operator == "all" else (Truth.MET, Truth.UNMET)
        )
        for part in condition.parts:
            one = self.truth(part)
            if one is decisive:
                return one
            if one is Truth.UNKNOWN:
                state = one
        return state

    def _test(self, test: Test) -> Weighed:
        given = test.given
        if test.parameters:
            parameters = self.asked.parameters
            given = {**given, **{key: parameters[name] for key, name in test.parameters.items()}}
        fact = self.book.fact(test.fact, given)
        if fact.stated is None and fact.computed is SILENT:
            return test.silent
        weighed = weigh_fact(fact, test.predicate.test, self.asked, self.attestation_suffices)
        if test.silence_is_no and weighed.silent:
            return test.silent
        if weighed.state is Truth.UNKNOWN:
            weighed.asks = test.asks
        weighed.fact, weighed.label = test.fact, test.label
        return weighed

    def _compound(self, compound: Compound) -> Weighed:
        parts = tuple(self.weigh(part) for part in compound.parts)
        states = [part.state for part in parts]
        if compound.operator == "not":
            state = negate(states[0])
        else:
            state = (all_of if compound.operator == "all" else any_of)(states)
        decisive = _decisive(compound.operator, state, parts)
        return Weighed(
            state=state,
            reason=_first_reason(decisive) if state is Truth.UNKNOWN else None,
            evidence=_unique(evidence for part in decisive for evidence in part.evidence),
            notes=_unique(note for part in decisive for note in part.notes),
            asks=_unique(ask for part in decisive for ask in part.asks) if state is Truth.UNKNOWN else (),
            silent=state is Truth.UNKNOWN and _silent(compound.operator, parts),
            attested=any(part.attested for part in decisive),
            parts=parts,
            operator=compound.operator,
        )


def _decisive(operator: str, state: Truth, parts: tuple[Weighed, ...]) -> tuple[Weighed, ...]:
    """The parts that make a compound what it is: e.g. the unmet parts of an unmet `all`."""
    whole = {"all": Truth.MET, "any": Truth.UNMET}
    if operator == "not" or state is whole[operator]:
        return parts
    return tuple(part for part in parts if part.state is state)


def _silent(operator: str, parts: tuple[Weighed, ...]) -> bool:
    """Whether a compound is unknown with nothing in the record that points either way.

    For `all`, a part that is met is such a pointer (a pacemaker is on file, its crosstalk is not).
    """
    unknown = [part for part in parts if part.state is Truth.UNKNOWN]
    pointed = operator == "all" and any(part.state is Truth.MET for part in parts)
    return not pointed and all(part.silent for part in unknown)


def _first_reason(parts: tuple[Weighed, ...]) -> Reason:
    reasons = {part.reason for part in parts if part.reason is not None}
    return next((reason for reason in _REASON_RANK if reason in reasons), Reason.NO_DATA)


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once; evidence may hold lists, so a dict would not do."""
    seen: list[T] = []
    for value in values:
        if value not in seen:
            seen.append(value)
    return tuple(seen)


def weigh_fact(fact: Fact, decide: Decide, asked: Asked, attestation_suffices: bool) -> Weighed:
    """The state that the readings of a fact give under a demand."""
    computed, stated = fact.computed, fact.stated
    if stated is None:
        return _single(computed, decide, asked)
    attested = stated.basis is Basis.ATTESTED
    if computed.reason is Reason.CONFLICTING:
        return _joined(Truth.UNKNOWN, Reason.CONFLICTING, computed, stated)
    if not computed.known or computed.inferred:
        if attested and not attestation_suffices and stated.known:
            return _joined(Truth.UNKNOWN, Reason.ATTESTED_ONLY, stated)
        alone = _single(stated, decide, asked)
        return Weighed(
            state=alone.state,
            reason=alone.reason,
            evidence=alone.evidence,
            notes=alone.notes,
            attested=attested and alone.state is not Truth.UNKNOWN,
        )
    if not stated.known:
        if stated.reason is Reason.CONFLICTING:
            return _joined(Truth.UNKNOWN, Reason.CONFLICTING, computed, stated)
        return _single(computed, decide, asked)
    by_record, by_word = decide(computed.value, asked), decide(stated.value, asked)
    if by_record is by_word or by_word is Truth.UNKNOWN:
        reason = Reason.IMPRECISE if by_record is Truth.UNKNOWN else None
        return _joined(by_record, reason, computed, stated)
    if by_record is Truth.UNKNOWN:
        if attested and not attestation_suffices:
            return _joined(Truth.UNKNOWN, Reason.ATTESTED_ONLY, computed, stated)
        return _joined(by_word, None, stated, computed)
    return _joined(Truth.UNKNOWN, Reason.CONFLICTING, computed, stated)


def _single(reading: Reading, decide: Decide, asked: Asked) -> Weighed:
    if not reading.known:
        reason = reading.reason or Reason.NO_DATA
        silent = reason is Reason.NO_DATA and not reading.evidence
        return Weighed(Truth.UNKNOWN, reason, reading.evidence, _notes(reading), silent=silent)
    state = decide(reading.value, asked)
    reason_now = Reason.IMPRECISE if state is Truth.UNKNOWN else None
    return Weighed(state, reason_now, reading.evidence, _notes(reading))


def _joined(state: Truth, reason: Reason | None, *readings: Reading) -> Weighed:
    return Weighed(
        state=state,
        reason=reason,
        evidence=_unique(evidence for reading in readings for evidence in reading.evidence),
        notes=tuple(note for reading in readings for note in _notes(reading)),
    )


def _notes(reading: Reading) -> tuple[str, ...]:
    return (reading.note,) if reading.note else ()


def moot(applies_when: Condition | None, scale: Scale) -> Truth:
    """Whether something with a scope applies: MET it does, UNMET it is moot, UNKNOWN it may."""
    return Truth.MET if applies_when is None else scale.truth(applies_when)
