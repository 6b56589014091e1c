"""References that a record leaves open: who ordered, who pays, what exactly is ordered.

Queries by patient do not bring practitioners, organisations and medications, and an order may
name a diagnosis or a device that no query returned. Each is read by its own address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from mappings.chart import IDENTIFIED, Chart
from mappings.fhir import (
    RESOURCE_TYPES,
    Coverage,
    DeviceRequest,
    DeviceUseStatement,
    Identifier,
    Medication,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
    PractitionerRole,
    Reference,
    Request,
    Resource,
)

LIMIT = 64
REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}")


def open_references(orders: Iterable[Resource], chart: Chart, limit: int | None = LIMIT) -> dict[str, str]:
    """References that resolve to nothing yet -> resource type; at most `limit`, the orders' own first.

    One that only identifies ("the Organization of this NPI") becomes a search:
    "Organization?identifier=...".
    """
    found: dict[str, str] = {}
    for holder in (*orders, *_holders(chart)):
        for reference in _references(holder):
            kind = kind_of(reference)
            if kind and chart.resolve(reference, holder) is None:
                found.setdefault(reference.reference or _search(reference), kind)
            if len(found) == limit:
                return found
    return found


def _search(reference: Reference) -> str:
    identifier = reference.identifier or Identifier()
    return f"{reference.type}?identifier={quote(f'{identifier.system}|{identifier.value}', safe='')}"


def kind_of(reference: Reference) -> str:
    """The type a reference names, "" for one that cannot be read from a server."""
    if not reference.reference:
        identifier = reference.identifier
        exact = identifier is not None and identifier.system and identifier.value
        return reference.type if exact and reference.type in IDENTIFIED else ""
    written = reference.reference.partition("/_history")[0]
    match = REFERENCE.fullmatch("/".join(written.split("/")[-2:]))
    return match[1] if match and match[1] in RESOURCE_TYPES and match[1] != "Patient" else ""


def _holders(chart: Chart) -> Iterator[Resource]:
    for kind in (
        Coverage,
        PractitionerRole,
        DeviceUseStatement,
        MedicationRequest,
        MedicationStatement,
        MedicationAdministration,
        Medication,
    ):
        yield from chart.of(kind)


def _references(holder: Resource) -> Iterator[Reference]:
    single: tuple[Reference | None, ...] = ()
    if isinstance(holder, Request):
        single = (holder.requester,)
        yield from (*holder.insurance, *holder.reasonReference, *holder.supportingInfo)
    if isinstance(holder, DeviceRequest):
        single = (*single, holder.codeReference)
    elif isinstance(holder, MedicationRequest | MedicationStatement | MedicationAdministration):
        single = (*single, holder.medicationReference)
    elif isinstance(holder, PractitionerRole):
        single = (holder.practitioner,)
    elif isinstance(holder, DeviceUseStatement):
        single = (holder.device,)
    elif isinstance(holder, Coverage):
        yield from holder.payor
    elif isinstance(holder, Medication):
        single = tuple(ingredient.itemReference for ingredient in holder.ingredient)
    yield from (reference for reference in single if reference is not None)
