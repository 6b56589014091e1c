"""Cases: what a policy answers for given facts. They stand beside the policy and are its tests.

A given value counts as a documented statement; a fact that is not given is one about which the
record is silent. No FHIR is involved: operators have tests of their own.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.evidence import Basis, Reading
from mappings.terminology import ValueSets
from mappings.yaml_file import Fields, allowed_words, load_mapping
from policies.determination import Determination, walk
from policies.evaluator import evaluate
from policies.given import GivenFacts, given_like
from policies.model import OUTCOMES, STATES, Policy, groups_of


class Expectation(Struct, frozen=True):
    """What a case expects; None where it does not say. States by criterion id."""

    outcome: str | None
    service: str | None
    criteria: Mapping[str, str]
    exclusions: Mapping[str, str]
    documentation: Mapping[str, str]
    asks: tuple[str, ...] | None
    lacking: tuple[str, ...] | None
    prior_authorization: str | None


class Case(Struct, frozen=True):
    """One case of a policy."""

    name: str
    as_of: datetime.date
    given: Mapping[str, Reading]
    expect: Expectation
    file: str
    line: int


def case_files(policy: Policy) -> list[Path]:
    """The case files beside a policy."""
    return sorted(Path(policy.file).parent.glob("cases*.yaml"))


def load_cases(policy: Policy, catalogue: Catalogue) -> list[Case]:
    """All cases of a policy. Raises mappings.yaml_file.DataError."""
    known = _ids(policy)
    cases: list[Case] = []
    for path in case_files(policy):
        top = load_mapping(path)
        earlier: dict[str, Case] = {}
        for fields in top.children("cases"):
            case = _case(fields, catalogue, known, path, earlier)
            earlier[case.name] = case
            cases.append(case)
        top.done()
    return cases


def _ids(policy: Policy) -> set[str]:
    """Ids of all criteria and groups, and "in_force" for the effective date."""
    ids = {criterion.id for criterion in policy.criteria()} | {policy.effective.id}
    for service in policy.services:
        ids |= {group.id for group in groups_of(service.criteria)}
    return ids


def run(case: Case, policy: Policy, catalogue: Catalogue, value_sets: ValueSets) -> Determination | None:
    """The determination of a case; None when no service of the policy takes the order."""
    return evaluate(policy, GivenFacts(catalogue, case.given), value_sets, "DeviceRequest/case", case.as_of)


def misses(case: Case, determination: Determination | None) -> list[str]:
    """In which points the determination differs from what the case expects; [] when in none."""
    expect = case.expect
    if determination is None:
        return ["no service of the policy takes this order"] if expect.outcome else []
    found = []
    if expect.outcome not in (None, determination.outcome):
        found.append(f"outcome is {determination.outcome}, expected {expect.outcome}")
    if expect.service not in (None, determination.service):
        found.append(f"service is {determination.service}, expected {expect.service}")
    trees = (
        (expect.criteria, [determination.criteria, *determination.reservations]),
        (expect.exclusions, determination.exclusions),
        (expect.documentation, determination.documentation),
    )
    for expected, nodes in trees:
        states = {node.id: node.state for root in nodes for node in walk(root)}
        for name, state in expected.items():
            if states.get(name) != state:
                found.append(f"{name} is {states.get(name, 'not in the answer')}, expected {state}")
    if expect.asks is not None and set(expect.asks) != set(determination.asks):
        found.append(f"asks are {determination.asks}, expected {list(expect.asks)}")
    if expect.lacking is not None and set(expect.lacking) != set(determination.lacking):
        found.append(f"lacking are {determination.lacking}, expected {list(expect.lacking)}")
    if expect.prior_authorization is not None:
        rule = determination.prior_authorization
        answer = rule.answer if rule is not None else "none"
        if answer != expect.prior_authorization:
            found.append(f"prior authorization is {answer}, expected {expect.prior_authorization}")
    return found


def _case(
    fields: Fields, catalogue: Catalogue, known: set[str], path: Path, earlier: Mapping[str, Case]
) -> Case:
    """One case; one that is `like` an earlier case of its file has the facts of that case, changed."""
    like = fields.choice("like", earlier) if "like" in fields else ""
    as_of = fields.day("as_of", earlier[like].as_of if like else None)
    if as_of is None:
        raise fields.error("as_of is missing: the day of the order")
    attested = set(fields.texts("attested"))
    given = given_like(earlier[like].given if like else {}, fields, catalogue, as_of)
    for name in attested & set(given):
        given[name] = msgspec.structs.replace(given[name], basis=Basis.ATTESTED)
    stray = attested - set(given)
    if stray:
        raise fields.error(f"{', '.join(sorted(stray))} is attested but not given", "attested")
    expected = fields.child("expect")
    case = Case(
        name=fields.text("name"),
        as_of=as_of,
        given=given,
        expect=Expectation(
            outcome=expected.choice("outcome", OUTCOMES) if "outcome" in expected else None,
            service=expected.text("service") if "service" in expected else None,
            criteria=_states(expected, "criteria", known),
            exclusions=_states(expected, "exclusions", known),
            documentation=_states(expected, "documentation", known),
            asks=expected.texts("asks") if "asks" in expected else None,
            lacking=expected.texts("lacking") if "lacking" in expected else None,
            prior_authorization=expected.text("prior_authorization")
            if "prior_authorization" in expected
            else None,
        ),
        file=path.as_posix(),
        line=fields.line,
    )
    expected.done()
    fields.done()
    return case


def _states(expected: Fields, key: str, known: set[str]) -> dict[str, str]:
    if key not in expected:
        return {}
    inner = expected.child(key)
    states = {}
    for name in inner:
        if name not in known:
            raise inner.error(f"the policy has no {name}; {allowed_words(name, known)}", name)
        states[name] = inner.choice(name, STATES)
    return states
