"""Update coverage records: a Coverage that is called active although its period is over.

Proposed only for what the record itself shows: no coverage on file counts today, and the latest that is
called active ended before today. The update is the whole Coverage with the status cancelled. Nothing is
proposed where another coverage counts (an old record harms nobody), for a cancelled coverage (whether it
holds after all the record cannot tell), and for what is missing (a member number that nobody knows).

CRD 2.2 keeps these cards away from hooks of clinicians (order-select, order-sign).
Source: CRD, Create or Update Coverage Information; Update Coverage Records.
"""

from __future__ import annotations

from collections.abc import Iterator

from cards.as_sent import Whole, elements
from cards.associated import associated
from cards.deck import Card
from cards.markdown import escape
from cards.override_reasons import PAPERWORK
from cards.proposals.card import CardId, Maker, action
from cards.proposals.context import Context
from cards.response_types import COVERAGE_RECORDS
from mappings.chart import Chart, reference_of
from mappings.coverage import counts_on
from mappings.dates import Span, span
from mappings.fhir import Coverage, Organization

_OF_CLINICIANS = ("order-select", "order-sign")


def coverage_cards(context: Context, card_id: CardId) -> Iterator[Card]:
    """The card for the coverage on file that has ended, if any."""
    if context.version == "2.2" and context.hook in _OF_CLINICIANS:
        return
    coverages = [c for c in context.chart.of(Coverage) if c.id and c.beneficiary is not None]
    if any(counts_on(coverage, context.today) for coverage in context.chart.of(Coverage)):
        return
    ended = [(end, c) for c in coverages if (end := _end(c)) and c.status == "active"]
    if not ended:
        return
    _, coverage = max(ended, key=lambda found: found[0].last)
    written = context.coverage(reference_of(coverage))
    if written is not None:
        cancelled = elements(written) | {"status": "cancelled"}
        yield _card(Maker(COVERAGE_RECORDS, context.version, card_id), context, coverage, cancelled)


def _end(coverage: Coverage) -> Span | None:
    return span(coverage.period.end) if coverage.period is not None else None


def _card(maker: Maker, context: Context, coverage: Coverage, cancelled: Whole) -> Card:
    payer = _insurer(coverage, context.chart)
    end = coverage.period.end[:10] if coverage.period is not None else ""
    reference = reference_of(coverage)
    suggestion = maker.suggestion(
        reference,
        "Mark the coverage as ended",
        [action("update", f"Set the status of the coverage of {payer} to cancelled", cancelled)],
    )
    detail = [
        f"The coverage of **{escape(payer)}** on file ({escape(reference)}) is called active, but ended on "
        f"{escape(end)}. No other coverage on file counts today.",
        "By hand: set its status to cancelled, and add the coverage that the member has now.",
    ]
    card = maker.card(
        reference,
        f"The coverage of {payer} on file ended on {end}",
        detail,
        payer,
        PAPERWORK,
        suggestions=[suggestion],
        selectionBehavior="any",
    )
    card["extension"] = associated(reference)
    return card


def _insurer(coverage: Coverage, chart: Chart) -> str:
    """The insurer's name as the coverage gives it."""
    for payor in coverage.payor:
        organization = chart.resolve(payor, coverage)
        name = organization.name if isinstance(organization, Organization) else ""
        if name or payor.display:
            return name or payor.display
    return "the insurer"
