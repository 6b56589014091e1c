"""Which drugs the labelling of the ordered pump allows."""

from __future__ import annotations

from mappings.evidence import Basis, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Device
from mappings.operators.base import Context
from mappings.order_facts.drug import drug_set
from mappings.order_facts.pump import device_evidence, ordered_pump
from mappings.pumps import texts_of

_PROPERTY = ("urn:coverage-hooks:device-property", "labelled-drug")
_NO_LABELLING = "The labelling of the pump is not on file; the drugs that it is labelled for would settle it."


def pump_fda_approved_for_drug(context: Context) -> Reading:
    """True when the Device's labelling lists every drug of the reservoir, false when it lists others only.

    Some but not all is false too: the pump is not approved for the mixture. Source: Device.property
    of type labelled-drug, with the drugs as valueCode.
    """
    pump = ordered_pump(context)
    listed = [concept for device in pump.devices for concept in _labelled(device)]
    if not listed:
        return unknown(Reason.NO_DATA, _NO_LABELLING)
    names = drug_set(context)
    if not names.known:
        return names
    labelled = {drug.name for concept in listed for drug in context.drugs.identify_all(concept)}
    shown = ", ".join(sorted(labelled))
    evidence = (device_evidence(context, pump, shown, "labelled for"), *names.evidence)
    missing = [
        name for name in names.value if name not in labelled and not _is_labelled_insulin(name, labelled)
    ]
    if not missing:
        return Reading(True, evidence=evidence, basis=Basis.ORDER)
    unread = [concept for concept in listed if not context.drugs.identify_all(concept)]
    if unread:
        words = ", ".join(next(iter(texts_of(concept)), "a drug without a name") for concept in unread)
        note = f'The labelling lists "{words}", which could not be identified.'
        return unknown(Reason.UNMAPPED_CODE, note, evidence)
    note = f"The pump's labelling does not list {', '.join(missing)}."
    return Reading(False, evidence=evidence, note=note, basis=Basis.ORDER)


def _is_labelled_insulin(name: str, labelled: set[str]) -> bool:
    """Insulin lispro under a labelling that says insulin."""
    return "insulin" in labelled and name.startswith("insulin ")


def _labelled(device: Device) -> list[CodeableConcept]:
    return [
        concept
        for property_ in device.property
        if property_.type is not None
        and any((coding.system, coding.code) == _PROPERTY for coding in property_.type.coding)
        for concept in property_.valueCode
    ]
