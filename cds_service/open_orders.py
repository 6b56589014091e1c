"""The orders that a hook is about, where its context does not hold them.

order-dispatch names orders, an appointment names those it is based on, and the encounter hooks are
about the open orders of a visit. They are taken from prefetch, else from the FHIR server, as the
JSON that is stored, because an order that is sent back must be whole. An order that cannot be had is
told: silence would look like a clean result.

Source: hook definitions order-dispatch, appointment-book, encounter-start, encounter-discharge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from cds_service.contexts import ENCOUNTER_HOOKS
from cds_service.drafts import ORDER_KINDS, Draft, drafts_within, type_of
from cds_service.fhir_client import FhirServer
from cds_service.hook_request import HookRequest
from cds_service.prefetch import JUDGED, KINDS, Query
from cds_service.references import REFERENCE
from cds_service.turn import aside
from mappings.chart import names_patient
from mappings.fhir import Request

T = TypeVar("T")
R = TypeVar("R")

_WORDS = {
    "DeviceRequest": "device orders",
    "ServiceRequest": "service orders",
    "MedicationRequest": "prescriptions",
}
_OTHER_PATIENT = "it is about another patient"
_OPEN = ("active", "draft", "")


class Missing(Struct, frozen=True):
    """Orders that cannot be had: what refers to them, what they are called, and why not."""

    reference: str
    label: str
    why: str


class Found(Struct, frozen=True):
    """A request with the orders it is about, and what could not be had of them."""

    request: HookRequest
    missing: tuple[Missing, ...] = ()


def with_orders(request: HookRequest, server: FhirServer | str, queries: Sequence[Query]) -> Found:
    """A request with its orders. server: or why none is called. queries: those of discovery."""
    if request.hook in ENCOUNTER_HOOKS:
        return _of_encounter(request, server, queries)
    return _of_patient(_named(request, server) if request.named else Found(request))


def _of_patient(found: Found) -> Found:
    """What was found without orders for somebody else, which this chart cannot answer."""
    request = found.request
    foreign = [d for d in request.drafts if d.is_order and not _is_patients(d, request.patient_id)]
    if not foreign:
        return found
    drafts = tuple(draft for draft in request.drafts if draft not in foreign)
    missing = tuple(Missing(d.reference, d.reference, _OTHER_PATIENT) for d in foreign)
    return Found(msgspec.structs.replace(request, drafts=drafts), (*found.missing, *missing))


def _named(request: HookRequest, server: FhirServer | str) -> Found:
    """The request with the orders that its context names."""
    held = _by_name(_prefetched(request, ORDER_KINDS))
    # One order may be named twice, in two spellings.
    names = list({relative(name): name for name in request.named}.values())
    absent = [name for name in names if _in(held, name) is None]
    failures = {name: _why_not_asked(name, server) for name in absent}
    asked = [name for name in absent if not failures[name]]
    if isinstance(server, FhirServer):
        for name, (text, failure) in zip(
            asked, _parallel(server, server.text, [relative(name) for name in asked]), strict=True
        ):
            held |= _by_name(drafts_within(text, ORDER_KINDS, "fhirServer"))
            failures[name] = failure or "the FHIR server sent something else than was asked for"
    drafts, missing = list(request.drafts), []
    for name in names:
        draft = _in(held, name)
        if draft is None:
            missing.append(Missing(relative(name), relative(name), failures[name]))
        elif not _is_patients(draft, request.patient_id):
            missing.append(Missing(relative(name), relative(name), _OTHER_PATIENT))
        else:
            drafts.append(draft)
    return Found(msgspec.structs.replace(request, drafts=tuple(drafts)), tuple(missing))


def _why_not_asked(name: str, server: FhirServer | str) -> str:
    """Why the FHIR server is not asked for an order; "" when it is."""
    match = REFERENCE.fullmatch(relative(name))
    if match is None or match[1] not in ORDER_KINDS:
        return "this names no order"
    if isinstance(server, str):
        return f"it is not in prefetch, and {server}"
    return "" if server.path_of(name) else "it lies on another server"


def _of_encounter(request: HookRequest, server: FhirServer | str, queries: Sequence[Query]) -> Found:
    """The request with the open orders of its encounter."""
    drafts = list(_prefetched(request, JUDGED))
    open_kinds = [kind for kind in JUDGED if not _answered(kind, request, queries)]
    failures = dict.fromkeys(open_kinds, f"not in the request, and {server}")
    if isinstance(server, FhirServer):
        ids = f"patient={quote(request.patient_id, safe='')}&encounter={quote(request.encounter_id, safe='')}"
        paths = [f"{kind}?{ids}&status=active,draft" for kind in open_kinds]
        for kind, (texts, failure) in zip(open_kinds, _parallel(server, server.texts, paths), strict=True):
            drafts += (draft for text in texts for draft in drafts_within(text, (kind,), "fhirServer"))
            failures[kind] = failure
    mine = {draft.reference: draft for draft in reversed(drafts) if _is_open(draft, request)}
    request = msgspec.structs.replace(request, drafts=tuple(reversed(mine.values())))
    reasons: dict[str, list[str]] = {}
    for kind, why in failures.items():
        if why:
            reasons.setdefault(why, []).append(_WORDS[kind])
    if not reasons:
        return Found(request)
    whole = "; ".join(f"{', '.join(kinds)}: {why}" for why, kinds in reasons.items())
    return Found(
        request, (Missing(f"Encounter/{request.encounter_id}", "the open orders of this visit", whole),)
    )


def _answered(kind: str, request: HookRequest, queries: Sequence[Query]) -> bool:
    """Whether prefetch tells about all orders of a type: under our key, or by a Bundle that holds some."""
    keys = {query.key for query in queries if query.kind == kind} or {KINDS[kind].key}
    return any(
        (key in keys and type_of(raw) in ("", "Bundle"))
        or (type_of(raw) == "Bundle" and any(True for _ in drafts_within(raw, (kind,), "")))
        for key, raw in request.prefetch.items()
    )


def _is_open(draft: Draft, request: HookRequest) -> bool:
    """Whether an order is an open one of the request's encounter and patient."""
    order = draft.resource
    if not isinstance(order, Request) or order.status not in _OPEN or order.encounter is None:
        return False
    mine = relative(order.encounter.reference) == f"Encounter/{request.encounter_id}"
    return mine and _is_patients(draft, request.patient_id)


def _is_patients(draft: Draft, patient_id: str) -> bool:
    subject = getattr(draft.resource, "subject", None)
    return subject is None or names_patient(subject, patient_id)


def _prefetched(request: HookRequest, kinds: Collection[str]) -> Iterator[Draft]:
    for key, raw in request.prefetch.items():
        yield from drafts_within(raw, kinds, f"prefetch.{key}")


def _by_name(drafts: Iterable[Draft]) -> dict[str, Draft]:
    """Drafts by reference and fullUrl; the first of two with one name counts."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        for name in (draft.reference, draft.full_url):
            if name:
                found.setdefault(name, draft)
    return found


def _in(held: dict[str, Draft], name: str) -> Draft | None:
    return held.get(name) or held.get(relative(name))


def relative(reference: str) -> str:
    """ "Type/id" of a reference, without server and version."""
    return "/".join(reference.partition("/_history")[0].split("/")[-2:])


def _parallel(server: FhirServer, ask: Callable[[T], R], paths: Sequence[T]) -> list[R]:
    """Ask for each path; every call ends by the deadline of the request."""
    with aside(), ThreadPoolExecutor(server.parallel, thread_name_prefix="orders") as pool:
        return list(pool.map(ask, paths))
