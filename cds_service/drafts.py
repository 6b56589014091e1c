"""The orders of a request: each as a lean resource and as the JSON it came in.

The lean resource is what policies judge; the JSON is kept because an order that is sent back
(coverage-information) must be whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cards.as_sent import value
from cds_service.errors import CostlyError, ServiceError, UnusableError, not_json
from mappings.chart import reference_of
from mappings.fhir import Request, Resource
from mappings.parsing import Item, Problem, Received, read

# Order types of Da Vinci CRD that no policy here reads; what else stands beside orders belongs to them.
_OTHER_ORDERS = ("Appointment", "CommunicationRequest", "NutritionOrder", "Task", "VisionPrescription")
ORDER_KINDS = frozenset({"DeviceRequest", "MedicationRequest", "ServiceRequest", *_OTHER_ORDERS})


class Draft(Struct, frozen=True):
    """One order (or appointment) that a hook is about, or what stands beside it.

    reference: "Type/id" as the sender wrote it. resource: None for a type that no policy reads.
    raw: the whole resource as JSON text. problems: what had to be mended.
    """

    kind: str
    reference: str
    raw: Raw
    resource: Resource | None = None
    full_url: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def item(self) -> Item | None:
        """The draft as a chart takes it."""
        return Item(self.resource, self.full_url) if self.resource is not None else None

    @property
    def is_order(self) -> bool:
        """Whether it asks for something; drugs and devices beside the orders only belong to them."""
        return self.resource is None or isinstance(self.resource, Request) or self.kind in _OTHER_ORDERS


class _Entry(Struct):
    resource: Raw = Raw(b"null")
    fullUrl: Any = ""


class _Bundle(Struct):
    resourceType: str = ""
    entry: list[_Entry | None] | None = None


class _Head(Struct):
    resourceType: str = ""
    id: Any = ""


_bundle = msgspec.json.Decoder(_Bundle)
_head = msgspec.json.Decoder(_Head)


def read_drafts(raw: Raw, where: str, limit: int | None = None) -> tuple[Draft, ...]:
    """The drafts of a Bundle, in its order. A Bundle without type, or without resourceType, will do.

    Raises UnusableError for what is no Bundle, BadRequestError for text that is no JSON, CostlyError
    for more than `limit` entries.
    """
    try:
        bundle = _bundle.decode(raw)
    except msgspec.ValidationError:
        raise _no_bundle(where) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(error, where) from None
    if bundle.resourceType not in ("Bundle", "") or (not bundle.resourceType and bundle.entry is None):
        raise _no_bundle(where)
    if limit is not None and len(bundle.entry or ()) > limit:
        what = f"This Bundle holds more than {limit} orders."
        raise CostlyError("too-many-orders", what, where=where, mend="Send the orders in several requests.")
    drafts = []
    for index, entry in enumerate(bundle.entry or ()):
        if entry is not None and bytes(entry.resource) != b"null":
            url = entry.fullUrl if isinstance(entry.fullUrl, str) else ""
            drafts.append(_draft(entry.resource, url, f"{where}.entry[{index}].resource"))
    return tuple(drafts)


def type_of(raw: Raw) -> str:
    """The resourceType of a value, "" for one that is none (null, a list)."""
    try:
        return _head.decode(raw).resourceType
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def drafts_within(raw: bytes | Raw, kinds: Collection[str], where: str) -> Iterator[Draft]:
    """The resources of some types in a value that may hold anything: a resource, a Bundle, null.

    What cannot be read is passed over: whoever reads the value as a whole tells about it.
    """
    try:
        head = _head.decode(raw)
        if head.resourceType in kinds:
            yield _draft(Raw(raw), "", where)
            return
        bundle = _bundle.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, ServiceError):
        return
    for index, entry in enumerate(bundle.entry or ()):
        try:
            if entry is None or _head.decode(entry.resource).resourceType not in kinds:
                continue
            url = entry.fullUrl if isinstance(entry.fullUrl, str) else ""
            yield _draft(entry.resource, url, f"{where}.entry[{index}].resource")
        except (msgspec.DecodeError, UnicodeDecodeError, ServiceError):
            continue


def _draft(raw: Raw, full_url: str, where: str) -> Draft:
    try:
        # It may be sent back, so what nobody reads must be JSON too.
        value(raw)
        head = _head.decode(raw)
        received = read(raw, where)
    except msgspec.ValidationError:
        head, received = _Head(), Received("unreadable")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(error, where) from None
    if not head.resourceType:
        mend = "Each entry holds an order with its resourceType."
        raise UnusableError("unusable-context", "This is no FHIR resource.", where=where, mend=mend)
    resource = received.items[0].resource if received.kind == "resource" and received.items else None
    written_id = head.id if isinstance(head.id, str) else ""
    reference = f"{head.resourceType}/{written_id}" if written_id else head.resourceType
    return Draft(
        kind=head.resourceType,
        reference=reference_of(resource) if resource is not None else reference,
        raw=raw,
        resource=resource,
        full_url=full_url,
        problems=received.problems,
    )


def _no_bundle(where: str) -> UnusableError:
    mend = "Send a FHIR Bundle whose entries hold the unsigned orders."
    return UnusableError("unusable-context", "This is no Bundle of orders.", where=where, mend=mend)
