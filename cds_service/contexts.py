"""The context of each hook: whose chart, which orders, whom they are for.

Contexts of two versions of order-dispatch are read: 1.0 has one `order` and its `task`, 1.1 a list
`dispatchedOrders` and `fulfillmentTasks`. Tasks are ignored: they repeat the order and the performer.

Source: HL7 cds-hooks-library, order-dispatch 1.0 and 1.1, all other hooks 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import msgspec
from msgspec import Raw, Struct

from cds_service.drafts import Draft, read_drafts
from cds_service.errors import UnusableError
from cds_service.hook_guide import hook_guide

Hook = Literal[
    "order-sign",
    "order-select",
    "order-dispatch",
    "appointment-book",
    "encounter-start",
    "encounter-discharge",
]
HOOKS: tuple[Hook, ...] = get_args(Hook)
ENCOUNTER_HOOKS: frozenset[str] = frozenset({"encounter-start", "encounter-discharge"})

_PATIENT_ID = re.compile(r"[A-Za-z0-9\-._:]{1,256}")
_ALTERNATE = "http://hl7.org/fhir/StructureDefinition/alternate-reference"


class Context(Struct, frozen=True):
    """What the context of a hook says.

    drafts: the orders or appointments that it holds. selected: references of those to comment on,
    None for all. named: references of orders that it only names. performer: who is to carry them out.
    """

    patient_id: str
    user_id: str = ""
    encounter_id: str = ""
    drafts: tuple[Draft, ...] = ()
    selected: frozenset[str] | None = None
    named: tuple[str, ...] = ()
    performer: str = ""


class _User(Struct):
    userId: str
    patientId: str
    encounterId: str | None = None


class _OrderSign(_User, kw_only=True):
    draftOrders: Raw


class _OrderSelect(_OrderSign, kw_only=True):
    selections: tuple[str, ...]


class _AppointmentBook(_User, kw_only=True):
    appointments: Raw


class _Appointment(Struct):
    basedOn: Any = None


class _Encounter(Struct):
    userId: str
    patientId: str
    encounterId: str


class _OrderDispatch(Struct):
    patientId: str
    order: str | None = None
    dispatchedOrders: tuple[str, ...] | None = None
    performer: str | None = None
    encounterId: str | None = None


# Made once, before requests come: two threads that meet a type first at the same time are not safe.
_sign_form = msgspec.json.Decoder(_OrderSign)
_select_form = msgspec.json.Decoder(_OrderSelect)
_dispatch_form = msgspec.json.Decoder(_OrderDispatch)
_book_form = msgspec.json.Decoder(_AppointmentBook)
_encounter_form = msgspec.json.Decoder(_Encounter)
_appointment_form = msgspec.json.Decoder(_Appointment)


def read_context(hook: Hook, raw: Raw, limit: int | None = None) -> Context:
    """Read a context. limit: orders or appointments in it, any number by default.

    Raises BadRequestError for a wrong form, UnusableError for a contradiction, CostlyError for more
    than `limit` orders.
    """
    return _READERS[hook](raw, limit)


def _order_sign(raw: Raw, limit: int | None) -> Context:
    return _of_user(hook_guide.decode(_sign_form, raw, "context"), limit)


def _order_select(raw: Raw, limit: int | None) -> Context:
    found = hook_guide.decode(_select_form, raw, "context")
    context = _of_user(found, limit)
    return msgspec.structs.replace(context, selected=_selected(found.selections, context.drafts))


def _of_user(found: _OrderSign, limit: int | None) -> Context:
    return Context(
        _patient_id(found.patientId),
        found.userId,
        found.encounterId or "",
        read_drafts(found.draftOrders, "context.draftOrders", limit),
    )


def _order_dispatch(raw: Raw, _: int | None) -> Context:
    found = hook_guide.decode(_dispatch_form, raw, "context")
    named = tuple(dict.fromkeys((*filter(None, (found.order,)), *(found.dispatchedOrders or ()))))
    if not any(name.strip() for name in named):
        raise hook_guide.invalid("context.dispatchedOrders", "is missing or names no order")
    return Context(
        _patient_id(found.patientId),
        encounter_id=found.encounterId or "",
        named=named,
        performer=found.performer or "",
    )


def _appointment_book(raw: Raw, limit: int | None) -> Context:
    found = hook_guide.decode(_book_form, raw, "context")
    drafts = read_drafts(found.appointments, "context.appointments", limit)
    named = dict.fromkeys(name for draft in drafts for name in based_on(draft.raw))
    return Context(
        _patient_id(found.patientId), found.userId, found.encounterId or "", drafts, named=tuple(named)
    )


def _encounter(raw: Raw, _: int | None) -> Context:
    found = hook_guide.decode(_encounter_form, raw, "context")
    if not found.encounterId.strip():
        raise hook_guide.invalid("context.encounterId", "is empty")
    return Context(_patient_id(found.patientId), found.userId, found.encounterId.strip())


_READERS: dict[Hook, Callable[[Raw, int | None], Context]] = {
    "order-sign": _order_sign,
    "order-select": _order_select,
    "order-dispatch": _order_dispatch,
    "appointment-book": _appointment_book,
    "encounter-start": _encounter,
    "encounter-discharge": _encounter,
}


def based_on(appointment: Raw) -> Iterator[str]:
    """References of the orders behind an appointment, as they are written.

    R4 lets basedOn name a ServiceRequest alone; CRD 2.2 puts other orders into an extension of it.
    """
    found = hook_guide.decode(_appointment_form, appointment, "context.appointments")
    for reference in _dicts(found.basedOn):
        yield from _written(reference)
        for extension in _dicts(reference.get("extension")):
            if extension.get("url") == _ALTERNATE:
                yield from _written(extension.get("valueReference"))


def _dicts(value: Any) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [inner for inner in values if isinstance(inner, dict)]


def _written(reference: Any) -> Iterator[str]:
    written = reference.get("reference") if isinstance(reference, dict) else None
    if isinstance(written, str) and written:
        yield written


def _patient_id(written: str) -> str:
    """The bare id; senders that write "Patient/123" are understood."""
    patient_id = written.strip().removeprefix("Patient/")
    if not _PATIENT_ID.fullmatch(patient_id):
        raise hook_guide.unusable("context.patientId", "is no id of a patient")
    return patient_id


def _selected(selections: tuple[str, ...], drafts: tuple[Draft, ...]) -> frozenset[str]:
    """References of the selected drafts; selections may be relative, absolute or fullUrls."""
    by_name = {
        name: draft.reference for draft in drafts for name in (draft.reference, draft.full_url) if name
    }
    found = set()
    for selection in selections:
        name = selection if selection in by_name else "/".join(selection.split("/")[-2:])
        if name in by_name:
            found.add(by_name[name])
    if selections and not found:
        what = "context.selections names no order of context.draftOrders."
        mend = "Each selection is the type and id of a draft order."
        raise UnusableError("unusable-context", what, where="context.selections", mend=mend)
    return frozenset(found)
