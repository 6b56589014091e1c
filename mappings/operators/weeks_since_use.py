"""For how long an external pump has not been in use."""

from __future__ import annotations

from mappings.codes import order_codes
from mappings.dates import span
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Device, DeviceUseStatement
from mappings.operators.base import Context, operator
from mappings.pumps import pumps


@operator(DeviceUseStatement, Device)
def weeks_since_use(context: Context) -> Reading:
    """Weeks from the end of the last recorded use of an external pump to day 0; 0 while it is in use.

    28 days are 4.0 weeks, 29 are more. A use whose end the record does not tell, or tells by a month
    alone, leaves it open.
    """
    found = []
    for use in context.chart.of(DeviceUseStatement):
        device = context.chart.resolve(use.device, use)
        if use.status not in ("active", "completed", "") or not isinstance(device, Device):
            continue
        items = pumps().items(order_codes(device.type))
        if not any((item.pump_class or "").startswith("external") for item in items):
            continue
        period = use.timingPeriod
        start = span(period.start) if period is not None else None
        if start is not None and start.first > context.as_of:
            continue
        end = span(period.end) if period is not None and period.end else None
        found.append(
            (use, end, context.evidence(use, period.end if period is not None and end else use.recordedOn))
        )
    if not found:
        return unknown(Reason.NO_DATA)
    evidence = tuple(entry for *_, entry in found)
    if any(end is None and use.status != "completed" for use, end, _ in found):
        return Reading(0.0, evidence=evidence, note="the pump is in use")
    ends = [end for _, end, _ in found if end is not None]
    last = max(ends, key=lambda end: end.last, default=None)
    if last is None or not last.exact:
        return unknown(
            Reason.IMPRECISE, "the record does not tell on which day the use of the pump ended", evidence
        )
    if last.last >= context.as_of:
        return Reading(0.0, evidence=evidence, note="the pump is in use")
    days = (context.as_of - last.last).days
    return Reading(days / 7, evidence=evidence, note=f"{days} days since the use of the pump ended")
