"""Propose an alternate request: the code that the policy covers in place of the ordered one.

An update of the whole draft order, in which only what is ordered changes. Which code stands for
which is policy data (`instead`, docs/policy-format.md). Source: CRD, Propose Alternate Request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from cards.as_sent import Whole
from cards.deck import Card
from cards.markdown import escape
from cards.override_reasons import ALTERNATE
from cards.proposals.card import CardId, Maker, action
from cards.proposals.context import Context
from cards.proposals.recoded import with_code
from cards.response_types import ALTERNATE_REQUEST
from cards.sentences import lower
from cards.wording import mends, open_words, quoted
from mappings.codes import order_codes
from mappings.fhir import Request
from mappings.order import ordered_item
from policies.determination import Determination, Node, lacking_nodes
from policies.logic import Truth
from policies.nearest import plan, state_of
from policies.repeated import Replacement


def alternate_cards(
    context: Context, determinations: Iterable[Determination], card_id: CardId
) -> Iterator[Card]:
    """A card for each order that a policy would cover under another code."""
    maker = Maker(ALTERNATE_REQUEST, context.version, card_id)
    proposed: set[tuple[str, str]] = set()
    for determination in determinations:
        node = _in_the_way(determination)
        if node is None or node.instead is None:
            continue
        at = (determination.order, node.instead.code)
        changed = _changed(context, determination.order, node.instead)
        if changed is not None and at not in proposed:
            proposed.add(at)
            yield _card(maker, context, determination, node, node.instead, changed)


def _in_the_way(determination: Determination) -> Node | None:
    """What the policy mends by another code: an exclusion that applies, else a criterion that is unmet.

    None when another exclusion applies, for then the other code would not be covered either.
    """
    excluding = [node for node in determination.exclusions if node.state == Truth.MET.value]
    if excluding:
        return excluding[0] if all(n.instead == excluding[0].instead for n in excluding) else None
    lack = lacking_nodes(determination)
    return next((n for n in lack if n.instead is not None and n.state == Truth.UNMET.value), None)


def _changed(context: Context, reference: str, new: Replacement) -> Whole | None:
    """The whole order under the new code.

    None where the request holds an order for that code already, or the order is not at hand by its id
    or cannot be changed as it was written.
    """
    written = context.written.get(reference)
    requests = [draft for draft in context.drafts if isinstance(draft, Request)]
    if written is None or any((new.system, new.code) in _codes(context, draft) for draft in requests):
        return None
    try:
        return with_code(written, new)
    except msgspec.ValidationError:
        return None


def _codes(context: Context, order: Request) -> tuple[tuple[str, str], ...]:
    return order_codes(ordered_item(order, context.chart))


def _why(node: Node) -> str:
    """What is in the way: an exclusion that applies, or what a criterion asks and the order does not show."""
    if node.state == Truth.MET.value:
        return node.says
    return f"the policy asks that {lower(node.says)}, which the order as it stands does not show"


def _fails_then(determination: Determination, new: Replacement) -> bool:
    """Whether a criterion is unmet under the new code as well."""
    steps = plan(determination.criteria)
    return any(state_of(step) == Truth.UNMET.value and not mends(new, step) for step in steps)


def _card(
    maker: Maker,
    context: Context,
    determination: Determination,
    node: Node,
    new: Replacement,
    changed: Whole,
) -> Card:
    what = determination.order_label or determination.order
    order = context.order(determination)
    former = next((code for _, code in _codes(context, order)), what) if order is not None else what
    policy = f"{determination.policy.payer} {determination.policy.title}"
    rest = open_words(determination, new)
    suggestion = maker.suggestion(
        f"{determination.order} {determination.policy.id} {new.code}",
        f"Order {new.code} instead",
        [action("update", f"Change the code of the order to {new.code} ({new.says})", changed)],
        recommended=not _fails_then(determination, new),
    )
    detail = [
        f"**{escape(what)}**: {_why(node)}. {policy} takes **{new.code}** ({new.says}).",
        quoted(node.citation),
        f"Still needed then: {'; '.join(rest)}." if rest else "",
        f"By hand: change the code of the order to {new.code}; all else stays as it is.",
    ]
    return maker.card_of(
        determination,
        new.code,
        f"{policy}: order {new.code} in place of {former}",
        detail,
        ALTERNATE,
        suggestions=[suggestion],
        selectionBehavior="at-most-one",
    )
