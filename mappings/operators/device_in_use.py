"""Whether the patient uses a kind of device, now or all the time for a while."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.dates import before, words
from mappings.device_use import GAP, DeviceKind, DeviceUse, device_uses, hints, reading_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Device, DeviceRequest, DeviceUseStatement, Observation, Procedure, ServiceRequest
from mappings.operators.base import Context, operator, texts
from mappings.stretches import begin_of_run, covers


@operator(
    DeviceUseStatement,
    Device,
    Observation,
    DeviceRequest,
    ServiceRequest,
    Procedure,
    filtered=(Observation,),
    code_arguments=("readings",),
)
def device_in_use(
    context: Context,
    value_sets: Iterable[str] = (),
    pump_classes: Iterable[str] = (),
    names: Iterable[str] = (),
    readings: Iterable[str] = (),
    pointing: Iterable[str] = (),
    throughout: str = "",
) -> Reading:
    """Whether a device of a kind (mappings.device_use) is in use on day 0.

    readings: value sets of Observations that only such a device delivers. pointing: value sets of
    orders and procedures that go with one. throughout: a calendar duration; then the use must have
    begun that long before day 0, or earlier, and have lasted, breaks of up to 14 days aside.

    False when every declared use has ended, or begins later; with `throughout` also when it is
    declared to have begun too late. A stream of readings shows use and not its end or begin: one
    that begins too late is too_short_a_record, one that stopped is stale. A Device without a
    statement of use, or an order of supplies, only points at a use (unknown, with evidence).
    """
    kind = DeviceKind(texts(value_sets), texts(pump_classes), texts(names))
    uses = [*device_uses(context, kind), *reading_uses(context, texts(readings))]
    as_of = context.as_of
    now = covers((use.stretch for use in uses), as_of, as_of, 0)
    if now is False:
        return _not_now(context, kind, uses, texts(pointing))
    current = [use for use in uses if use.stretch.perhaps(as_of)]
    evidence = tuple(use.evidence for use in current)
    if not throughout:
        if now:
            return Reading(True, evidence=evidence)
        return unknown(Reason.IMPRECISE, "the record leaves open whether the device is in use", evidence)
    first = before(as_of, throughout)
    lasting = covers((use.stretch for use in uses), first, as_of, GAP)
    if lasting:
        return Reading(True, evidence=evidence, note=f"in use since {first} or earlier")
    if lasting is None:
        note = "the record does not say exactly since when the device is in use"
        return unknown(Reason.IMPRECISE, note, evidence)
    begun = begin_of_run((use.stretch for use in uses), as_of, GAP) or min(u.stretch.first for u in current)
    if not any(use.declared for use in current if use.stretch.first <= begun <= use.stretch.sure_first):
        return unknown(Reason.TOO_SHORT_A_RECORD, f"the readings on file begin on {begun}", evidence)
    note = f"in use only since {begun}, less than {words(throughout)} before the order"
    return Reading(False, evidence=evidence, note=note)


def _not_now(context: Context, kind: DeviceKind, uses: list[DeviceUse], pointing: tuple[str, ...]) -> Reading:
    """The reading when nothing shows that such a device is in use on day 0."""
    declared = any(use.declared for use in uses)
    # Supplies were ordered while the use lasted: they say nothing against its declared end.
    found = tuple(hints(context, kind, () if declared else pointing))
    evidence = tuple(use.evidence for use in uses)
    if found:
        note = "a device is on file or supplied, but no statement says that it is in use"
        return unknown(Reason.NO_DATA, note, (*evidence, *found))
    if declared:
        return Reading(False, evidence=evidence, note="no use of such a device lasts to the day of the order")
    if uses:
        return unknown(Reason.STALE, "the last readings are more than two weeks old", evidence)
    return unknown(Reason.NO_DATA)
