"""What changes between two versions of a policy: parameters, criteria, and which cases answer differently."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from policies.cases import Case, load_cases, run
from policies.determination import Determination, walk
from policies.model import Policy


class Change(Struct, frozen=True):
    """One difference: kind is parameter, criterion or case; before and after in plain words."""

    kind: str
    name: str
    before: str
    after: str


def diff(old: Policy, new: Policy, catalogue: Catalogue, value_sets: ValueSets) -> list[Change]:
    """All differences. The cases of both versions are run under both, on the days they state."""
    return [*_parameters(old, new), *_criteria(old, new), *_answers(old, new, catalogue, value_sets)]


def _parameters(old: Policy, new: Policy) -> Iterator[Change]:
    for name in sorted({*old.parameters, *new.parameters}):
        before, after = (
            ", ".join(f"{value} from {day}" for day, value in policy.parameters[name].values)
            if name in policy.parameters
            else "absent"
            for policy in (old, new)
        )
        if before != after:
            yield Change("parameter", name, before, after)


def _criteria(old: Policy, new: Policy) -> Iterator[Change]:
    said = [{c.id: f"{c.kind}: {c.says}" for c in policy.criteria()} for policy in (old, new)]
    for name in sorted({*said[0], *said[1]}):
        before, after = (words.get(name, "absent") for words in said)
        if before != after:
            yield Change("criterion", name, before, after)


def _answers(old: Policy, new: Policy, catalogue: Catalogue, value_sets: ValueSets) -> Iterator[Change]:
    cases: dict[str, Case] = {}
    for policy in (old, new):
        for case in load_cases(policy, catalogue):
            cases.setdefault(f"{case.name} ({case.as_of})", case)
    for name, case in cases.items():
        before, after = (_answer(run(case, policy, catalogue, value_sets)) for policy in (old, new))
        if before != after:
            changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
            yield Change("case", name, _words(before, changed), _words(after, changed))


def _answer(determination: Determination | None) -> dict[str, str]:
    """Outcome and states of a determination; {} when no service takes the order."""
    if determination is None:
        return {}
    roots = (determination.criteria, *determination.exclusions, *determination.documentation)
    states = {node.id: node.state for root in roots for node in walk(root) if not node.criteria}
    return {"outcome": determination.outcome, **states}


def _words(answer: dict[str, str], keys: list[str]) -> str:
    return ", ".join(
        f"{key} {answer.get(key, 'absent')}" for key in sorted(keys, key=lambda k: (k != "outcome", k))
    )
