"""Courses of a drug: from when to when it was used, by which route, at what dose, and why it ended.

A course is a MedicationStatement, or a MedicationRequest that was carried out (its use began with
the period of its dosage). What was only intended or never taken is no course, nor are draft orders.
Dates may be partial or missing; what they leave open stays open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

from msgspec import Struct

from mappings.codes import FACT_SYSTEM
from mappings.conditions import in_any
from mappings.dates import Span, span
from mappings.drugs import Drug
from mappings.fhir import (
    CodeableConcept,
    Dosage,
    MedicationRequest,
    MedicationStatement,
    Period,
    Quantity,
    Resource,
)
from mappings.medication_codes import medication_concepts
from mappings.operators.base import Context
from mappings.routes import route_of
from mappings.timing import times_per_day
from mappings.units import convert

_BY_MOUTH = frozenset({"oral", "enteral", "sublingual", "buccal"})
_INJECTED = ("drug-baclofen-intrathecal", "drug-morphine-injectable")
_SWALLOWED = ("drug-baclofen-oral", "drug-dantrolene-oral", "drug-opioid-oral-transdermal")
_TAKEN = ("active", "completed", "stopped", "on-hold", "unknown", "")
NO_RESPONSE, NOT_TOLERATED = "no response", "not tolerated"
_REASONS = {NO_RESPONSE: "reason-no-response", NOT_TOLERATED: "reason-not-tolerated"}


class Course(Struct, frozen=True):
    """One course of one drug.

    first, last: the days on which it began and ended; None where the record does not tell. going: it
    has not ended by day 0. by_mouth: None where the record leaves it open. outcomes: of NO_RESPONSE and
    NOT_TOLERATED, the coded reasons for the stop. maximal: the record calls the dose the maximum.
    daily_mg: milligrams a day.
    """

    resource: Resource
    written: str
    drug: Drug
    first: Span | None
    last: Span | None
    going: bool
    by_mouth: bool | None
    routes: tuple[str, ...]
    outcomes: frozenset[str]
    reason_given: bool
    maximal: bool
    daily_mg: float | None


def courses(context: Context) -> tuple[Course, ...]:
    """All courses that began on or before day 0, in the order they came."""
    chart, day = context.chart, context.as_of
    return chart.once(("courses", day), lambda: tuple(_courses(context)))


def _courses(context: Context) -> Iterable[Course]:
    chart, day = context.chart, context.as_of
    for statement in chart.of(MedicationStatement):
        asserted = span(statement.dateAsserted)
        if statement.status not in _TAKEN or (asserted is not None and asserted.first > day):
            continue
        period = statement.effectivePeriod or Period()
        ended = statement.status in ("completed", "stopped")
        yield from _course(
            context,
            statement,
            medication_concepts(
                statement.medicationCodeableConcept, statement.medicationReference, statement, chart
            ),
            statement.dosage,
            statement.statusReason,
            period,
            ended,
        )
    for request in chart.of(MedicationRequest):
        carried_out = request.status in ("active", "completed", "stopped", "on-hold")
        if not carried_out or request.doNotPerform or request.intent in ("proposal", "plan"):
            continue
        repeats = [d.timing.repeat for d in request.dosageInstruction if d.timing is not None]
        periods = [r.boundsPeriod for r in repeats if r is not None and r.boundsPeriod is not None]
        yield from _course(
            context,
            request,
            medication_concepts(
                request.medicationCodeableConcept, request.medicationReference, request, chart
            ),
            request.dosageInstruction,
            (request.statusReason,) if request.statusReason is not None else (),
            periods[0] if periods else Period(),
            request.status in ("completed", "stopped"),
        )


def _course(
    context: Context,
    resource: MedicationStatement | MedicationRequest,
    concepts: tuple[CodeableConcept, ...],
    dosages: tuple[Dosage, ...],
    reasons: tuple[CodeableConcept, ...],
    period: Period,
    ended: bool,
) -> Iterable[Course]:
    first, last = span(period.start), span(period.end)
    if first is not None and first.first > context.as_of:
        return
    going = not ended and (last is None or last.last >= context.as_of)
    routes = tuple(dict.fromkeys(route for d in dosages for route in route_of(d).routes))
    outcomes = frozenset(
        outcome
        for outcome, value_set in _REASONS.items()
        if any(in_any(context.value_sets, reason, (value_set,)) for reason in reasons)
    )
    for drug in context.drugs.identify_all(*concepts):
        yield Course(
            resource=resource,
            written=period.start or period.end,
            drug=drug,
            first=first,
            last=_known_end(last, going, context.as_of),
            going=going,
            by_mouth=_by_mouth(routes, concepts, context),
            routes=routes,
            outcomes=outcomes,
            reason_given=bool(reasons),
            maximal=any(_is_maximal(d) for d in dosages),
            daily_mg=_daily_mg(dosages),
        )


def _known_end(last: Span | None, going: bool, day: date) -> Span | None:
    """A course that goes on counts up to day 0."""
    return Span(day, day) if going else last


def _by_mouth(
    routes: tuple[str, ...], concepts: tuple[CodeableConcept, ...], context: Context
) -> bool | None:
    if routes:
        return bool(_BY_MOUTH & set(routes))
    if any(in_any(context.value_sets, concept, _SWALLOWED) for concept in concepts):
        return True
    return False if any(in_any(context.value_sets, concept, _INJECTED) for concept in concepts) else None


def _is_maximal(dosage: Dosage) -> bool:
    return any(
        coding.system == FACT_SYSTEM and coding.code == "oral_antispasmodic_max_dose"
        for instruction in dosage.additionalInstruction
        for coding in instruction.coding
    )


def _daily_mg(dosages: tuple[Dosage, ...]) -> float | None:
    """Milligrams a day: the stated maximum per period, else dose times frequency; summed over dosages."""
    amounts = [_one_daily_mg(dosage) for dosage in dosages]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def _one_daily_mg(dosage: Dosage) -> float | None:
    ratio = dosage.maxDosePerPeriod
    if ratio is not None and ratio.numerator is not None:
        amount = convert("milligrams", ratio.numerator).value
        days = convert("days", ratio.denominator or Quantity(value=1, code="d")).value
        return amount / days if amount is not None and days else None
    dose = next((d.doseQuantity for d in dosage.doseAndRate if d.doseQuantity is not None), None)
    amount, rate = convert("milligrams", dose).value, times_per_day(dosage)
    if amount is None or rate.low is None or rate.low != rate.high:
        return None
    return float(Fraction(str(amount)) * Fraction(rate.low).limit_denominator(1000))
