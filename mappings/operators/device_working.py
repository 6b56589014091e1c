"""Whether the device that the patient uses works."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, standing, words_of
from mappings.device_use import DeviceKind, device_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Condition, Device, DeviceUseStatement
from mappings.operators.base import Context, operator, texts


@operator(DeviceUseStatement, Device, Condition)
def device_working(
    context: Context,
    pump_classes: Iterable[str] = (),
    value_sets: Iterable[str] = (),
    trouble: Iterable[str] = (),
    same_class_as: str = "",
) -> Reading:
    """Whether the device in use on day 0 works.

    False when an active diagnosis in `trouble` says that it is broken. True (inferred) when a
    device of the kind is in use, its Device is active, and no trouble is recorded: "functioning" is
    in use with no malfunction recorded (ledger excl-wireless). A device whose status is missing or not
    active leaves it unknown.

    same_class_as: a fact that names the class of pump that is ordered; where it is known, only
    devices of that class are looked at.
    """
    classes = texts(pump_classes)
    ordered = context.value(same_class_as) if same_class_as else None
    kind = DeviceKind(texts(value_sets), tuple(c for c in classes if ordered not in classes or c == ordered))
    broken = tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.in_sets(Condition, texts(trouble))
        if standing(condition, context.as_of) is Standing.ACTIVE
    )
    if broken:
        return Reading(False, evidence=broken)
    used = [use for use in device_uses(context, kind) if use.stretch.surely(context.as_of)]
    evidence = tuple(use.evidence for use in used)
    working = tuple(use.evidence for use in used if use.device is not None and use.device.status == "active")
    if working:
        note = "in use, and no malfunction is recorded"
        return Reading(True, evidence=working, note=note, inferred=True)
    if used:
        return unknown(Reason.NO_DATA, "the device is in use; nothing on file says how it works", evidence)
    return unknown(Reason.NO_DATA)
