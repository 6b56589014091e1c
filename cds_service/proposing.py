"""What the cards that propose something are made from: drafts and coverage as sent, the chart, the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from msgspec import Raw, Struct

from cards.as_sent import value
from cards.deck import Card
from cards.proposals.context import Context, SmartApp
from cards.proposals.deck import proposal_cards
from cds_service.hook_request import HookRequest
from cds_service.judging import Judgement
from cds_service.settings import Settings
from mappings.orderables import Orderables
from policies.determination import Determination


def _no_form(_: Determination) -> str | None:
    return None


class Offers(Struct, frozen=True):
    """What can be proposed. questionnaire: the canonical of the form for what a determination lacks."""

    orderables: Orderables
    smart_app: SmartApp | None = None
    questionnaire: Callable[[Determination], str | None] = _no_form


def smart_app(settings: Settings) -> SmartApp | None:
    """The application of the settings, if any."""
    return SmartApp(settings.smart_app_url, settings.smart_app_label) if settings.smart_app_url else None


def proposals(
    request: HookRequest, judgement: Judgement, offers: Offers, card_id: Callable[[str], str]
) -> list[Card]:
    """The proposals for a judged request that the client wants. request: with its orders."""
    configuration = request.configuration
    context = Context(
        hook=request.hook,
        patient_id=request.patient_id,
        user_id=request.user_id,
        encounter_id=request.encounter_id.removeprefix("Encounter/"),
        today=judgement.today,
        chart=judgement.chart,
        orderables=offers.orderables,
        drafts=tuple(draft.resource for draft in request.drafts if draft.resource is not None),
        written={draft.reference: draft.raw for draft in request.drafts if "/" in draft.reference},
        coverage=partial(_coverage, request),
        questionnaire=offers.questionnaire,
        smart_app=offers.smart_app,
        version=configuration.version,
    )
    return proposal_cards(context, judgement.report.determinations, configuration.wants, card_id)


class _Resource(Struct):
    resourceType: str = ""
    id: str = ""


class _Entry(Struct):
    resource: Raw = Raw(b"null")


class _Bundle(Struct):
    resourceType: str = ""
    entry: list[_Entry] | None = None


_resource = msgspec.json.Decoder(_Resource)
_bundle = msgspec.json.Decoder(_Bundle)


def _coverage(request: HookRequest, reference: str) -> Raw | None:
    """A Coverage of prefetch as it was sent. What a FHIR server answered is kept in parts only."""
    for raw in request.prefetch.values():
        if b"Coverage" in bytes(raw):
            for written in _resources(raw):
                try:
                    head = _resource.decode(written)
                    if f"{head.resourceType}/{head.id}" == reference:
                        value(written)  # to be sent back, it must be JSON in what nobody read too
                        return written
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
    return None


def _resources(raw: Raw) -> Iterator[Raw]:
    """A resource and, of a Bundle, what it holds."""
    yield raw
    try:
        bundle = _bundle.decode(raw)
    except msgspec.ValidationError:
        return
    for entry in bundle.entry or ():
        yield entry.resource
