"""One situation, several policies: what each answers for the same order, by given facts.

The situations stand in a file of their own (policies/library/comparison.yaml), each with the
answers that the documents give, so that the table is also a test of the policies.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.evidence import Reading
from mappings.yaml_file import Fields, load_mapping
from policies.determination import Determination
from policies.engine import Engine
from policies.evaluator import evaluate
from policies.given import GivenFacts, given_like
from policies.library import LIBRARY
from policies.model import OUTCOMES

COMPARISON = LIBRARY / "comparison.yaml"
SCHEMA = "policy-comparison/1"
NOT_ADDRESSED = "not addressed"
_ANSWERS = (NOT_ADDRESSED, *(outcome for outcome in OUTCOMES if outcome != "not-applicable"))


class Compared(Struct, frozen=True):
    """A policy of the table: its short name, its id, and what holds for each of its members."""

    name: str
    id: str
    given: Mapping[str, Reading]


class Situation(Struct, frozen=True):
    """answers: name of a policy -> what its document answers; absent where the text leaves it open."""

    name: str
    given: Mapping[str, Reading]
    answers: Mapping[str, str]


class Comparison(Struct, frozen=True):
    """The table. given: what holds in every situation."""

    as_of: datetime.date
    policies: tuple[Compared, ...]
    given: Mapping[str, Reading]
    situations: tuple[Situation, ...]


def load_comparison(path: Path, catalogue: Catalogue) -> Comparison:
    """Read the table. Raises DataError."""
    top = load_mapping(path)
    top.choice("schema", (SCHEMA,))
    as_of = top.day("as_of")
    if as_of is None:
        raise top.error("as_of is missing: the day of all orders")
    policies = tuple(_policies(top.child("policies"), catalogue, as_of))
    given = given_like({}, top, catalogue, as_of)
    names = [policy.name for policy in policies]
    situations: dict[str, Situation] = {}
    for fields in top.children("situations"):
        situation = _situation(fields, situations, names, catalogue, as_of)
        situations[situation.name] = situation
    top.done()
    return Comparison(as_of, policies, given, tuple(situations.values()))


def answer(comparison: Comparison, policy: Compared, situation: Situation, engine: Engine) -> str:
    """What a policy answers: an outcome, or NOT_ADDRESSED. Raises KeyError for an unknown policy."""
    determination = determine(comparison, policy, situation.given, engine)
    if determination is None or determination.outcome == "not-applicable":
        return NOT_ADDRESSED
    return determination.outcome


def determine(
    comparison: Comparison,
    policy: Compared,
    given: Mapping[str, Reading],
    engine: Engine,
    day: datetime.date | None = None,
) -> Determination | None:
    """The determination of a policy over given facts, those of its members and of every order below them."""
    found = engine.registry.find(policy.id)
    if found is None:
        raise KeyError(policy.id)
    book = GivenFacts(engine.catalogue, {**comparison.given, **policy.given, **given})
    return evaluate(found, book, engine.value_sets, "DeviceRequest/compared", day or comparison.as_of)


def _policies(fields: Fields, catalogue: Catalogue, as_of: datetime.date) -> Iterable[Compared]:
    for name in fields:
        inner = fields.child(name)
        yield Compared(name, inner.text("id"), given_like({}, inner, catalogue, as_of))
        inner.done()


def _situation(
    fields: Fields,
    earlier: Mapping[str, Situation],
    names: list[str],
    catalogue: Catalogue,
    as_of: datetime.date,
) -> Situation:
    name = fields.text("name")
    if name in earlier:
        raise fields.error(f"there are two situations {name!r}", "name")
    like = fields.choice("like", earlier) if "like" in fields else ""
    given = given_like(earlier[like].given if like else {}, fields, catalogue, as_of)
    answers = fields.child("answers")
    situation = Situation(name, given, {n: answers.choice(n, _ANSWERS) for n in names if n in answers})
    answers.done()
    fields.done()
    return situation
