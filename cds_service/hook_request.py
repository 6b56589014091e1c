"""A CDS Hooks request, read from the bytes of a body.

The body is split, not built: prefetch values stay raw bytes until somebody needs them, so a request
with thousands of Observations costs a scan. What the hook's definition requires must be there, and
an error says what, where and how to mend it; what nobody reads is ignored. Of two equal keys the
last counts, as in every common JSON reader.

Source: CDS Hooks 2.0, sections HTTP Request and Passing the Access Token.
"""

from __future__ import annotations

from typing import get_args

import msgspec
from msgspec import Raw, Struct

from cards.response_types import Version
from cds_service.configuration import Configuration, read_configuration
from cds_service.contexts import HOOKS, Hook, read_context
from cds_service.drafts import Draft
from cds_service.errors import BadRequestError, ServiceError, status_in
from cds_service.hook_guide import hook_guide

_NULL = Raw(b"null")


class AccessToken(Struct, frozen=True):
    """A bearer token. It is never shown, logged or stored."""

    value: str = ""

    def __repr__(self) -> str:
        return "AccessToken(...)"


class _Authorization(Struct):
    access_token: str
    token_type: str = "Bearer"


class _Envelope(Struct):
    hook: str
    hookInstance: str
    context: Raw
    prefetch: dict[str, Raw] | None = None
    fhirServer: str | None = None
    fhirAuthorization: _Authorization | None = None
    extension: Raw = _NULL


class HookRequest(Struct, frozen=True):
    """What a sender asks.

    drafts: the orders, in their order; appointments too. selected: references of the drafts to
    comment on, None for all. named: references of orders that the context names and does not hold.
    performer: who is to carry them out. prefetch: key -> JSON text. access_token: for fhir_server
    only. configuration: how the answer is to be. extension: JSON text.
    """

    hook: Hook
    hook_instance: str
    patient_id: str
    user_id: str = ""
    drafts: tuple[Draft, ...] = ()
    selected: frozenset[str] | None = None
    named: tuple[str, ...] = ()
    performer: str = ""
    encounter_id: str = ""
    prefetch: dict[str, Raw] = {}
    fhir_server: str = ""
    access_token: AccessToken = AccessToken()
    configuration: Configuration = Configuration()
    extension: Raw = _NULL


_envelope = msgspec.json.Decoder(_Envelope)
_anything = msgspec.json.Decoder()


def read_hook_request(
    body: bytes,
    hooks: tuple[str, ...] = HOOKS,
    crd_version: Version = "2.0",
    *,
    order_limit: int | None = None,
) -> HookRequest:
    """Read a request for one of `hooks`. crd_version: of requests that ask for none.

    order_limit: entries of draftOrders or appointments, any number by default. Raises
    BadRequestError for what is no such request, UnusableError for a context that contradicts itself
    (their status is that of the CRD version asked for), CostlyError for too many orders or levels.
    """
    version = crd_version
    try:
        if not body.strip():
            raise BadRequestError("not-json", "The body is empty.", mend="Send a CDS Hooks request as JSON.")
        envelope = hook_guide.decode(_envelope, body, "")
        configuration = read_configuration(
            hook_guide.decode(_anything, envelope.extension, "extension"), crd_version
        )
        version = configuration.version
        return _request(envelope, configuration, hooks, order_limit)
    except ServiceError as error:
        error.status = status_in(version, error)
        raise


def _request(
    envelope: _Envelope, configuration: Configuration, hooks: tuple[str, ...], order_limit: int | None
) -> HookRequest:
    hook = next((known for known in get_args(Hook) if known == envelope.hook), None)
    if hook is None or hook not in hooks:
        what = f"This endpoint answers {' and '.join(hooks)}, not another hook."
        mend = "Send the request to the service of its hook; GET /cds-services lists them."
        raise BadRequestError("wrong-hook", what, where="hook", mend=mend)
    # Any text will do: the reference implementation of CRD sends one that is no UUID.
    if not envelope.hookInstance.strip():
        raise hook_guide.invalid("hookInstance", "is empty")
    context = read_context(hook, envelope.context, order_limit)
    fhir_server = (envelope.fhirServer or "").strip()
    return HookRequest(
        hook=hook,
        hook_instance=envelope.hookInstance,
        patient_id=context.patient_id,
        user_id=context.user_id,
        drafts=context.drafts,
        selected=context.selected,
        named=context.named,
        performer=context.performer,
        encounter_id=context.encounter_id,
        prefetch=envelope.prefetch or {},
        fhir_server=fhir_server,
        access_token=_token(envelope.fhirAuthorization, fhir_server),
        configuration=configuration,
        extension=envelope.extension,
    )


def _token(authorization: _Authorization | None, fhir_server: str) -> AccessToken:
    """The token. What nothing here rests on (expires_in, scope, subject, patient) may be absent."""
    if authorization is None:
        return AccessToken()
    if not fhir_server:
        raise hook_guide.invalid("fhirServer", "is missing, though fhirAuthorization grants access to it")
    if not authorization.access_token.strip():
        raise hook_guide.invalid("fhirAuthorization.access_token", "is empty")
    if authorization.token_type.lower() != "bearer":
        raise hook_guide.invalid("fhirAuthorization.token_type", "is none that can be used")
    return AccessToken(authorization.access_token)
