"""Whether the device that the patient uses works."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, standing, words_of
from mappings.device_use import DeviceKind, device_uses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Device, DeviceUseStatement
from mappings.operators.base import Context, operator, texts
from mappings.pumps import IMPLANTABLE

INSULIN = "external-insulin"


@operator(DeviceUseStatement, Device, Condition)
def device_working(
    context: Context,
    pump_classes: Iterable[str] = (),
    value_sets: Iterable[str] = (),
    trouble: Iterable[str] = (),
    implant_trouble: Iterable[str] = (),
    perhaps_trouble: Iterable[str] = (),
    same_class_as: str = "",
) -> Reading:
    """Whether the device in use on day 0 works.

    False when an active diagnosis says that it is broken: one in `trouble` of an insulin pump, one in
    `implant_trouble` of an implanted pump; one in `perhaps_trouble` leaves open whether it means the
    implanted pump. True (inferred) when a device of the kind is in use, its Device is active, and
    neither a diagnosis nor the order's reason tells of trouble: "functioning" is in use with no
    malfunction recorded (ledger excl-wireless). A device whose status is missing or not active leaves
    it unknown.

    same_class_as: a fact that names the class of pump that is ordered; where it is known, only
    devices and diagnoses of that class are looked at.
    """
    classes = texts(pump_classes)
    ordered = context.value(same_class_as) if same_class_as else None
    fitting = tuple(c for c in classes if ordered not in classes or c == ordered)
    kind = DeviceKind(texts(value_sets), fitting)
    implanted = any(name in IMPLANTABLE for name in fitting)
    sets = (*texts(trouble if INSULIN in fitting else ()), *texts(implant_trouble if implanted else ()))
    broken = _diagnosed(context, sets)
    if broken:
        return Reading(False, evidence=broken)
    perhaps = _diagnosed(context, texts(perhaps_trouble)) if implanted else ()
    if perhaps:
        return unknown(Reason.IMPRECISE, "the broken implant may be the pump or another device", perhaps)
    used = [use for use in device_uses(context, kind) if use.stretch.surely(context.as_of)]
    evidence = tuple(use.evidence for use in used)
    working = tuple(use.evidence for use in used if use.device is not None and use.device.status == "active")
    if working and context.value("replacement_reason") != "malfunction":
        note = "in use, and no malfunction is recorded"
        return Reading(True, evidence=working, note=note, inferred=True)
    if used and not working:
        return unknown(Reason.NO_DATA, "the device is in use; nothing on file says how it works", evidence)
    return unknown(Reason.NO_DATA)


@operator(DeviceUseStatement, Device, Condition)
def device_broken(
    context: Context,
    pump_classes: Iterable[str] = (),
    trouble: Iterable[str] = (),
    implant_trouble: Iterable[str] = (),
    perhaps_trouble: Iterable[str] = (),
    same_class_as: str = "",
) -> Reading:
    """The opposite of device_working, without its inference: a "yes" or nothing."""
    found = device_working.function(
        context,
        pump_classes,
        trouble=trouble,
        implant_trouble=implant_trouble,
        perhaps_trouble=perhaps_trouble,
        same_class_as=same_class_as,
    )
    if found.value is False:
        return Reading(True, evidence=found.evidence)
    return found if found.reason is Reason.IMPRECISE else unknown(Reason.NO_DATA)


def _diagnosed(context: Context, value_sets: tuple[str, ...]) -> tuple[Evidence, ...]:
    return tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.in_sets(Condition, value_sets)
        if standing(condition, context.as_of) is Standing.ACTIVE
    )
