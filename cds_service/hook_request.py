"""A CDS Hooks request, read from the bytes of a body.

The body is split, not built: prefetch values stay raw bytes until somebody needs them, so a request
with thousands of Observations costs a scan. What the hook's definition requires must be there, and
an error says what, where and how to mend it; what nobody reads is ignored. Of two equal keys the
last counts, as in every common JSON reader.

Sources: CDS Hooks 2.0, section HTTP Request; hook definitions order-sign and order-select 1.0.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from cds_service.drafts import Draft, read_drafts
from cds_service.errors import BadRequestError, UnusableError, not_json, too_deep

T = TypeVar("T")

_NULL = Raw(b"null")
_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.S)
_MISSING = re.compile(r"missing required field `([^`]+)`")
_PATIENT_ID = re.compile(r"[A-Za-z0-9\-._:]{1,256}")

_HELP = {
    "hook": 'It must be the name of the hook, e.g. "order-sign".',
    "hookInstance": "It must be a UUID that names this call of the hook.",
    "context": "It must be an object with the fields of the hook, see its definition.",
    "context.patientId": 'It must be the id of the patient without a type, e.g. "123".',
    "context.userId": 'It must name the user by type and id, e.g. "Practitioner/abc".',
    "context.draftOrders": "It must be a FHIR Bundle of the unsigned orders.",
    "context.selections": 'It must be a list of the selected orders, e.g. ["DeviceRequest/1"].',
    "prefetch": "It must be an object whose values are FHIR resources, or absent.",
    "fhirServer": "It must be the base URL of a FHIR R4 server, or absent.",
    "fhirAuthorization": "It must be an object with access_token, or absent.",
}


class AccessToken(Struct, frozen=True):
    """A bearer token. It is never shown, logged or stored."""

    value: str = ""

    def __repr__(self) -> str:
        return "AccessToken(...)"


class _Authorization(Struct):
    access_token: str | None = None


class _Envelope(Struct):
    hook: str
    hookInstance: str
    context: Raw
    prefetch: dict[str, Raw] | None = None
    fhirServer: str | None = None
    fhirAuthorization: _Authorization | None = None
    extension: Raw = _NULL


class _OrderSign(Struct):
    userId: str
    patientId: str
    draftOrders: Raw
    encounterId: str | None = None


class _OrderSelect(_OrderSign, kw_only=True):
    selections: tuple[str, ...]


_CONTEXTS: dict[str, type[_OrderSign]] = {"order-sign": _OrderSign, "order-select": _OrderSelect}
HOOKS = tuple(_CONTEXTS)


class HookRequest(Struct, frozen=True):
    """What a sender asks.

    drafts: the orders, in their order. selected: references of the drafts to comment on, None for
    all. prefetch: key -> JSON text. access_token: for fhir_server only. extension: JSON text.
    """

    hook: str
    hook_instance: str
    patient_id: str
    user_id: str
    drafts: tuple[Draft, ...]
    selected: frozenset[str] | None = None
    encounter_id: str = ""
    prefetch: dict[str, Raw] = {}
    fhir_server: str = ""
    access_token: AccessToken = AccessToken()
    extension: Raw = _NULL


_envelope = msgspec.json.Decoder(_Envelope)


def read_hook_request(
    body: bytes, hooks: tuple[str, ...] = HOOKS, *, order_limit: int | None = None
) -> HookRequest:
    """Read a request for one of `hooks`. order_limit: entries of draftOrders, any number by default.

    Raises BadRequestError for what is no such request, UnusableError for a context that
    contradicts itself, CostlyError for too many orders or levels.
    """
    if not body.strip():
        raise BadRequestError("not-json", "The body is empty.", mend="Send a CDS Hooks request as JSON.")
    envelope = _decode(_envelope, body, "")
    if envelope.hook not in hooks:
        what = f"This endpoint answers {' and '.join(hooks)}, not another hook."
        mend = "Send the request to the service of its hook; GET /cds-services lists them."
        raise BadRequestError("wrong-hook", what, where="hook", mend=mend)
    if not envelope.hookInstance.strip():
        raise _invalid("hookInstance", "is empty")
    context = _decode(msgspec.json.Decoder(_CONTEXTS[envelope.hook]), envelope.context, "context")
    drafts = read_drafts(context.draftOrders, "context.draftOrders", order_limit)
    authorization = envelope.fhirAuthorization or _Authorization()
    return HookRequest(
        hook=envelope.hook,
        hook_instance=envelope.hookInstance,
        patient_id=_patient_id(context.patientId),
        user_id=context.userId,
        encounter_id=context.encounterId or "",
        drafts=drafts,
        selected=_selected(context.selections, drafts) if isinstance(context, _OrderSelect) else None,
        prefetch=envelope.prefetch or {},
        fhir_server=(envelope.fhirServer or "").strip(),
        access_token=AccessToken(authorization.access_token or ""),
        extension=envelope.extension,
    )


def _patient_id(written: str) -> str:
    """The bare id; senders that write "Patient/123" are understood."""
    patient_id = written.strip().removeprefix("Patient/")
    if not _PATIENT_ID.fullmatch(patient_id):
        where, what = "context.patientId", "context.patientId is no id of a patient."
        raise UnusableError("unusable-context", what, where=where, mend=_HELP[where])
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


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes | Raw, where: str) -> T:
    """Decode JSON; errors lead to the element below `where`."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _explained(str(error), where) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(error, where) from None
    except RecursionError:
        raise too_deep(where) from None


def _explained(message: str, where: str) -> BadRequestError:
    match = _AT.match(message)
    what, path = (match["what"], (match["path"] or "").lstrip(".")) if match else (message, "")
    missing = _MISSING.search(what)
    if missing:
        path, what = ".".join(filter(None, (path, missing[1]))), "is missing"
    else:
        what = what.replace("`", "").replace("Expected ", "must be ").replace(" | null", "")
        what = what.replace(", got ", ", not ")
    return _invalid(".".join(filter(None, (where, path))), what)


def _invalid(where: str, what: str) -> BadRequestError:
    mend: Any = _HELP.get(where) or _HELP.get(where.partition("[")[0], "See CDS Hooks 2.0, HTTP Request.")
    return BadRequestError("invalid-request", f"{where or 'The body'} {what}.", where=where, mend=mend)
