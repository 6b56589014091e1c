"""All proposals of one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cards.deck import Card
from cards.proposals.additional import additional_cards
from cards.proposals.alternate import alternate_cards
from cards.proposals.card import CardId
from cards.proposals.context import Context
from cards.proposals.coverage_records import coverage_cards
from cards.proposals.form import form_cards
from cards.proposals.smart import smart_cards
from cards.response_types import (
    ADDITIONAL_ORDERS,
    ALTERNATE_REQUEST,
    COVERAGE_INFORMATION,
    COVERAGE_RECORDS,
    FORM_COMPLETION,
    LAUNCH_SMART,
    ResponseType,
)
from policies.determination import Determination


def proposal_cards(
    context: Context,
    determinations: Sequence[Determination],
    wanted: Callable[[ResponseType], bool],
    card_id: CardId,
) -> list[Card]:
    """The proposals that the client wants, those that change the order first.

    Where no payer is known and several policies list an order, nothing is proposed for it: nobody
    knows whose criteria to follow.
    """
    settled = [d for d in determinations if d.coverage is not None or _is_alone(d, determinations)]
    cards: list[Card] = []
    if wanted(ALTERNATE_REQUEST):
        cards.extend(alternate_cards(context, settled, card_id))
    if wanted(ADDITIONAL_ORDERS):
        cards.extend(additional_cards(context, settled, card_id))
    # Coverage information names the form; a card would say it again, and CRD 2.2 forbids it beside DTR.
    if wanted(FORM_COMPLETION) and not wanted(COVERAGE_INFORMATION):
        cards.extend(form_cards(context, settled, card_id))
    if wanted(LAUNCH_SMART):
        cards.extend(smart_cards(context, settled, card_id))
    if wanted(COVERAGE_RECORDS):
        cards.extend(coverage_cards(context, card_id))
    return cards


def _is_alone(determination: Determination, all_: Sequence[Determination]) -> bool:
    return sum(other.order == determination.order for other in all_) == 1
