"""Which pump is ordered: its class and model, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from mappings.codes import order_codes
from mappings.evidence import Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import Device, DeviceRequest, DeviceUseStatement, MedicationRequest
from mappings.operators.base import Context
from mappings.order import ordered_item
from mappings.order_facts.item import ordered_items
from mappings.pumps import Item, Model, pumps, texts_of

_OWN_NAMES = ("user-friendly-name", "patient-reported-name")


class OrderedPump(Struct, frozen=True):
    """The ordered device as far as the order tells.

    items: what the codes of the order and of its Device stand for. devices: the Devices that the
    order is for. model: the known model. named: brand and model as written, "" when none is.
    texts: all words about the device.
    """

    items: tuple[Item, ...]
    devices: tuple[Device, ...]
    model: Model | None
    named: str
    texts: tuple[str, ...]

    @property
    def is_insulin(self) -> bool:
        """An insulin pump, or a supply of one, by its nature."""
        return any(item.insulin for item in self.items) or (self.model is not None and self.model.insulin)


def ordered_pump(context: Context) -> OrderedPump:
    """Put together what the order, its code and its Devices say of the device."""
    order, chart = context.order, context.chart
    devices = ordered_devices(context)
    words = list(texts_of(ordered_item(order.resource, chart)))
    if isinstance(order.resource, DeviceRequest) and order.resource.codeReference is not None:
        words.append(order.resource.codeReference.display)
    items = ordered_items(order)
    names = []
    for device in devices:
        items += pumps().items(order_codes(device.type))
        words += texts_of(device.type)
        names += [name.name for name in device.deviceName] + [device.modelNumber]
    texts = tuple(dict.fromkeys(text for text in (*names, *words) if text))
    return OrderedPump(
        items=tuple(dict.fromkeys(items)),
        devices=tuple(devices),
        model=pumps().model(*texts),
        named=next((name for name in map(_written_name, devices) if name), ""),
        texts=texts,
    )


def ordered_devices(context: Context) -> list[Device]:
    """The Devices that stand for what is ordered.

    The order's codeReference always does. A Device of its supportingInfo does when it is contained
    or belongs to nobody yet: one that is in use is what the patient has now, and a glucose monitor
    that goes with the pump is no pump.
    """
    order, chart = context.order.resource, context.chart
    found: list[Device] = []
    if isinstance(order, DeviceRequest):
        device = chart.resolve(order.codeReference, order)
        if isinstance(device, Device):
            found.append(device)
    in_use = {id(chart.resolve(use.device, use)) for use in chart.of(DeviceUseStatement)}
    for reference in order.supportingInfo:
        device = chart.resolve(reference, order)
        if not isinstance(device, Device) or device in found or id(device) in in_use:
            continue
        if (reference.reference.startswith("#") or device.patient is None) and _may_be_pump(device):
            found.append(device)
    return found


def _may_be_pump(device: Device) -> bool:
    codes = order_codes(device.type)
    names = (*(name.name for name in device.deviceName), *texts_of(device.type))
    return not codes or bool(pumps().items(codes)) or pumps().model(*names) is not None


def _written_name(device: Device) -> str:
    """Maker and model as the Device writes them; a name for the user is no model."""
    names = [name.name for name in device.deviceName if name.name and name.type not in _OWN_NAMES]
    model = next(iter(names), "") or device.modelNumber
    return f"{device.manufacturer} {model}".strip() if model else ""


def pump_class(context: Context) -> Reading:
    """The kind of pump: from the codes, the Device's type and the model; from words if nothing is coded."""
    order = context.order
    pump = ordered_pump(context)
    found: dict[str, str] = {}
    for item in pump.items:
        if item.pump_class is not None:
            found.setdefault(item.pump_class, item.says)
    if pump.model is not None:
        found.setdefault(pump.model.pump_class, pump.model.full_name)
    if len(found) > 1:
        found.pop("implantable", None)
    if len(found) > 1:
        evidence = tuple(order.evidence(name, says=says) for name, says in found.items())
        return unknown(Reason.CONFLICTING, f"The order names {' and '.join(found.values())}.", evidence)
    for name, says in found.items():
        return _class_reading(order.evidence, name, says)
    for item in pump.items:
        if item.kind != "other":
            return Reading(
                item.kind, evidence=(order.evidence(item.kind, says=item.says),), basis=Basis.ORDER
            )
    if isinstance(order.resource, MedicationRequest):
        return unknown(
            Reason.NO_DATA, "The order is for a drug and names no pump; the pump's order would tell."
        )
    worded = pumps().class_of_words(*pump.texts)
    if worded is not None:
        return _class_reading(order.evidence, worded, f'the words of the order: "{pump.texts[0]}"')
    note = "The order does not tell which kind of pump it is for; a HCPCS code or the model would."
    return unknown(Reason.UNMAPPED_CODE if order.codes else Reason.NO_DATA, note)


