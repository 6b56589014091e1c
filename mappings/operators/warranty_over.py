"""Whether the warranty of the device in use has ended."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from mappings.dates import span
from mappings.device_use import DeviceKind, device_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Device, DeviceUseStatement
from mappings.operators.base import Context, operator, texts

_WARRANTY = re.compile(r"\bwarrant(y|ies|ied)\b", re.IGNORECASE)
_END = re.compile(r"\b(until|through|thru|ends?|ended|expires?|expired|expiry|expiration)\b", re.IGNORECASE)
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@operator(DeviceUseStatement, Device)
def warranty_over(
    context: Context,
    pump_classes: Iterable[str] = (),
    value_sets: Iterable[str] = (),
    same_class_as: str = "",
) -> Reading:
    """Whether the warranty of the device in use ended before day 0.

    Read from the notes of the Device, the only place FHIR leaves for it ("Warranty runs until
    2028-03-17"): one sentence with the word warranty, a word for its end and exactly one
    date. Other words about a warranty are narrative_only. Device.expirationDate is no warranty.
    same_class_as: see device_working.
    """
    classes = texts(pump_classes)
    ordered = context.value(same_class_as) if same_class_as else None
    kind = DeviceKind(texts(value_sets), tuple(c for c in classes if ordered not in classes or c == ordered))
    ends: dict[date, tuple[Device, str]] = {}
    unread: list[tuple[Device, str]] = []
    for use in device_uses(context, kind):
        if use.device is None or not use.stretch.surely(context.as_of):
            continue
        for note in use.device.note:
            for sentence in re.split(r"(?<=[.;])\s", note.text):
                if _WARRANTY.search(sentence):
                    dates = _DATE.findall(sentence)
                    day = span(dates[0]) if len(dates) == 1 and _END.search(sentence) else None
                    if day is None:
                        unread.append((use.device, sentence))
                    else:
                        ends[day.first] = (use.device, sentence)
    found = [(device, sentence) for device, sentence in ends.values()] + unread
    evidence = tuple(context.evidence(device, says=sentence) for device, sentence in found)
    if len(ends) == 1:
        end = next(iter(ends))
        return Reading(end < context.as_of, evidence=evidence, note=f"the warranty ends on {end}")
    if found:
        reason = Reason.CONFLICTING if ends else Reason.NARRATIVE_ONLY
        return unknown(reason, "the notes of the device about its warranty need reading", evidence)
    return unknown(Reason.NO_DATA)
