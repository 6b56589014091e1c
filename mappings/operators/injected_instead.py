"""Whether a device is in use although the drug that it would deliver is injected."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, standing
from mappings.device_use import DeviceKind, device_uses, hints, unread_uses
from mappings.drug_use import drug_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import (
    Condition,
    Device,
    DeviceRequest,
    DeviceUseStatement,
    Medication,
    MedicationRequest,
    MedicationStatement,
    Procedure,
    ServiceRequest,
)
from mappings.operators.base import Context, operator, texts


@operator(
    MedicationStatement,
    MedicationRequest,
    Medication,
    DeviceUseStatement,
    Device,
    DeviceRequest,
    ServiceRequest,
    Procedure,
    Condition,
)
def injected_instead(
    context: Context,
    drug_classes: Iterable[str],
    value_sets: Iterable[str] = (),
    pump_classes: Iterable[str] = (),
    names: Iterable[str] = (),
    pointing: Iterable[str] = (),
    present: Iterable[str] = (),
) -> Reading:
    """False (inferred) when the drugs are injected on day 0 and nothing points at such a device.

    A member whose regimen is injections, with no pump in use, is not an established pump user
    (readings A20b). What points at one keeps the answer unknown: a use or a Device of the kind, a use
    of a device that is not on file, supplies or services of the last year (`pointing`), a diagnosis
    that says that one is present (`present`), a drug of the classes that is infused, or a chart
    without any diagnosis, which is not the whole record.
    """
    uses = [use for use in drug_uses(context, texts(drug_classes)) if use.stretch.surely(context.as_of)]
    if not any(use.injected for use in uses) or not context.chart.has(Condition):
        return unknown(Reason.NO_DATA)
    kind = DeviceKind(texts(value_sets), texts(pump_classes), texts(names))
    traces = [
        *(use.evidence for use in device_uses(context, kind)),
        *unread_uses(context, kind),
        *hints(context, kind, texts(pointing)),
        *(use.evidence for use in uses if use.infused),
        *(
            context.evidence(condition, condition.recordedDate)
            for condition in context.chart.in_sets(Condition, texts(present))
            if standing(condition, context.as_of) is Standing.ACTIVE
        ),
    ]
    if traces:
        return unknown(Reason.IMPRECISE, "the record shows injections and traces of a pump", tuple(traces))
    return Reading(
        False,
        evidence=tuple(use.evidence for use in uses if use.injected),
        note="the regimen on file is injections, and no such device is on record",
        inferred=True,
    )
