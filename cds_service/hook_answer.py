"""The response of a hook: the cards of a judgement, and cards for what could not be judged.

Clients show "all clear" for every error status, so a well-formed request is always answered with
cards; what could not be checked, and why, is an info card of its own.
Source: CDS Hooks 2.0, section HTTP Response.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from cards.deck import Card, build_cards, most_severe, notice_card
from cards.markdown import escape
from cards.response_types import INSTRUCTIONS, Version
from cds_service.hook_request import HookRequest
from cds_service.judging import Judgement
from cds_service.proposing import Offers, proposals
from cds_service.system_actions import system_actions

SOURCE = "coverage-hooks"
_NO_VERDICT = "This says nothing about coverage: check the payer's policy in the usual way."

CardId = Callable[[str], str]


def hook_answer(
    request: HookRequest,
    service_id: str,
    judgement: Judgement,
    offers: Offers,
    *,
    show_met: bool,
    pages: str = "",
) -> dict[str, Any]:
    """The response body. Card ids follow from the request: a repeated call gives the same cards.

    request: with the orders it is about (Judgement.request). pages: URL below which each policy has a
    page.
    """
    configuration = request.configuration
    cards = list(_cards(request, service_id, judgement, offers, show_met, pages))
    actions = system_actions(request, judgement, offers.questionnaire)
    return {"cards": most_severe(cards, configuration.max_cards), **actions}


def _cards(
    request: HookRequest, service_id: str, judgement: Judgement, offers: Offers, show_met: bool, pages: str
) -> Iterator[Card]:
    """All cards that the client wants, whatever their number."""
    card_id = _card_ids(request, service_id)
    configuration = request.configuration
    notices = _Notices(card_id, configuration.version, judgement.insurer or SOURCE)
    if not judgement.blank:
        yield from build_cards(
            judgement.report,
            card_id,
            could_not=judgement.could_not_of,
            show_met=show_met,
            version=configuration.version,
            wants=configuration.wants,
            pages=pages,
        )
    if configuration.wants(INSTRUCTIONS):
        yield from notices.of(judgement)
    if not judgement.blank:
        yield from proposals(request, judgement, offers, card_id)


def fault_answer(request: HookRequest, service_id: str, fault_id: str) -> dict[str, Any]:
    """The response when the service itself failed: a card, since silence would look like a clean result.

    It is given whatever the client configured.
    """
    orders = [draft.reference for draft in request.drafts if draft.is_order] or list(request.named)
    what = ", ".join(escape(reference) for reference in orders) or "The order"
    text = "Coverage could not be checked: the service had a fault"
    body = f"{what} was not checked. {_NO_VERDICT}\n\nFor the support: fault {fault_id}.\n"
    notices = _Notices(_card_ids(request, service_id), request.configuration.version)
    return {"cards": [notices.card("fault", text, body, orders)], **system_actions(request, None)}


def _card_ids(request: HookRequest, service_id: str) -> CardId:
    return partial(_card_id, f"{service_id} {request.hook_instance} {request.patient_id}")


def _card_id(call: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:coverage-hooks:card:{call} {name}"))


class _Notices(Struct, frozen=True):
    """Cards that say what could not be judged and why. source: the insurer, where one is known."""

    card_id: CardId
    version: Version
    source: str = SOURCE

    def card(self, name: str, text: str, body: str, about: Sequence[str]) -> Card:
        return notice_card(name, text, body, self.source, self.card_id, self.version, about)

    def of(self, judgement: Judgement) -> Iterator[Card]:
        if judgement.blank:
            yield self._blank(judgement)
        else:
            for entry in judgement.report.not_evaluated:
                if entry.order in judgement.labels:
                    label = judgement.labels[entry.order]
                    yield self._unjudged(entry.order, label, entry.why, judgement.could_not)
        for gap in judgement.missing:
            yield self._unjudged(gap.reference, gap.label, gap.why)

    def _blank(self, judgement: Judgement) -> Card:
        """One card in place of a list of criteria that are all unknown."""
        what = ", ".join(judgement.labels.values()) or "the order"
        lines = [
            f"**{escape(what)}** could not be held against the payer's policy: "
            "nothing is known of the patient.",
            "",
            *(f"- {line}" for line in judgement.could_not),
            "",
            _NO_VERDICT,
            "",
        ]
        text = f"Coverage not checked, no patient data: {what}"
        return self.card("blank", text, "\n".join(lines), tuple(judgement.labels))

    def _unjudged(self, reference: str, label: str, why: str, could_not: Sequence[str] = ()) -> Card:
        """What some policy lists, or may list, and that got no determination all the same."""
        lines = [f"**{escape(label)}** could not be checked: {escape(why)}. {_NO_VERDICT}", ""]
        if could_not:
            lines += ["Could not be had:", "", *(f"- {line}" for line in could_not), ""]
        text = f"Coverage not checked: {label}"
        return self.card(f"{reference} not evaluated", text, "\n".join(lines), (reference,))
