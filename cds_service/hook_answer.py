"""The response of a hook: the cards of a judgement, and cards for what could not be judged.

Clients show "all clear" for every error status, so a well-formed request is always answered with
cards; what could not be checked, and why, is an info card of its own.
Source: CDS Hooks 2.0, section HTTP Response.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cards.deck import Card, build_cards, notice_card
from cards.markdown import escape
from cds_service.hook_request import HookRequest
from cds_service.judging import Judgement
from cds_service.system_actions import system_actions
from policies.determination import NotEvaluated

SOURCE = "coverage-hooks"
_NO_VERDICT = "This says nothing about coverage: check the payer's policy in the usual way."

CardId = Callable[[str], str]


def hook_answer(
    request: HookRequest, service_id: str, judgement: Judgement, *, show_met: bool
) -> dict[str, Any]:
    """The response body. Card ids follow from the request: a repeated call gives the same cards."""
    card_id = _card_ids(request, service_id)
    if judgement.blank:
        return {"cards": [_blank_card(judgement, card_id)], **system_actions(request, None)}
    cards = build_cards(judgement.report, card_id, could_not=judgement.could_not, show_met=show_met)
    cards.extend(_unjudged_cards(judgement, card_id))
    return {"cards": cards, **system_actions(request, judgement)}


def fault_answer(request: HookRequest, service_id: str, fault_id: str) -> dict[str, Any]:
    """The response when the service itself failed: a card, since silence would look like a clean result."""
    orders = ", ".join(escape(draft.reference) for draft in request.drafts if draft.is_order)
    text = "Coverage could not be checked: the service had a fault"
    body = f"{orders} was not checked. {_NO_VERDICT}\n\nFor the support: fault {fault_id}.\n"
    cards = [notice_card("fault", text, body, SOURCE, _card_ids(request, service_id))]
    return {"cards": cards, **system_actions(request, None)}


def _card_ids(request: HookRequest, service_id: str) -> CardId:
    return partial(_card_id, f"{service_id} {request.hook_instance} {request.patient_id}")


def _card_id(call: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:coverage-hooks:card:{call} {name}"))


def _blank_card(judgement: Judgement, card_id: CardId) -> Card:
    """One card in place of a list of criteria that are all unknown."""
    what = ", ".join(judgement.labels.values()) or "the order"
    lines = [
        f"**{escape(what)}** could not be held against the payer's policy: nothing is known of the patient.",
        "",
        *(f"- {line}" for line in judgement.could_not),
        "",
        _NO_VERDICT,
        "",
    ]
    text = f"Coverage not checked, no patient data: {what}"
    return notice_card("blank", text, "\n".join(lines), SOURCE, card_id)


def _unjudged_cards(judgement: Judgement, card_id: CardId) -> Iterator[Card]:
    """Cards for orders that some policy lists and that got no determination all the same."""
    for entry in judgement.report.not_evaluated:
        if entry.order in judgement.labels:
            yield _unjudged_card(entry, judgement, card_id)


def _unjudged_card(entry: NotEvaluated, judgement: Judgement, card_id: CardId) -> Card:
    what = judgement.labels[entry.order]
    lines = [f"**{escape(what)}** was not checked: {escape(entry.why)}. {_NO_VERDICT}", ""]
    if judgement.could_not:
        lines += ["Could not be had:", "", *(f"- {line}" for line in judgement.could_not), ""]
    return notice_card(
        f"{entry.order} not evaluated", f"Coverage not checked: {what}", "\n".join(lines), SOURCE, card_id
    )
