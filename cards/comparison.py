"""Without a usable coverage: one card that compares what every policy which lists the order says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cards.associated import associated
from cards.markdown import clip, escape
from cards.response_types import INSTRUCTIONS, Version, topic
from cards.wording import SUMMARY_LENGTH, lacking_words
from policies.determination import Determination

EXTENSION = "coverage-hooks.determinations"
_ORDER = ("met", "needs-documentation", "not-met", "excluded", "not-applicable")
_WORDS = {
    "met": "would be covered",
    "needs-documentation": "may be covered once documented",
    "not-met": "criteria not met",
    "excluded": "not covered",
    "not-applicable": "does not decide this order",
}
_MAX_LACKING = 3


def comparison_card(
    determinations: Sequence[Determination],
    payer_note: str,
    could_not: Sequence[str],
    card_id: Callable[[str], str],
    version: Version = "2.0",
) -> dict[str, Any]:
    """The card for the determinations of one order. payer_note: why no payer is known."""
    first = determinations[0]
    return {
        "uuid": card_id(f"{first.order} comparison"),
        "summary": clip(_summary(determinations), SUMMARY_LENGTH),
        "detail": _detail(determinations, payer_note, could_not),
        "indicator": "info",
        "source": {"label": "coverage-hooks", "topic": topic(INSTRUCTIONS, version)},
        "extension": {
            EXTENSION: list(determinations),
            **associated(first.order),
        },
    }


def _summary(determinations: Sequence[Determination]) -> str:
    counts = [
        f"{sum(d.outcome == outcome for d in determinations)} {_WORDS[outcome]}"
        for outcome in _ORDER
        if any(d.outcome == outcome for d in determinations)
    ]
    return f"No payer known; {len(determinations)} policies list this order: {', '.join(counts)}"


def _detail(determinations: Sequence[Determination], payer_note: str, could_not: Sequence[str]) -> str:
    first = determinations[0]
    why = payer_note or "no active coverage is on file"
    lines = [
        f"**{escape(first.order_label or first.order)}**, judged for {first.as_of} against every policy that "
        f"lists it, because {escape(why)}.",
        "",
        "| Policy | Answer | What lacks |",
        "|---|---|---|",
    ]
    for determination in sorted(determinations, key=lambda d: (_ORDER.index(d.outcome), d.policy.id)):
        lines.append(_row(determination))
    if could_not:
        lines += ["", "**Could not be checked**", "", *(f"- {escape(text)}" for text in could_not)]
    lines += ["", "To be told what counts for this member, add the member's active coverage."]
    return "\n".join(lines) + "\n"


def _row(determination: Determination) -> str:
    said = lacking_words(determination)
    more = f"; and {len(said) - _MAX_LACKING} more" if len(said) > _MAX_LACKING else ""
    lack = "; ".join(said[:_MAX_LACKING]) + more
    policy = f"{determination.policy.payer} {determination.policy.title}"
    return f"| {_cell(policy)} | {_WORDS[determination.outcome]} | {_cell(lack) or '-'} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
