"""Which coverages and policies an order is judged by (shared design, rule 7).

An active coverage whose payer is known leads to that payer's policies; each of several coverages is
answered. Without one, every policy that lists the order is asked (payer-agnostic).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mappings.chart import Chart, reference_of
from mappings.coverage import Membership
from mappings.fhir import Coverage
from mappings.order import Order
from policies.determination import CoverageRef
from policies.model import Policy
from policies.payers import PayerMatch, Payers, active_coverages
from policies.registry import Listing

NO_COVERAGE = "no active coverage is on file"


class Question(Struct, frozen=True):
    """Policies to ask about an order, and on whose behalf: the coverage, when its payer is known.

    coverage, member: also given in payer-agnostic mode, for facts such as the line of business.
    """

    policies: tuple[Policy, ...]
    coverage: Coverage | None = None
    member: Membership | None = None
    reference: CoverageRef | None = None


class Selection(Struct, frozen=True):
    """What to ask about an order.

    note: about the payer, where none is known. why_not: why nothing. lapsed: coverages of payers
    whose policies would have been asked, were any coverage active.
    """

    questions: tuple[Question, ...] = ()
    note: str = ""
    why_not: str = ""
    lapsed: tuple[CoverageRef, ...] = ()


def select(order: Order, chart: Chart, listing: Listing, payers: Payers) -> Selection:
    """The questions about an order that the policies of `listing` have something to say about."""
    coverages = active_coverages(chart, order, order.day)
    matches = [(coverage, payers.match(coverage, chart)) for coverage in coverages]
    known = [(coverage, match) for coverage, match in matches if match.payer_id is not None]
    if not known:
        lapsed = () if coverages else _lapsed(chart, listing, payers)
        return Selection((_agnostic(listing.policies, matches),), note=_note(coverages), lapsed=lapsed)
    questions = [
        question for c, match in known if (question := _of_payer(c, match, listing, payers)).policies
    ]
    if questions:
        return Selection(tuple(questions))
    names = ", ".join(dict.fromkeys(payers.name(match.payer_id) for _, match in known if match.payer_id))
    return Selection(why_not=f"no loaded policy of {names} lists this order")


def forced(order: Order, chart: Chart, policies: Sequence[Policy], payers: Payers) -> Selection:
    """The question whether an order meets chosen policies, whatever the coverage."""
    coverages = active_coverages(chart, order, order.day)
    return Selection((_agnostic(policies, [(c, payers.match(c, chart)) for c in coverages]),))


def _agnostic(policies: Sequence[Policy], matches: Sequence[tuple[Coverage, PayerMatch]]) -> Question:
    coverage, match = matches[0] if matches else (None, None)
    return Question(tuple(policies), coverage, match.member if match is not None else None)


def _of_payer(coverage: Coverage, match: PayerMatch, listing: Listing, payers: Payers) -> Question:
    assert match.payer_id is not None
    policies = listing.by_payer.get(match.payer_id, ())
    return Question(policies, coverage, match.member, _reference(coverage, match, payers))


def _reference(coverage: Coverage, match: PayerMatch, payers: Payers) -> CoverageRef:
    assert match.payer_id is not None
    return CoverageRef(
        reference_of(coverage),
        payers.name(match.payer_id),
        match.how,
        match.line_of_business or "",
        match.plan or "",
    )


def _lapsed(chart: Chart, listing: Listing, payers: Payers) -> tuple[CoverageRef, ...]:
    """The coverages of the payers of `listing`; asked only where none of the patient's is active."""
    matches = [(coverage, payers.match(coverage, chart)) for coverage in chart.of(Coverage)]
    return tuple(_reference(c, match, payers) for c, match in matches if match.payer_id in listing.by_payer)


def _note(coverages: Sequence[Coverage]) -> str:
    if not coverages:
        return NO_COVERAGE
    names = ", ".join(reference_of(coverage) for coverage in coverages)
    return f"the payer of {names} has no loaded policy"
