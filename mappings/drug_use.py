"""Which drugs of a class the patient takes or has taken, how often, how, and since when.

MedicationStatements say what is taken, MedicationRequests what is prescribed; both count. The
drafts of the question itself are no use: the drug drafted for the pump is not taken yet.
Source: https://hl7.org/fhir/R4/medicationstatement.html, medicationrequest.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from math import inf, isinf

from msgspec import Struct

from mappings.chart import reference_of
from mappings.dates import span
from mappings.drugs import Drug
from mappings.evidence import Bounds, Evidence
from mappings.fhir import Dosage, Medication, MedicationRequest, MedicationStatement, Period
from mappings.operators.base import Context
from mappings.order import medication_concept
from mappings.order_facts.medications import is_pumped
from mappings.routes import route_of
from mappings.stretches import Stretch, stretch_of
from mappings.timing import times_per_day

_OVER = ("completed", "stopped", "on-hold")
_TAKEN_UP = ("active", *_OVER)
_REQUESTED = ("", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order")
_INJECTED = frozenset({"subcutaneous", "intramuscular"})


class DrugUse(Struct, frozen=True):
    """One use of one drug.

    members: where the record names only a group ("insulin"), the drugs it may stand for.
    per_day: scheduled doses a day, from low to high. infused: given by pump. injected: a dose is an
    injection. taken: a MedicationStatement says so; else it is prescribed. moments: when in the day,
    as coded; two uses of one drug at different moments are two parts of one regimen.
    """

    drug: Drug
    members: frozenset[str]
    stretch: Stretch
    per_day: Bounds
    infused: bool
    injected: bool
    taken: bool
    moments: frozenset[str]
    dosages: tuple[Dosage, ...]
    evidence: Evidence


def drug_uses(context: Context, classes: tuple[str, ...]) -> list[DrugUse]:
    """All uses, past and present, of drugs of one of the classes (mappings.drugs)."""
    at = ("drug-uses", classes, context.as_of, context.order.reference)
    return context.chart.once(at, lambda: list(_uses(context, frozenset(classes))))


def doses_on(uses: Iterable[DrugUse], day: date) -> Bounds:
    """Scheduled doses on `day`, from those that are sure to those that are possible.

    A drug that is both taken and prescribed counts once: where the two differ, from the lower to the
    higher. A record of a group may be one of its members again, and adds only what exceeds them.
    Several records of one kind for one drug are parts of one regimen if they name different
    moments of the day; else they may be one record twice (the highest) or parts (the sum).
    """
    by_drug: defaultdict[str, list[DrugUse]] = defaultdict(list)
    for use in uses:
        if use.stretch.perhaps(day):
            by_drug[use.drug.name].append(use)
    high = sum(_one_drug(mine).high for mine in by_drug.values())
    lows = {
        name: _one_drug([use for use in mine if use.stretch.surely(day)]).low
        for name, mine in by_drug.items()
    }
    for name in sorted(lows, key=lambda name: len(by_drug[name][0].members)):
        lows[name] = max(0.0, lows[name] - sum(lows[m] for m in by_drug[name][0].members & lows.keys()))
    return Bounds(sum(lows.values()), high)


def _one_drug(uses: list[DrugUse]) -> Bounds:
    taken, prescribed = _parts([u for u in uses if u.taken]), _parts([u for u in uses if not u.taken])
    if taken is None or prescribed is None:
        return taken or prescribed or Bounds(0.0, 0.0)
    open_ends = [bounds for bounds in (taken, prescribed) if bounds.low == 0 and isinf(bounds.high)]
    if len(open_ends) == 1:
        # A refill without a schedule takes nothing away from a schedule that is known.
        return prescribed if open_ends[0] is taken else taken
    return Bounds(min(taken.low, prescribed.low), max(taken.high, prescribed.high))


def _parts(uses: list[DrugUse]) -> Bounds | None:
    if not uses:
        return None
    lows, highs = [use.per_day.low for use in uses], [use.per_day.high for use in uses]
    moments = [use.moments for use in uses]
    apart = all(moments) and sum(map(len, moments)) == len(frozenset().union(*moments))
    return Bounds(sum(lows) if apart else max(lows), sum(highs))


def _uses(context: Context, classes: frozenset[str]) -> Iterator[DrugUse]:
    order = context.order
    drafts = {reference_of(draft) for draft in (order.resource, *order.drug_orders, *order.others)}
    for statement in context.chart.of(MedicationStatement):
        drug = _drug(context, statement, classes)
        if drug is None or statement.status in ("intended", "not-taken"):
            continue
        stretch = stretch_of(
            period=statement.effectivePeriod,
            at=statement.effectiveDateTime,
            known_on=statement.dateAsserted,
            as_of=context.as_of,
            over=statement.status in _OVER,
            doubtful=statement.status not in _TAKEN_UP,
        )
        yield _use(context, statement, drug, stretch, statement.dosage)
    for request in context.chart.of(MedicationRequest):
        if request.status not in _TAKEN_UP or request.intent not in _REQUESTED or request.doNotPerform:
            continue
        drug = _drug(context, request, classes)
        if drug is None or reference_of(request) in drafts:
            continue
        stretch = stretch_of(
            period=_bounds(request.dosageInstruction),
            at="",
            known_on=request.authoredOn,
            as_of=context.as_of,
            over=request.status in _OVER,
        )
        yield _use(context, request, drug, stretch, request.dosageInstruction)


def _drug(
    context: Context, resource: MedicationStatement | MedicationRequest, classes: frozenset[str]
) -> Drug | None:
    concept, reference = resource.medicationCodeableConcept, resource.medicationReference
    concepts = [medication_concept(concept, reference, resource, context.chart)]
    medication = context.chart.resolve(reference, resource)
    if concept is None and isinstance(medication, Medication):
        concepts += [ingredient.itemCodeableConcept for ingredient in medication.ingredient]
    found = context.drugs.identify_all(*concepts)
    return next((drug for drug in found if classes & set(drug.classes)), None)


def _bounds(dosages: tuple[Dosage, ...]) -> Period | None:
    """From the earliest start to the latest end of the instructions; open where one is open."""
    periods = [
        d.timing.repeat.boundsPeriod
        for d in dosages
        if d.timing is not None and d.timing.repeat is not None and d.timing.repeat.boundsPeriod is not None
    ]
    if not periods:
        return None
    starts = [(day.first, p.start) for p in periods if (day := span(p.start)) is not None]
    ends = [(day.last, p.end) for p in periods if (day := span(p.end)) is not None]
    return Period(
        start=min(starts)[1] if starts else "",
        end=max(ends)[1] if ends and len(ends) == len(dosages) else "",
    )


def _use(
    context: Context,
    resource: MedicationStatement | MedicationRequest,
    drug: Drug,
    stretch: Stretch,
    dosages: tuple[Dosage, ...],
) -> DrugUse:
    per_day = _per_day(dosages)
    shown = per_day.low if per_day.low == per_day.high else None
    says = f"{drug.name}: {next((d.text for d in dosages if d.text), resource.status)}"
    period = resource.effectivePeriod if isinstance(resource, MedicationStatement) else _bounds(dosages)
    written = period.start if period is not None and period.start else ""
    known_on = resource.dateAsserted if isinstance(resource, MedicationStatement) else resource.authoredOn
    infused = any(is_pumped(dosage) for dosage in dosages)
    return DrugUse(
        drug=drug,
        members=frozenset(context.drugs.members(drug.name)),
        stretch=stretch,
        per_day=per_day,
        infused=infused,
        injected=not infused and "inhaled-insulin" not in drug.classes and not _other_route(dosages),
        taken=isinstance(resource, MedicationStatement),
        moments=frozenset(moment for dosage in dosages for moment in _moments(dosage)),
        dosages=dosages,
        evidence=context.evidence(
            resource, written or known_on, value=shown, unit="/d" if shown is not None else "", says=says
        ),
    )


def _per_day(dosages: tuple[Dosage, ...]) -> Bounds:
    """The instructions of one record added up; what is as needed or unclear adds nothing for sure."""
    low, high = 0.0, 0.0 if dosages else inf
    for dosage in dosages:
        rate = times_per_day(dosage)
        if rate.as_needed or rate.low is None or rate.high is None:
            high = inf
        else:
            low, high = low + rate.low, high + rate.high
    return Bounds(low, high)


def _other_route(dosages: tuple[Dosage, ...]) -> bool:
    """Whether every instruction names a route that is no injection under the skin or into a muscle."""
    reads = [route_of(dosage) for dosage in dosages]
    return bool(reads) and all(read.routes and not _INJECTED & set(read.routes) for read in reads)


def _moments(dosage: Dosage) -> Iterator[str]:
    repeat = dosage.timing.repeat if dosage.timing is not None else None
    if repeat is not None:
        yield from repeat.when
        yield from repeat.timeOfDay
