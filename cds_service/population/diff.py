"""What changes between two runs over the same orders: with a changed policy, or with newer data.

Both results are sorted by patient, so they are read side by side, one patient at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec
from msgspec import Struct, field

from cds_service.population.errors import PopulationError
from cds_service.population.finish import finished
from cds_service.population.parquet import Row, rows_of
from cds_service.population.tally import leaves

ABSENT = "no determination"
_Key = tuple[str, str, str]


class CriterionChange(Struct, frozen=True):
    """A criterion with another state; ABSENT where a determination does not have it."""

    id: str
    before: str
    after: str


class OrderChange(Struct, frozen=True, omit_defaults=True):
    """An order that a policy answers differently. before, after: the outcomes."""

    patient: str
    order: str
    policy: str
    before: str
    after: str
    criteria: list[CriterionChange] = []


class PolicyChanges(Struct):
    """outcomes: "before -> after" -> determinations. criteria: id -> "before -> after" -> how often."""

    outcomes: dict[str, int] = field(default_factory=dict)
    criteria: dict[str, dict[str, int]] = field(default_factory=dict)


class Difference(Struct):
    """What changed, counted. compared: determinations of either run. outcome_changed, only_criteria: of
    these, those with another outcome, and those with the same outcome by other states.
    """

    before: str
    after: str
    compared: int = 0
    outcome_changed: int = 0
    only_criteria: int = 0
    policies: dict[str, PolicyChanges] = field(default_factory=dict)


def compare(before: Path, after: Path, out: Path) -> Difference:
    """Hold two finished runs against each other.

    Writes out/difference.ndjson (one line for each order that is answered differently, by patient)
    and out/difference.json (the counts). Raises PopulationError for a folder without a finished run.
    """
    for folder in (before, after):
        if finished(folder) is None:
            raise PopulationError(f"{folder}: the folder holds no finished run")
    found = Difference(str(before), str(after))
    with (out / "difference.ndjson").open("wb") as stream:
        for old, new in _pairs(_rows(before), _rows(after)):
            change = _count(old, new, found)
            if change is not None:
                stream.write(msgspec.json.encode(change) + b"\n")
    found.policies = {name: _sorted(found.policies[name]) for name in sorted(found.policies)}
    (out / "difference.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return found


def _rows(folder: Path) -> Iterator[Row]:
    return rows_of(folder / "determinations.ndjson")


def _pairs(before: Iterable[Row], after: Iterable[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """The determinations of both runs, those about the same order, policy and coverage together."""
    for old, new in _patients(before, after):
        for key in sorted(old.keys() | new.keys()):
            yield old.get(key), new.get(key)


def _patients(
    before: Iterable[Row], after: Iterable[Row]
) -> Iterator[tuple[dict[_Key, Row], dict[_Key, Row]]]:
    olds, news = (groupby(rows, attrgetter("patient")) for rows in (before, after))
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        first = min(name for name, _ in filter(None, (old, new)))
        here: list[dict[_Key, Row]] = []
        for group in (old, new):
            mine = group is not None and group[0] == first
            here.append({_key(row): row for row in group[1]} if group is not None and mine else {})
        old = next(olds, None) if old is not None and old[0] == first else old
        new = next(news, None) if new is not None and new[0] == first else new
        yield here[0], here[1]


def _key(row: Row) -> _Key:
    """Versions may differ: that is what is compared."""
    return row.order, row.policy.id, row.coverage.reference if row.coverage is not None else ""


def _count(old: Row | None, new: Row | None, found: Difference) -> OrderChange | None:
    row = new or old
    assert row is not None
    found.compared += 1
    before, after = (ABSENT if side is None else side.outcome for side in (old, new))
    criteria = list(_criteria(old, new))
    if before == after and not criteria:
        return None
    found.outcome_changed += before != after
    found.only_criteria += before == after
    changes = found.policies.setdefault(row.policy.id, PolicyChanges())
    if before != after:
        _up(changes.outcomes, f"{before} -> {after}")
    for change in criteria:
        _up(changes.criteria.setdefault(change.id, {}), f"{change.before} -> {change.after}")
    return OrderChange(row.patient, row.order, row.policy.id, before, after, criteria)


def _criteria(old: Row | None, new: Row | None) -> Iterator[CriterionChange]:
    if old is None or new is None:
        return
    before, after = ({node.id: node.state for _, node in leaves(row)} for row in (old, new))
    for name in sorted(before.keys() | after.keys()):
        change = CriterionChange(name, before.get(name, ABSENT), after.get(name, ABSENT))
        if change.before != change.after:
            yield change


def _up(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _sorted(changes: PolicyChanges) -> PolicyChanges:
    criteria = {name: dict(sorted(changes.criteria[name].items())) for name in sorted(changes.criteria)}
    return PolicyChanges(dict(sorted(changes.outcomes.items())), criteria)
