"""Launch a SMART application on what lacks. Only where the settings name one.

The application gets the patient and the user by SMART; `appContext` adds only what is asked about: the
order by reference and the policy. Source: CDS Hooks 2.0, Link; CRD, Launch SMART Application.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from cards.deck import Card
from cards.markdown import escape
from cards.override_reasons import PAPERWORK
from cards.proposals.card import CardId, Maker
from cards.proposals.context import Context, SmartApp
from cards.response_types import LAUNCH_SMART
from policies.determination import Determination, lacking_nodes


def smart_cards(context: Context, determinations: Iterable[Determination], card_id: CardId) -> Iterator[Card]:
    """A card with a launch link for each determination in which something lacks."""
    if context.smart_app is None:
        return
    maker = Maker(LAUNCH_SMART, context.version, card_id)
    for determination in determinations:
        if determination.outcome in ("not-met", "needs-documentation") and lacking_nodes(determination):
            yield _card(maker, determination, context.smart_app)


def _card(maker: Maker, determination: Determination, app: SmartApp) -> Card:
    what = determination.order_label or determination.order
    policy = determination.policy
    name = f"{policy.payer} {policy.title}"
    about = {"order": determination.order, "policy": f"{policy.id}@{policy.version}"}
    link = {
        "label": app.label,
        "url": app.url,
        "type": "smart",
        "appContext": msgspec.json.encode(about).decode(),
    }
    return maker.card_of(
        determination,
        "smart",
        f"{name}: {app.label}",
        [f"**{escape(what)}**: the application shows what the policy asks for and takes up what lacks."],
        PAPERWORK,
        links=[link],
    )
