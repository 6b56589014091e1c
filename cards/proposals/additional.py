"""Identify additional orders: what can be ordered to settle a fact that lacks.

Which order settles which fact is data (mappings/orderables.yaml). An order is proposed when its fact
is what lacks, and an order can still change that:

- the fact is unknown because nothing is on file, or only something too old. Other reasons (a code or
  unit that cannot be read, a contradiction, a record too short, a statement without a record, a failed
  query) are mended in the record, or by time, and not by a new order. A fact that takes results over
  months is not in the data: one result of today cannot settle it;
- or it is unmet and the order is the deed that the fact asks for (`also_unmet`): an education not
  done, a visit too long ago. A measurement that is too low stays so, whoever repeats it.

Nothing is proposed where the record was not asked for results of the kind, where the same is ordered,
booked or under way, and for an order that is excluded. Source: CRD, Identify Additional Orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cards.deck import Card
from cards.markdown import escape
from cards.override_reasons import ADDITIONAL
from cards.proposals.card import CardId, Maker, action
from cards.proposals.context import Context
from cards.proposals.on_its_way import on_its_way, telling
from cards.proposals.service_request import requester, service_request
from cards.response_types import ADDITIONAL_ORDERS
from cards.wording import quoted
from mappings.codes import key
from mappings.evidence import Reason
from mappings.fhir import RESOURCE_TYPES, Request
from mappings.orderables import Choice, Orderable, Orderables
from policies.determination import Determination, Node, Part, lacking_nodes
from policies.logic import Truth

_OPEN = (Reason.NO_DATA.value, Reason.STALE.value)


def additional_cards(
    context: Context, determinations: Iterable[Determination], card_id: CardId
) -> Iterator[Card]:
    """A card for each thing to order, once for the whole response."""
    maker = Maker(ADDITIONAL_ORDERS, context.version, card_id)
    proposed: set[tuple[str, str]] = set()
    for determination in determinations:
        order = context.order(determination)
        if order is None or requester(context, order) is None:
            continue
        if determination.outcome not in ("not-met", "needs-documentation"):
            continue
        for node in lacking_nodes(determination):
            for orderable in settling(context.orderables, node):
                first = key(telling(orderable.choices[0].items[0])[0])
                if first not in proposed and _is_wanting(context, orderable):
                    proposed.add(first)
                    yield _card(maker, context, determination, order, node, orderable)


def settling(orderables: Orderables, node: Node) -> Iterator[Orderable]:
    """What can be ordered for a criterion that lacks: for its fact, or for the limbs that lack."""
    parts = [Part(node.state, node.fact, reason=node.reason)] if node.fact else list(_limbs(node.parts))
    for part in parts:
        orderable = orderables.by_fact.get(part.fact)
        if orderable is None:
            continue
        is_open = part.state == Truth.UNKNOWN.value and part.reason in _OPEN
        if is_open or (part.state == Truth.UNMET.value and orderable.also_unmet):
            yield orderable


def _limbs(parts: Iterable[Part]) -> Iterator[Part]:
    """The tests below a compound. Below a `not` an order would do the contrary of what is asked."""
    for part in parts:
        if part.fact:
            yield part
        elif part.operator != "not":
            yield from _limbs(part.parts)


def _is_wanting(context: Context, orderable: Orderable) -> bool:
    """Whether the record was asked for results of the kind, and none is on its way."""
    chart = context.chart
    asked = orderable.record in chart.answered and not chart.failure(RESOURCE_TYPES[orderable.record])
    return asked and not on_its_way(context, orderable)


def _card(
    maker: Maker,
    context: Context,
    determination: Determination,
    order: Request,
    node: Node,
    orderable: Orderable,
) -> Card:
    what = determination.order_label or determination.order
    policy = f"{determination.policy.payer} {determination.policy.title}"
    only = len(orderable.choices) == 1
    suggestions = [
        maker.suggestion(
            f"{determination.order} {orderable.name} {number}",
            f"Order: {choice.says}",
            _actions(context, determination, order, choice),
            recommended=only,
        )
        for number, choice in enumerate(orderable.choices, 1)
    ]
    detail = [
        f"**{escape(what)}** lacks {orderable.says}: {node.says}.",
        quoted(node.citation),
        f"By hand: order {' or '.join(_words(choice) for choice in orderable.choices)}.",
    ]
    return maker.card_of(
        determination,
        orderable.name,
        f"{policy}: {orderable.says} is not shown; order it",
        detail,
        ADDITIONAL,
        suggestions=suggestions,
        selectionBehavior="any" if only else "at-most-one",
    )


def _actions(
    context: Context, determination: Determination, order: Request, choice: Choice
) -> list[dict[str, Any]]:
    return [
        action(
            "create",
            f"Order {item.codes[0].display}",
            service_request(context, order, determination.coverage, item, choice.says),
        )
        for item in choice.items
    ]


def _words(choice: Choice) -> str:
    codes = " + ".join("/".join(coding.code for coding in item.codes) for item in choice.items)
    return f"{choice.says} ({codes})"
