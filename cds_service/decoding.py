"""Parts of a hook request, decoded into structs; errors say what, where and how to mend it."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from cds_service.errors import BadRequestError, UnusableError, not_json, too_deep

T = TypeVar("T")

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.S)
_MISSING = re.compile(r"missing required field `([^`]+)`")

_HELP = {
    "hook": 'It must be the name of the hook, e.g. "order-sign".',
    "hookInstance": "It must be a UUID that names this call of the hook.",
    "context": "It must be an object with the fields of the hook, see its definition.",
    "context.patientId": 'It must be the id of the patient without a type, e.g. "123".',
    "context.userId": 'It must name the user by type and id, e.g. "Practitioner/abc".',
    "context.encounterId": 'It must be the id of the encounter without a type, e.g. "89284".',
    "context.draftOrders": "It must be a FHIR Bundle of the unsigned orders.",
    "context.selections": 'It must be a list of the selected orders, e.g. ["DeviceRequest/1"].',
    "context.appointments": "It must be a FHIR Bundle of the appointments to book.",
    "context.dispatchedOrders": (
        'It must be a list of the orders by type and id, e.g. ["DeviceRequest/1"]; order-dispatch 1.0 '
        "has `order` in its place."
    ),
    "context.order": 'It must name the order by type and id, e.g. "DeviceRequest/1".',
    "context.performer": 'It must name the performer by type and id, e.g. "Organization/1".',
    "prefetch": "It must be an object whose values are FHIR resources, or absent.",
    "fhirServer": "It must be the base URL of a FHIR R4 server; without fhirAuthorization it may be absent.",
    "fhirAuthorization": "It must be an object with access_token and token_type Bearer, or absent.",
    "fhirAuthorization.access_token": "It must be the bearer token for fhirServer.",
    "fhirAuthorization.token_type": 'It must be "Bearer".',
}


def decode(decoder: msgspec.json.Decoder[T], raw: bytes | Raw, where: str) -> T:
    """Decode JSON; errors lead to the element below `where`. Raises BadRequestError."""
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
    return invalid(".".join(filter(None, (where, path))), what)


def invalid(where: str, what: str) -> BadRequestError:
    """The error for an element that is missing or of the wrong form."""
    mend: Any = _HELP.get(where) or _HELP.get(where.partition("[")[0], "See CDS Hooks 2.0, HTTP Request.")
    return BadRequestError("invalid-request", f"{where or 'The body'} {what}.", where=where, mend=mend)


def unusable(where: str, what: str) -> UnusableError:
    """The error for an element of the right form that says what it cannot mean."""
    return UnusableError("unusable-context", f"{where} {what}.", where=where, mend=_HELP[where])
