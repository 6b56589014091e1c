"""Build the cards of a hook response from a report. Source: CDS Hooks 2.0, section Card Attributes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from cards.associated import associated
from cards.comparison import comparison_card
from cards.markdown import clip
from cards.override_reasons import CRITERIA
from cards.response_types import EXTERNAL_REFERENCE, INSTRUCTIONS, ResponseType, Version, topic
from cards.wording import SUMMARY_LENGTH, detail, summary
from policies.determination import Determination, Node, Report
from policies.logic import Truth

EXTENSION = "coverage-hooks.determination"

Card = dict[str, Any]
_SEVERITY = ("critical", "warning", "info")


def _everything(_: ResponseType) -> bool:
    return True


def _nothing(_: Collection[str]) -> tuple[str, ...]:
    return ()


def build_cards(
    report: Report,
    card_id: Callable[[str], str],
    *,
    could_not: Callable[[Collection[str]], Sequence[str]] = _nothing,
    show_met: bool = False,
    version: Version = "2.0",
    wants: Callable[[ResponseType], bool] = _everything,
    pages: str = "",
) -> list[Card]:
    """One card for each order and policy that has something to say.

    card_id: makes the uuid of a card from a name unique within the response ("order policy").
    could_not: what could not be had of resource types, in plain words. show_met: also a card when all is met.
    version: of CRD. wants: whether a response type is given. pages: URL below which each policy has a
    page, for those whose document has no URL.
    An order that no policy lists has none, as has one that meets everything. Where no payer is
    known and several policies list an order, one card compares them.
    """
    cards: list[Card] = []
    by_order: dict[str, list[Determination]] = {}
    for determination in report.determinations:
        by_order.setdefault(determination.order, []).append(determination)
    for determinations in by_order.values():
        telling = [d for d in determinations if d.outcome != "met" or show_met]
        if telling and len(determinations) > 1 and all(d.coverage is None for d in determinations):
            if wants(INSTRUCTIONS):
                kinds = {kind for determination in determinations for kind in determination.looked_in}
                cards.append(
                    comparison_card(determinations, report.payer_note, could_not(kinds), card_id, version)
                )
        elif wants(EXTERNAL_REFERENCE):
            cards.extend(
                determination_card(d, card_id, could_not(d.looked_in), version, pages) for d in telling
            )
    return cards


def determination_card(
    determination: Determination,
    card_id: Callable[[str], str],
    could_not: Sequence[str] = (),
    version: Version = "2.0",
    pages: str = "",
) -> Card:
    """The card of one determination. pages: see `build_cards`."""
    policy = determination.policy
    card: Card = {
        "uuid": card_id(f"{determination.order} {policy.id}@{policy.version}"),
        "summary": summary(determination),
        "detail": detail(determination, could_not),
        "indicator": indicator(determination),
        "source": {"label": policy.payer, "topic": topic(EXTERNAL_REFERENCE, version)},
        "overrideReasons": CRITERIA,
        "extension": {
            EXTENSION: brief(determination),
            **associated(determination.order),
        },
    }
    if policy.url:
        card["source"]["url"] = policy.url
    page = f"{pages}/{quote(policy.id, safe='')}" if pages else ""
    if url := policy.url or page:
        card["links"] = [{"label": f"Open {policy.title}", "url": url, "type": "absolute"}]
    return card


def notice_card(
    name: str,
    text: str,
    body: str,
    source: str,
    card_id: Callable[[str], str],
    version: Version = "2.0",
    about: Sequence[str] = (),
) -> Card:
    """An info card that says what could not be judged and why. about: references of the orders."""
    card: Card = {
        "uuid": card_id(name),
        "summary": clip(text, SUMMARY_LENGTH),
        "detail": body,
        "indicator": "info",
        "source": {"label": source, "topic": topic(INSTRUCTIONS, version)},
    }
    if extension := associated(*about):
        card["extension"] = extension
    return card


def most_severe(cards: Sequence[Card], count: int) -> list[Card]:
    """At most `count` cards in their order: critical before warning before info, then the first."""
    ranked = sorted(range(len(cards)), key=lambda place: _SEVERITY.index(cards[place]["indicator"]))
    return [cards[place] for place in sorted(ranked[:count])]


def indicator(determination: Determination) -> str:
    """warning for what the chart contradicts, critical for danger to life, else info."""
    if any(node.danger and node.state == Truth.MET.value for node in determination.exclusions):
        return "critical"
    return "warning" if determination.outcome in ("not-met", "excluded") else "info"


def brief(determination: Determination) -> Determination:
    """The determination without the evidence of met criteria, to keep a card small."""
    return msgspec.structs.replace(determination, criteria=_brief(determination.criteria))


def _brief(node: Node) -> Node:
    if node.criteria:
        return msgspec.structs.replace(node, criteria=[_brief(inner) for inner in node.criteria])
    if node.state == Truth.MET.value:
        return msgspec.structs.replace(node, evidence=[], notes=[], parts=[], interpretation="")
    return node
