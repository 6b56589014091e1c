"""Without a usable coverage: one card that compares what every policy which lists the order says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cards.associated import associated
from cards.markdown import clip, escape
from cards.response_types import INSTRUCTIONS, Version, topic
from cards.wording import SUMMARY_LENGTH, lacking_words, left_to_payer
from policies.determination import Determination
from policies.selection import NO_COVERAGE

EXTENSION = "coverage-hooks.determinations"
_ORDER = ("met", "needs-documentation", "not-met", "excluded", "not-applicable")
_WORDS = {
    "met": "would be covered",
    "needs-documentation": "may be covered once documented",
    "not-met": "criteria not met",
    "excluded": "not covered",
    "not-applicable": "does not decide this order",
}
_RESERVED = "criteria not met, but the payer may decide"
_OF_SEVERAL = {"not-applicable": "do not decide this order"}
_MAX_LACKING = 3
_ADD = "To be told what counts for this member, add the member's active coverage."
_NOT_LOADED = (
    "The member's coverage is on file, but no loaded policy belongs to its payer: ask that payer what counts "
    "for this member. The table tells what other payers ask."
)


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
        "summary": clip(_summary(determinations, payer_note), SUMMARY_LENGTH),
        "detail": _detail(determinations, payer_note, could_not),
        "indicator": "info",
        "source": {"label": "coverage-hooks", "topic": topic(INSTRUCTIONS, version)},
        "extension": {
            EXTENSION: list(determinations),
            **associated(first.order),
        },
    }


def _summary(determinations: Sequence[Determination], payer_note: str) -> str:
    outcomes = [d.outcome for d in determinations]
    counts = [_count(outcome, number) for outcome in _ORDER if (number := outcomes.count(outcome))]
    known = "Payer without a loaded policy" if _is_on_file(payer_note) else "No payer known"
    return f"{known}; {len(determinations)} policies list this order: {', '.join(counts)}"


def _count(outcome: str, number: int) -> str:
    words = _OF_SEVERAL.get(outcome) if number > 1 else None
    return f"{number} {words or _WORDS[outcome]}"


def _is_on_file(payer_note: str) -> bool:
    """Whether the member has an active coverage, of a payer that no loaded policy belongs to."""
    return bool(payer_note) and payer_note != NO_COVERAGE


def _detail(determinations: Sequence[Determination], payer_note: str, could_not: Sequence[str]) -> str:
    first = determinations[0]
    why = payer_note or NO_COVERAGE
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
    lines += ["", _NOT_LOADED if _is_on_file(payer_note) else _ADD]
    return "\n".join(lines) + "\n"


def _row(determination: Determination) -> str:
    said = lacking_words(determination)
    more = f"; and {len(said) - _MAX_LACKING} more" if len(said) > _MAX_LACKING else ""
    lack = "; ".join(said[:_MAX_LACKING]) + more
    policy = f"{determination.policy.payer} {determination.policy.title}"
    answer = _RESERVED if left_to_payer(determination) else _WORDS[determination.outcome]
    return f"| {_cell(policy)} | {answer} | {_cell(lack) or '-'} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
