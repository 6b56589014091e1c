"""What the cards of all proposals share. Source: CDS Hooks 2.0, Card Attributes; CRD, Response Types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cards.associated import associated
from cards.deck import EXTENSION, Card, brief
from cards.markdown import clip
from cards.override_reasons import Coding
from cards.response_types import ResponseType, Version, topic
from cards.wording import SUMMARY_LENGTH
from policies.determination import Determination

CardId = Callable[[str], str]


class Maker:
    """Makes the cards of one response type. card_id: a uuid from a name that is unique in the response."""

    def __init__(self, kind: ResponseType, version: Version, card_id: CardId) -> None:
        self._kind, self._version, self._card_id = kind, version, card_id

    def card(
        self, name: str, summary: str, detail: Sequence[str], label: str, reasons: list[Coding], **more: Any
    ) -> Card:
        """An info card. detail: its paragraphs. label: the insurer. more: suggestions, links and the like."""
        return {
            "uuid": self._card_id(f"{self._kind.code} {name}"),
            "summary": clip(summary, SUMMARY_LENGTH),
            "detail": "\n\n".join(paragraph for paragraph in detail if paragraph) + "\n",
            "indicator": "info",
            "source": {"label": label, "topic": topic(self._kind, self._version)},
            "overrideReasons": reasons,
            **more,
        }

    def card_of(
        self,
        determination: Determination,
        name: str,
        summary: str,
        detail: Sequence[str],
        reasons: list[Coding],
        **more: Any,
    ) -> Card:
        """A card about one order, for what a determination says is lacking."""
        policy = determination.policy
        own = f"{determination.order} {policy.id}@{policy.version} {name}"
        card = self.card(own, summary, detail, policy.payer, reasons, **more)
        if policy.url:
            card["source"]["url"] = policy.url
        card["extension"] = {
            EXTENSION: brief(determination),
            **associated(determination.order),
        }
        return card

    def suggestion(
        self, name: str, label: str, actions: list[dict[str, Any]], *, recommended: bool = False
    ) -> dict[str, Any]:
        """A suggestion; name: unique among those of the response type."""
        found: dict[str, Any] = {
            "label": label,
            "uuid": self._card_id(f"{self._kind.code} suggestion {name}"),
            "actions": actions,
        }
        return found | ({"isRecommended": True} if recommended else {})


def action(kind: str, description: str, resource: dict[str, Any]) -> dict[str, Any]:
    """An action of a suggestion; kind: create or update."""
    return {"type": kind, "description": description, "resource": resource}
