"""Who is covered: age and state of the patient, and what the Coverage says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from mappings.coverage import Membership, counts_on, medicare_words, membership
from mappings.dates import Span, completed_months, completed_years, may_include, span
from mappings.evidence import SILENT, Bounds, Reading, Reason, unknown
from mappings.fhir import Address, Coverage, Patient, Period
from mappings.operators.base import Context
from mappings.payors import names_of, payors_of
from mappings.states import state_code

_NO_COVERAGE = "No coverage is on file for this order."


def member_age_years(context: Context) -> Reading:
    """Completed years on day 0; both limits where the birth date is partial."""
    return _age(context, completed_years, "a", "years")


def member_age_months(context: Context) -> Reading:
    """Completed months on day 0; both limits where the birth date is partial."""
    return _age(context, completed_months, "mo", "months")


def _age(
    context: Context, completed: Callable[[Span, date], tuple[int, int]], unit: str, word: str
) -> Reading:
    patient = context.chart.patient
    if patient is None:
        failure = context.chart.failure(Patient)
        if failure:
            return unknown(Reason.FETCH_FAILED, f"The patient could not be read: {failure}.")
        return SILENT
    birth = span(patient.birthDate) if patient.birthDate else None
    if birth is None:
        return unknown(Reason.NO_DATA, "The patient's birth date is not on file.")
    shown = context.evidence(patient, patient.birthDate, says="birth date")
    if birth.first > context.as_of:
        return unknown(Reason.CONFLICTING, "The birth date lies after the day of the order.", (shown,))
    low, high = completed(birth, context.as_of)
    low = max(low, 0)
    if low == high:
        return Reading(low, evidence=(context.evidence(patient, patient.birthDate, low, unit),))
    note = f"The birth date is partial: {low} to {high} {word}."
    return Reading(Bounds(low, high), evidence=(shown,), note=note)


def member_state(context: Context) -> Reading:
    """State of residence: of the home address that is in use, as a postal code."""
    patient = context.chart.patient
    if patient is None:
        return SILENT
    current = [address for address in patient.address if not _is_old(address, context)]
    homes = [address for address in current if address.use == "home"] or current
    states = {code for address in homes if (code := state_code(address.state))}
    evidence = tuple(context.evidence(patient, value=state, says="address") for state in sorted(states))
    if len(states) == 1:
        return Reading(states.pop(), evidence=evidence)
    if states:
        return unknown(Reason.CONFLICTING, "The patient has current addresses in several states.", evidence)
    return unknown(Reason.NO_DATA, "The patient's state of residence is not on file.")


def _is_old(address: Address, context: Context) -> bool:
    period = address.period or Period()
    return address.use == "old" or not may_include(period.start, period.end, context.as_of)


def coverage_active(context: Context) -> Reading:
    """Whether the coverage that applies is active on day 0."""
    coverage = context.coverage
    if coverage is not None:
        active = counts_on(coverage, context.as_of)
        written = coverage.period.start if coverage.period is not None else ""
        return Reading(
            active, evidence=(context.evidence(coverage, written, active, says=f"status {coverage.status}"),)
        )
    failure = context.chart.failure(Coverage)
    if failure:
        return unknown(Reason.FETCH_FAILED, f"Coverages could not be read: {failure}.")
    ended = tuple(context.evidence(c, value=c.status) for c in context.chart.of(Coverage))
    note = "All coverages on file have ended or were cancelled." if ended else _NO_COVERAGE
    return unknown(Reason.STALE if ended else Reason.NO_DATA, note, ended)


def payer_id(context: Context) -> Reading:
    """The payer of the coverage, by its id in policies/payers.yaml."""
    if context.coverage is None:
        return unknown(Reason.NO_DATA, _NO_COVERAGE)
    if context.member is None or context.member.payer_id is None:
        shown = context.evidence(context.coverage)
        return unknown(
            Reason.UNMAPPED_CODE, "The payer of the coverage is none of those known here.", (shown,)
        )
    payer = context.member.payer_id
    return Reading(payer, evidence=(context.evidence(context.coverage, value=payer),))


def member_lob(context: Context) -> Reading:
    """Line of business."""
    return _of_coverage(context, lambda member: member.line_of_business)


def other_medicare_coverage(context: Context) -> Reading:
    """Whether another coverage that is active on day 0 makes the patient a Medicare member.

    A supplement to Medicare and a drug plan are not read as Medicare.
    """
    failure = context.chart.failure(Coverage)
    if failure:
        return unknown(Reason.FETCH_FAILED, f"Coverages could not be read: {failure}.")
    on_file = [c for c in context.chart.of(Coverage) if counts_on(c, context.as_of)]
    doubtful = []
    for coverage in on_file:
        says, contradicted = medicare_words(coverage, names_of(payors_of(coverage, context.chart)))
        if coverage is context.coverage or not says:
            continue
        shown = context.evidence(coverage, coverage.period.start if coverage.period else "", True, says=says)
        if not contradicted:
            return Reading(True, evidence=(shown,))
        doubtful.append(shown)
    if doubtful:
        note = "Another coverage points to Medicare and to something else."
        return unknown(Reason.CONFLICTING, note, tuple(doubtful))
    return Reading(False, note="No other coverage on file is Medicare.", inferred=True) if on_file else SILENT


def member_plan(context: Context) -> Reading:
    """The plan as the coverage names it."""
    return _of_coverage(context, lambda member: member.plan)


def member_program(context: Context) -> Reading:
    """The program of the payer, where it has programs (HUSKY A to D)."""
    return _of_coverage(context, lambda member: member.program)


def _of_coverage(context: Context, select: Callable[[Membership], Reading]) -> Reading:
    if context.coverage is None:
        return unknown(Reason.NO_DATA, _NO_COVERAGE)
    member = context.member
    if member is None:
        member = membership(context.coverage, context.evidence(context.coverage))
    return select(member)
