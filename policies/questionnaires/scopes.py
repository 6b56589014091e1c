"""Whether two conditions can hold of one order, as far as lists of allowed values tell.

"The pump is implantable" and "the pump is for insulin" cannot; a policy's exclusions for one kind of
pump need not be asked about another.
"""

from __future__ import annotations

from policies.model import Compound, Condition, Test, tests_of


def exclude_each_other(one: Condition | None, other: Condition | None) -> bool:
    """Whether some fact would need two values at once. None is a condition that always holds."""
    if one is None or other is None:
        return False
    facts = {test.fact for test in tests_of(one)} & {test.fact for test in tests_of(other)}
    pairs = [(_allowed(one, fact), _allowed(other, fact)) for fact in facts]
    return any(mine is not None and theirs is not None and not mine & theirs for mine, theirs in pairs)


def _allowed(condition: Condition, fact: str) -> frozenset[str] | None:
    """The values that a fact may have where a condition holds; None when that is not told."""
    if isinstance(condition, Test):
        demand = condition.predicate.demand
        if condition.fact != fact or not isinstance(demand, dict) or "one_of" not in demand:
            return None
        return frozenset((*demand["one_of"], *demand.get("unsure", ())))
    return _joined(condition, fact)


def _joined(compound: Compound, fact: str) -> frozenset[str] | None:
    sets = [_allowed(part, fact) for part in compound.parts]
    known = [values for values in sets if values is not None]
    if compound.operator == "any" and len(known) == len(sets):
        return frozenset().union(*known)
    if compound.operator == "all" and known:
        return known[0].intersection(*known[1:])
    return None
