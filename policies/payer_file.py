"""The form of payers.yaml, and reading it strictly."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from mappings.coverage import PlanName, lines_of_business
from mappings.states import STATES
from mappings.words import folded
from mappings.yaml_file import Fields, allowed_words, load_mapping

# Compared after folding, so without capitals and dots.
_LEGAL = frozenset(
    ("inc", "incorporated", "llc", "corp", "corporation", "co", "company", "ltd", "plc", "the")
)


class Payer(Struct, frozen=True):
    """One payer; the fields are explained in payers.yaml."""

    name: str
    names: tuple[str, ...]
    lines_of_business: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    shared_names: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    plans: tuple[PlanName, ...] = ()
    plan_phrases: tuple[str, ...] = ()


def read_payers(paths: Iterable[Path]) -> dict[str, Payer]:
    """The payers of several files by id.

    Raises mappings.yaml_file.DataError for a file that cannot be used, or a payer, name or
    identifier that is defined already.
    """
    payers: dict[str, Payer] = {}
    taken: dict[str, str] = {}
    for path in paths:
        document = load_mapping(path)
        for payer_id in document:
            if payer_id in payers:
                raise document.error(f"the payer {payer_id} is defined twice", payer_id)
            fields = document.child(payer_id)
            payers[payer_id] = _payer(fields)
            _take(payer_id, payers[payer_id], taken, fields)
    return payers


def _take(payer_id: str, payer: Payer, taken: dict[str, str], fields: Fields) -> None:
    """Note the names and identifiers of a payer in `taken`; one payer only may have each."""
    for name in (*payer.names, *payer.shared_names):
        if (other := taken.setdefault(f"name {bare(name)}", payer_id)) != payer_id:
            raise fields.error(f"'{name}' names {other} too", "names")
    for code in payer.identifiers:
        if (other := taken.setdefault(f"identifier {code}", payer_id)) != payer_id:
            raise fields.error(f"the identifier {code} is of {other} too", "identifiers")


@lru_cache(maxsize=8192)
def bare(name: str) -> str:
    """A name without punctuation, capitals and legal suffixes."""
    return " ".join(word for word in folded(name).split() if word not in _LEGAL)


def _payer(fields: Fields) -> Payer:
    payer = Payer(
        name=fields.text("name"),
        names=fields.texts("names"),
        lines_of_business=_listed(fields, "lines_of_business", lines_of_business()),
        phrases=fields.texts("phrases"),
        shared_names=fields.texts("shared_names"),
        states=_listed(fields, "states", STATES),
        identifiers=fields.texts("identifiers"),
        plans=tuple(_plan(plan) for plan in fields.children("plans")),
        plan_phrases=fields.texts("plan_phrases"),
    )
    if not payer.names:
        raise fields.error("a payer needs the names under which a Coverage may name it", "names")
    if payer.shared_names and not payer.states:
        raise fields.error("shared names need the states of this payer", "shared_names")
    fields.done()
    return payer


def _plan(fields: Fields) -> PlanName:
    plan = PlanName(
        phrases=fields.texts("phrases"),
        line=fields.choice("line", lines_of_business()),
        program=fields.text("program", ""),
    )
    fields.done()
    return plan


def _listed(fields: Fields, key: str, allowed: Collection[str]) -> tuple[str, ...]:
    values = fields.texts(key)
    for value in values:
        if value not in allowed:
            raise fields.error(f"unknown {value!r}; {allowed_words(value, allowed)}", key)
    return values
