"""What else is ordered or in use with an accessory or a supply, and which accessory it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from mappings.codes import CPT, HCPCS, order_codes
from mappings.companions import DecidedPump, requests_beside, uses_on
from mappings.evidence import SILENT, Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import Device, DeviceUseStatement, Request
from mappings.operators.base import Context
from mappings.order import ordered_item
from mappings.order_facts.pump import ordered_pump
from mappings.pumps import pumps
from mappings.words import has_words

_BILLED = (HCPCS, CPT)
_CONVENIENCE = {
    "remote-controller": (
        "remote controller",
        "remote control",
        "personal diabetes manager",
        "personal diabetes monitor",
        "PDM",
    ),
    "software-or-adapter": ("software", "adapter", "adaptor"),
    "cover-or-case": ("pump cover", "pump case", "carrying case", "case", "cover", "shower bag", "pouch"),
}
_CONTROLLER = ("infusion controller", "infusion control device")


class Companion(Struct, frozen=True):
    """A pump ordered or in use beside the order: its billing code ("" if none) and its class."""

    code: str
    pump_class: str
    evidence: Evidence


def companion_pumps(context: Context) -> list[Companion]:
    """The pumps that go with the order (mappings.companions), and the pumps in use."""
    drafts = [_of_request(context, request) for request in requests_beside(context.order, context.chart)]
    used = [_of_use(context, use, device) for use, device in uses_on(context.chart, context.as_of)]
    return [companion for companion in (*drafts, *used) if companion is not None]


def _of_request(context: Context, request: Request) -> Companion | None:
    codes = order_codes(ordered_item(request, context.chart))
    return _companion(codes, lambda code: context.order.evidence(code, of=request))


def _of_use(context: Context, use: DeviceUseStatement, device: Device) -> Companion | None:
    start = use.timingPeriod.start[:10] if use.timingPeriod is not None else ""
    since = f"in use since {start}" if start else "in use"
    return _companion(
        order_codes(device.type), lambda code: context.evidence(use, use.recordedOn, code, says=since)
    )


def _companion(codes: Iterable[tuple[str, str]], evidence: Callable[[str], Evidence]) -> Companion | None:
    pump = [
        (system, code, item)
        for system, code in codes
        if (item := pumps().item(system, code)) and item.is_pump
    ]
    if not pump:
        return None
    billed = next((code for system, code, _ in pump if system in _BILLED), "")
    name = next((item.pump_class for _, _, item in pump if item.pump_class), "")
    return Companion(billed, name or "", evidence(billed or pump[0][1]))


def concurrent_pump_code(context: Context) -> Reading:
    """The billing codes of the pumps that are ordered or in use together with this order."""
    return _listed(context, "code", "the pump that it goes with has no HCPCS code")


def concurrent_pump_class(context: Context) -> Reading:
    """The classes of the pumps that are ordered or in use together with this order."""
    return _listed(context, "pump_class", "the class of the pump that it goes with is not known")


def _listed(context: Context, field: str, missing: str) -> Reading:
    companions = companion_pumps(context)
    evidence = tuple(companion.evidence for companion in companions)
    values = {getattr(companion, field) for companion in companions}
    if "" in values:
        return unknown(Reason.UNMAPPED_CODE, f"{missing[0].upper()}{missing[1:]}.", evidence)
    if values:
        return Reading(tuple(sorted(values)), evidence=evidence, basis=Basis.ORDER)
    failure = context.chart.failure(DeviceUseStatement, Device)
    if failure:
        return unknown(Reason.FETCH_FAILED, f"The devices in use could not be read: {failure}.")
    return Reading((), note="No pump is ordered with it, and none is recorded in use.", inferred=True)


def pump_use_active(context: Context) -> Reading:
    """True when a pump is ordered with the item, or in use; silent otherwise, for it may be on no record."""
    companions = companion_pumps(context)
    if not companions:
        return SILENT
    return Reading(True, evidence=tuple(companion.evidence for companion in companions), basis=Basis.ORDER)


def concurrent_pump_covered(context: Context) -> Reading:
    """Whether the policy covers a pump that the order goes with."""
    return _decision(
        context, lambda pump: {"met": True, "not-met": False, "excluded": False}.get(pump.outcome), "outcome"
    )


def paths_result(context: Context) -> Reading:
    """Whether a pump that the order goes with meets the criteria of the policy."""
    return _decision(context, lambda pump: {"met": True, "unmet": False}.get(pump.criteria), "criteria")


def _decision(context: Context, says: Callable[[DecidedPump], bool | None], field: str) -> Reading:
    """True when it holds for one of the pumps, False when for none of them."""
    if not context.pumps:
        return SILENT
    answers = [says(pump) for pump in context.pumps]
    evidence = tuple(
        context.order.evidence(
            answer,
            says=f"{field} of the pump under this policy: {getattr(pump, field) or 'no answer'}",
            of=pump.order.resource,
        )
        for pump, answer in zip(context.pumps, answers, strict=True)
    )
    if True in answers:
        return Reading(True, evidence=evidence, basis=Basis.ORDER)
    if None in answers:
        return unknown(Reason.NO_DATA, "Whether the pump meets the policy is open.", evidence)
    return Reading(False, evidence=evidence, basis=Basis.ORDER)


def accessory_kind(context: Context) -> Reading:
    """Which convenience item is ordered, from the words of an order whose code does not tell."""
    pump = ordered_pump(context)
    known = [item for item in pump.items if item.kind != "other"]
    if known:
        return Reading(
            "none", evidence=(context.order.evidence("none", says=known[0].says),), basis=Basis.ORDER
        )
    for kind, phrases in _CONVENIENCE.items():
        text = next((text for text in pump.texts if any(has_words(text, phrase) for phrase in phrases)), "")
        if text:
            return Reading(kind, evidence=(context.order.evidence(kind, says=text),), basis=Basis.ORDER)
    return unknown(
        Reason.NO_DATA, "The code of the order does not tell what the item is; its description would."
    )


def accessory_type(context: Context) -> Reading:
    """Whether the ordered item is a convenience accessory of one of the known kinds."""
    kind = accessory_kind(context)
    if not kind.known:
        return kind
    return Reading(kind.value != "none", evidence=kind.evidence, basis=Basis.ORDER)


def order_is_controller(context: Context) -> Reading:
    """Whether the order is for the hand-held controller of a pump (a personal diabetes manager)."""
    kind = accessory_kind(context)
    if not kind.known:
        return kind
    return Reading(kind.value == "remote-controller", evidence=kind.evidence, basis=Basis.ORDER)


def device_is_infusion_controller(context: Context) -> Reading:
    """Whether a miscellaneous item (E1399) is an infusion controller by its description.

    An item with a code of its own is none.
    """
    pump = ordered_pump(context)
    text = next((text for text in pump.texts if any(has_words(text, phrase) for phrase in _CONTROLLER)), "")
    if text:
        return Reading(True, evidence=(context.order.evidence(True, says=text),), basis=Basis.ORDER)
    known = [item for item in pump.items if item.kind != "other"]
    if known:
        return Reading(
            False, evidence=(context.order.evidence(False, says=known[0].says),), basis=Basis.ORDER
        )
    return unknown(
        Reason.NO_DATA, "The code of the order does not tell whether the item is an infusion controller."
    )
