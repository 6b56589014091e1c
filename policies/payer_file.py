"""The form of payers.yaml, and reading it strictly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from mappings.coverage import PlanName, lines_of_business
from mappings.documents import At, DocumentError, nearest, read
from mappings.states import STATES
from mappings.words import folded

# Compared after folding, so without capitals and dots.
_LEGAL = frozenset(
    ("inc", "incorporated", "llc", "corp", "corporation", "co", "company", "ltd", "plc", "the")
)


class Payer(Struct, frozen=True, forbid_unknown_fields=True):
    """One payer; the fields are explained in payers.yaml."""

    name: str
    names: tuple[str, ...]
    lines_of_business: tuple[str, ...]
    phrases: tuple[str, ...] = ()
    shared_names: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    plans: tuple[PlanName, ...] = ()
    plan_phrases: tuple[str, ...] = ()


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    payers: dict[str, Payer] = field(default_factory=dict)


def read_payers(paths: Iterable[Path]) -> dict[str, Payer]:
    """The payers of several files by id.

    Raises DocumentError for a file that cannot be used, or a payer, name or identifier that an
    earlier file defines.
    """
    payers: dict[str, Payer] = {}
    for path in paths:
        for payer_id, payer in read(path, _Document, _problems).payers.items():
            for problem in _clashes(payer_id, payer, payers):
                raise DocumentError(path, problem, at=("payers", payer_id))
            payers[payer_id] = payer
    return payers


def bare(name: str) -> str:
    """A name without punctuation, capitals and legal suffixes."""
    return " ".join(word for word in folded(name).split() if word not in _LEGAL)


def _problems(document: _Document) -> Iterable[tuple[At, str]]:
    for payer_id, payer in document.payers.items():
        at: At = ("payers", payer_id)
        for line in (*payer.lines_of_business, *(plan.line for plan in payer.plans)):
            if line not in lines_of_business():
                yield at, f"unknown line of business '{line}'{nearest(line, lines_of_business())}"
        for state in payer.states:
            if state not in STATES:
                yield (*at, "states"), f"unknown state '{state}': write its postal code"
        if payer.shared_names and not payer.states:
            yield (*at, "shared_names"), "shared names need the states of this payer"


def _clashes(payer_id: str, payer: Payer, known: dict[str, Payer]) -> Iterator[str]:
    if payer_id in known:
        yield f"'{payer_id}' is defined twice"
    for other_id, other in known.items():
        names = {bare(name) for name in other.names}
        yield from (f"'{name}' names {other_id} too" for name in payer.names if bare(name) in names)
        yield from (
            f"identifier {c} is of {other_id} too" for c in payer.identifiers if c in other.identifiers
        )
