"""Whether the patient carries an implanted programmable device beside the pump."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, in_any, standing, words_of
from mappings.dates import span
from mappings.device_use import DeviceKind, DeviceUse, device_name, device_uses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Device, DeviceUseStatement, Procedure
from mappings.operators.base import Context, operator, texts
from mappings.spinal_trials import began
from mappings.words import has_words


@operator(Condition, Device, DeviceUseStatement, Procedure)
def other_implant(
    context: Context,
    value_sets: Iterable[str],
    open_sets: Iterable[str],
    pump_classes: Iterable[str],
    words: Iterable[str] = (),
    implantations: Iterable[str] = (),
) -> Reading:
    """Whether an implanted programmable device is on file that is not the pump being replaced.

    value_sets: diagnoses and device types that mean one. open_sets: diagnoses of an implant that may
    be programmable, or the pump itself; what is in both is open. pump_classes: programmable pumps;
    where the order is a replacement, one pump in use is the one replaced. words: names of such
    devices; in words alone they ask (narrative_only). implantations: procedures that put one in; what
    became of it since is open. Never False: only a statement can say that there is none.
    """
    open_to = texts(open_sets)
    found = [
        *_diagnosed(context, texts(value_sets), open_to),
        *_devices(context, DeviceKind(texts(value_sets))),
    ]
    pumps = _in_use(context, DeviceKind(pump_classes=texts(pump_classes)))
    replacing = context.value("order_is_replacement")
    if replacing:
        found.extend(use.evidence for use in pumps[1:])
    if found:
        return Reading(True, evidence=tuple(found))
    if pumps and not replacing:
        evidence = tuple(use.evidence for use in pumps)
        note = "a programmable pump is in use, and the order does not say that it replaces it"
        return unknown(Reason.IMPRECISE, note, evidence)
    perhaps = tuple(_diagnosed(context, open_to))
    if perhaps:
        return unknown(
            Reason.IMPRECISE, "the record does not tell whether the implant is programmable", perhaps
        )
    implanted = _implanted(context, texts(implantations))
    if implanted:
        note = "such a device was implanted; whether it is still in place is not on file"
        return unknown(Reason.IMPRECISE, note, implanted)
    named = (*_devices(context, DeviceKind(names=texts(words))), *_worded(context, texts(words)))
    if named:
        return unknown(Reason.NARRATIVE_ONLY, "such a device is named in words only", named)
    return unknown(Reason.NO_DATA)


def _worded(context: Context, names: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Active Conditions without a code that name such a device."""
    return tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.of(Condition)
        if condition.code is not None
        and not any(coding.code for coding in condition.code.coding)
        and any(has_words(condition.code.text, name) for name in names)
        and standing(condition, context.as_of) is Standing.ACTIVE
    )


def _diagnosed(
    context: Context, value_sets: tuple[str, ...], without: tuple[str, ...] = ()
) -> list[Evidence]:
    return [
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.in_sets(Condition, value_sets)
        if standing(condition, context.as_of) is Standing.ACTIVE
        and not in_any(context.value_sets, condition.code, without)
    ]


def _implanted(context: Context, value_sets: tuple[str, ...]) -> tuple[Evidence, ...]:
    return tuple(
        context.evidence(procedure, began(procedure), says=words_of(procedure.code))
        for procedure in context.chart.in_sets(Procedure, value_sets)
        if procedure.status in ("completed", "")
        and ((day := span(began(procedure))) is None or day.first <= context.as_of)
    )


def _in_use(context: Context, kind: DeviceKind) -> list[DeviceUse]:
    return [use for use in device_uses(context, kind) if use.stretch.perhaps(context.as_of)]


def _devices(context: Context, kind: DeviceKind) -> list[Evidence]:
    """Devices in use on day 0, and active Devices of which no statement tells the use."""
    uses = device_uses(context, kind)
    told = {id(use.device) for use in uses}
    unstated = [
        context.evidence(device, says=device_name(device))
        for device in context.chart.of(Device)
        if id(device) not in told
        and device.status in ("", "active", "unknown")
        and kind.fits(context.chart, device)
    ]
    return [*(use.evidence for use in uses if use.stretch.perhaps(context.as_of)), *unstated]
