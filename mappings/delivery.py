"""Whether a drafted drug may be one that the ordered pump delivers (delivery.yaml).

A draft beside a pump that no reference ties to it is taken for the drug of the pump only where the
route, the form and the drug itself leave that possible. What is not told rules nothing out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from mappings.documents import At, nearest, read
from mappings.drugs import Drug, Drugs
from mappings.fhir import CodeableConcept, MedicationRequest
from mappings.pumps import Item, PumpClass, pumps, texts_of
from mappings.routes import route_names, route_of
from mappings.tables import table
from mappings.words import has_words

# The same products come with every request.
_REMEMBERED = 4096


class _Delivered(Struct, frozen=True, forbid_unknown_fields=True):
    classes: tuple[PumpClass, ...]
    routes: tuple[str, ...]
    only: tuple[str, ...] = ()


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    pumps: tuple[_Delivered, ...]
    never_forms: tuple[str, ...]
    never_classes: tuple[str, ...]


@table
def _table() -> _Table:
    return read(Path(__file__).parent / "delivery.yaml", _Table, _problems)


def _problems(table: _Table) -> Iterable[tuple[At, str]]:
    for index, delivered in enumerate(table.pumps):
        for route in delivered.routes:
            if route not in route_names():
                yield ("pumps", index, "routes"), f"unknown route '{route}'{nearest(route, route_names())}"


def pump_classes(item: CodeableConcept | None, listed: Iterable[Item]) -> set[PumpClass]:
    """The kinds of pump that an ordered item may be: by its codes, else by its name, else by its words."""
    coded = {entry.pump_class for entry in listed if entry.pump_class is not None}
    if coded:
        return coded
    named = pumps().class_of_name(*texts_of(item))
    return set() if named is None else {named}


def may_be_delivered(
    order: MedicationRequest,
    concepts: tuple[CodeableConcept, ...],
    classes: set[PumpClass],
    drugs: Drugs,
) -> bool:
    """Whether a pump of one of the classes may deliver a drug. No classes: any pump.

    concepts: what the order names as its medication.
    """
    kinds = [kind for kind in _table().pumps if not classes or not classes.isdisjoint(kind.classes)]
    by_route = {route for kind in kinds for route in kind.routes}
    read_routes = [route_of(dosage).routes for dosage in order.dosageInstruction]
    if read_routes and all(found and by_route.isdisjoint(found) for found in read_routes):
        return False
    if any(_is_in_no_form(text) for concept in concepts for text in texts_of(concept)):
        return False
    if not concepts:
        return True
    found = drugs.identify_all(*concepts)
    if found and all(not set(_table().never_classes).isdisjoint(drug.classes) for drug in found):
        return False
    return any(not kind.only or _is_any(found, kind.only) for kind in kinds)


@lru_cache(_REMEMBERED)
def _is_in_no_form(text: str) -> bool:
    """Whether the name of a product is that of one which goes into no pump."""
    return any(has_words(text, form) for form in _table().never_forms)


def _is_any(found: Iterable[Drug], classes: tuple[str, ...]) -> bool:
    return any(not set(classes).isdisjoint(drug.classes) for drug in found)
