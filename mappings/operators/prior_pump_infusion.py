"""Whether a drug was infused by an external pump before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mappings.device_use import DeviceKind, DeviceUse, device_uses
from mappings.drug_courses import Course, courses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Device, DeviceUseStatement, MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts


@operator(MedicationStatement, MedicationRequest, Device, DeviceUseStatement)
def prior_pump_infusion(
    context: Context,
    drug: str,
    routes: Iterable[str],
    products: Iterable[str],
    pump_classes: Iterable[str],
    other_classes: Iterable[str],
) -> Reading:
    """Whether the drug was given by one of the routes while an external pump was in use, by day 0.

    routes: how a pump delivers it. products: brands that are only given so. pump_classes: external
    pumps. Any length of use counts, past use as well. False (inferred): every course of the drug went
    by another route, or an external pump was in use for another drug of `other_classes` and
    this one is not on file. By a pump's route without a pump on file it is unknown.
    """
    wanted, brands = set(texts(routes)), {product.lower() for product in texts(products)}
    pumps = device_uses(context, DeviceKind(pump_classes=texts(pump_classes)))
    pumps = [use for use in pumps if use.stretch.first <= context.as_of]
    mine = [course for course in courses(context) if course.drug.name == drug]
    infused = [c for c in mine if wanted & set(c.routes) or c.drug.product.lower() in brands]
    together = [(c, use) for c in infused for use in pumps if _at_once(c, use, context.as_of)]
    if together:
        evidence = [shown for c, use in together for shown in (_evidence(context, c), use.evidence)]
        return Reading(True, evidence=tuple(dict.fromkeys(evidence)))
    open_ones = infused or [c for c in mine if not c.routes]
    if open_ones:
        note = f"{drug} is on file, but no external pump in use at the time"
        return unknown(Reason.IMPRECISE, note, tuple(_evidence(context, c) for c in open_ones))
    if mine:
        evidence_of = tuple(_evidence(context, c) for c in mine)
        return Reading(
            False, evidence=evidence_of, inferred=True, note=f"{drug} was not given by a pump's route"
        )
    kinds = set(texts(other_classes))
    others = [c for c in courses(context) if kinds & set(c.drug.classes) and wanted & set(c.routes)]
    if others and pumps:
        shown = (*(_evidence(context, c) for c in others), *(use.evidence for use in pumps))
        return Reading(False, evidence=shown, inferred=True, note="the external pump delivered another drug")
    return unknown(Reason.NO_DATA)


def _at_once(course: Course, use: DeviceUse, day: date) -> bool:
    """Whether the two may have been in use at the same time."""
    first = course.first.first if course.first is not None else date.min
    last = course.last.last if course.last is not None else day
    return use.stretch.first <= last and use.stretch.last >= first


def _evidence(context: Context, course: Course) -> Evidence:
    routes = " or ".join(course.routes) or "no route stated"
    return context.evidence(course.resource, course.written, says=f"{course.drug.name}, {routes}")
