"""Which devices of a kind the patient uses or has used, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from msgspec import Struct

from mappings.chart import Chart, reference_of
from mappings.codes import order_codes
from mappings.conditions import in_any, words_of
from mappings.dates import before, span
from mappings.evidence import Evidence
from mappings.fhir import (
    CodeableConcept,
    Device,
    DeviceRequest,
    DeviceUseStatement,
    Period,
    Procedure,
    Resource,
    ServiceRequest,
)
from mappings.operators.base import Context
from mappings.pumps import pumps
from mappings.sensor_use import sensor_days
from mappings.stretches import Stretch, days, runs, stretch_of
from mappings.words import has_words

GAP = 14
"""A break of up to two weeks (a sensor that failed, a new model that is late) does not end a use."""

_OVER = ("completed", "stopped", "on-hold")
_ORDERED_FOR = "P1Y"


class DeviceKind(Struct, frozen=True):
    """What makes a device one of this kind: its type, its class of pump, or its name.

    value_sets: of Device.type. pump_classes: classes of mappings.pumps. names: phrases of
    device names, asked only where the type carries no code that is known anywhere.
    """

    value_sets: tuple[str, ...] = ()
    pump_classes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def fits(self, chart: Chart, device: Device) -> bool:
        """Whether a Device is of this kind."""
        if in_any(chart.value_sets, device.type, self.value_sets):
            return True
        codes = order_codes(device.type)
        items = pumps().items(codes)
        if any(item.is_pump and item.pump_class in self.pump_classes for item in items):
            return True
        if items or any(chart.value_sets.memberships(*code) for code in codes):
            return False
        return self.named(
            *(name.name for name in device.deviceName), device.modelNumber, words_of(device.type)
        )

    def named(self, *texts: str) -> bool:
        """Whether words name a device of this kind."""
        if any(has_words(text, name) for text in texts for name in self.names):
            return True
        return bool(self.pump_classes) and pumps().class_of_name(*texts) in self.pump_classes


class DeviceUse(Struct, frozen=True):
    """One use of a device. declared: a statement says when; else readings show it."""

    stretch: Stretch
    evidence: Evidence
    declared: bool
    device: Device | None = None


def device_uses(context: Context, kind: DeviceKind) -> list[DeviceUse]:
    """The uses that DeviceUseStatements declare."""
    return [use for statement, use in _statements(context, kind) if use is not None]


def unread_uses(context: Context, kind: DeviceKind) -> list[Evidence]:
    """Statements of use whose device cannot be told: neither resource nor words are there."""
    return [
        context.evidence(statement, statement.recordedOn, says="use of a device that is not on file")
        for statement, use in _statements(context, kind)
        if use is None and not _known_device(context.chart, statement)
    ]


def _statements(context: Context, kind: DeviceKind) -> Iterator[tuple[DeviceUseStatement, DeviceUse | None]]:
    chart = context.chart
    for statement in chart.of(DeviceUseStatement):
        if statement.status == "intended":
            continue
        device = chart.resolve(statement.device, statement)
        display = statement.device.display if statement.device is not None else ""
        if isinstance(device, Device):
            fits = kind.fits(chart, device)
        else:
            device, fits = None, bool(display) and kind.named(display)
        if not fits:
            yield statement, None
            continue
        timing = statement.timingTiming
        bounds = timing.repeat.boundsPeriod if timing is not None and timing.repeat is not None else None
        stretch = stretch_of(
            period=statement.timingPeriod or bounds,
            at=statement.timingDateTime,
            known_on=statement.recordedOn,
            as_of=context.as_of,
            over=statement.status in _OVER,
            doubtful=statement.status != "active" and statement.status not in _OVER,
        )
        yield statement, DeviceUse(stretch, _evidence(context, statement, device, display), True, device)


def _evidence(
    context: Context, statement: DeviceUseStatement, device: Device | None, display: str
) -> Evidence:
    name = device_name(device) if device is not None else display
    period = statement.timingPeriod
    if period is not None and period.start:
        dates = f" from {period.start[:10]}" + (f" to {period.end[:10]}" if period.end else "")
    else:
        dates = f" on {statement.timingDateTime[:10]}" if statement.timingDateTime else ""
    written = period.start if period is not None and period.start else statement.timingDateTime
    return context.evidence(
        statement, written or statement.recordedOn, says=f"{name}: use {statement.status or 'noted'}{dates}"
    )


def device_name(device: Device) -> str:
    """What to call a Device."""
    names = [name.name for name in device.deviceName if name.name]
    return next(iter(names), "") or words_of(device.type) or device.modelNumber or reference_of(device)


def _known_device(chart: Chart, statement: DeviceUseStatement) -> bool:
    if isinstance(chart.resolve(statement.device, statement), Device):
        return True
    return statement.device is not None and bool(statement.device.display)


def reading_uses(context: Context, codes: tuple[str, ...]) -> list[DeviceUse]:
    """The uses that readings show which only such a device delivers, one for each run of days.

    A run that reaches into the last two weeks lasts: the data are a download, not the end of use.
    """
    shown = sensor_days(context.chart, codes)
    found = []
    for first, last in runs((day for day in shown if day <= context.as_of), GAP):
        ends = context.as_of if (context.as_of - last) <= timedelta(days=GAP) else last
        says = f"readings from {first} to {last}"
        evidence = context.evidence(shown[last], last.isoformat(), says=says)
        found.append(DeviceUse(days(first, ends), evidence, False))
    return found


def hints(context: Context, kind: DeviceKind, ordered: Iterable[str]) -> list[Evidence]:
    """What points at a use and does not show one: a Device of the patient, supplies or services.

    ordered: value sets of orders and procedures. Only those of the last year count, and never
    the draft orders of the question itself.
    """
    chart, sets = context.chart, tuple(ordered)
    used = {id(use.device) for use in device_uses(context, kind)}
    found = [
        context.evidence(device, says=f"{device_name(device)} on file, without a statement of its use")
        for device in chart.of(Device)
        if device.patient is not None and device.status in ("", "active", "unknown")
        if id(device) not in used and kind.fits(chart, device)
    ]
    drafts = {reference_of(request) for request in (context.order.resource, *context.order.others)}
    requests: list[tuple[Resource, str]] = [
        (request, request.authoredOn)
        for type_ in (DeviceRequest, ServiceRequest)
        for request in chart.of(type_)
        if request.status in ("active", "completed") and reference_of(request) not in drafts
        if in_any(chart.value_sets, _code(request), sets)
    ]
    requests += [
        (procedure, procedure.performedDateTime or (procedure.performedPeriod or Period()).end)
        for procedure in chart.in_sets(Procedure, sets)
        if procedure.status == "completed"
    ]
    first = before(context.as_of, _ORDERED_FOR)
    for resource, written in requests:
        day = span(written)
        if day is not None and day.last >= first and day.first <= context.as_of:
            found.append(context.evidence(resource, written, says=words_of(_code(resource))))
    return found


def _code(resource: Resource) -> CodeableConcept | None:
    if isinstance(resource, DeviceRequest):
        return resource.codeCodeableConcept
    return resource.code if isinstance(resource, ServiceRequest | Procedure) else None