def _class_reading(evidence: Callable[..., Evidence], name: str, says: str) -> Reading:
    if name != "implantable":
        return Reading(name, evidence=(evidence(name, says=says),), basis=Basis.ORDER)
    # No criterion of the known policies tells programmable from fixed-rate implanted pumps, so a
    # code that leaves this open is read as the usual kind, and yields to a statement.
    note = "An implantable pump; whether it is programmable or fixed-rate is not stated."
    shown = evidence("implantable", says=says)
    return Reading("implantable-programmable", evidence=(shown,), note=note, basis=Basis.ORDER, inferred=True)


def device_model(context: Context) -> Reading:
    """The model by the name under which mappings/pumps.yaml knows it, else as written."""
    pump = ordered_pump(context)
    return _model_reading(context, pump, pump.model.name if pump.model else pump.named)


def pump_model(context: Context) -> Reading:
    """Manufacturer and model."""
    pump = ordered_pump(context)
    return _model_reading(context, pump, pump.model.full_name if pump.model else pump.named)


def _model_reading(context: Context, pump: OrderedPump, name: str) -> Reading:
    if pump.model is not None and pump.model.is_family:
        note = f"{pump.model.full_name} is a family of pumps; which member is ordered would settle it."
        return unknown(Reason.IMPRECISE, note, (context.order.evidence(name),))
    if not name:
        return unknown(
            Reason.NO_DATA, "The order names no model; the manufacturer and model would settle it."
        )
    return Reading(name, evidence=(device_evidence(context, pump, name),), basis=Basis.ORDER)


def device_evidence(context: Context, pump: OrderedPump, value: object, says: str = "") -> Evidence:
    """Evidence that rests on a Device of the chart, or on the order when it contains the Device."""
    own = {id(inner) for inner in context.order.resource.contained}
    for device in pump.devices:
        if id(device) not in own:
            return context.evidence(device, value=value, says=says)
    return context.order.evidence(value, says=says)


def device_wireless_to_cgm(context: Context) -> Reading:
    """Whether the pump receives glucose readings: E0787 does by its descriptor, a known model as listed.

    A plain E0784 is billed for pumps with and without the link.
    """
    pump = ordered_pump(context)
    says: dict[bool, str] = {}
    for item in pump.items:
        if item.cgm_linked:
            says[True] = item.says
    if pump.model is not None and pump.model.insulin and pump.model.wireless_to_cgm is not None:
        says.setdefault(pump.model.wireless_to_cgm, pump.model.full_name)
    if not says and any(item.is_pump for item in pump.items) and not pump.is_insulin:
        says[False] = "no insulin pump"
    evidence = tuple(device_evidence(context, pump, value, text) for value, text in says.items())
    if len(says) == 1:
        return Reading(next(iter(says)), evidence=evidence, basis=Basis.ORDER)
    if says:
        return unknown(Reason.CONFLICTING, "The code and the model of the order disagree.", evidence)
    note = "The order does not tell whether the pump talks to a glucose monitor; the model would."
    return unknown(Reason.NO_DATA, note)


def fda_approved_cgm_pump(context: Context) -> Reading:
    """Whether the model is marketed as an insulin pump that works with a glucose monitor."""
    return _of_model(context, lambda model: model.wireless_to_cgm)


def pump_automation(context: Context) -> Reading:
    """What the model does with glucose readings by itself."""
    return _of_model(context, lambda model: model.automation)


def pump_basal_only(context: Context) -> Reading:
    """Whether the model delivers basal insulin only (Omnipod GO)."""
    return _of_model(context, lambda model: None if model.is_family else model.basal_only)


def device_is_disposable(context: Context) -> Reading:
    """Whether the pump is thrown away with its reservoir."""
    pump = ordered_pump(context)
    if any(item.disposable for item in pump.items) or (
        pump.model is None and pumps().class_of_words(*pump.texts) == "disposable"
    ):
        return Reading(True, evidence=(context.order.evidence(True),), basis=Basis.ORDER)
    return _of_model(context, lambda model: model.disposable)


def _of_model(context: Context, value_of: Callable[[Model], object]) -> Reading:
    pump = ordered_pump(context)
    value = value_of(pump.model) if pump.model is not None else None
    if pump.model is None or value is None:
        return unknown(Reason.NO_DATA, "It depends on the model of the pump, which the order does not name.")
    evidence = device_evidence(context, pump, value, pump.model.full_name)
    return Reading(value, evidence=(evidence,), basis=Basis.ORDER)
