"""Where the pump is used."""

from __future__ import annotations

from mappings.evidence import SILENT, Basis, Reading, Reason, unknown
from mappings.fhir import Encounter, ServiceRequest
from mappings.operators.base import Context

_ROLE_TYPES = {
    "PTRES": "home",
    "HOSP": "institutional",
    "HU": "institutional",
    "SNF": "institutional",
    "NCCF": "institutional",
    "RH": "institutional",
    "PROFF": "office",
    "OF": "office",
}
"""v3 ServiceDeliveryLocationRoleType."""
_PLACES_OF_SERVICE = {
    "11": "office",
    "12": "home",
    "21": "inpatient",
    "22": "institutional",
    "31": "institutional",
    "32": "institutional",
    "51": "inpatient",
    "61": "inpatient",
}
"""CMS place of service codes."""
_INPATIENT = ("IMP", "ACUTE", "NONAC")
_AT_HOME = ("HH",)


def care_setting(context: Context) -> Reading:
    """home, institutional, inpatient or office.

    From the location of a ServiceRequest, the category of the drug's order, or a home-health
    encounter. An inpatient encounter tells where the order was written and not where the pump will
    be used: home pumps are ordered before discharge, so it only counts together with a drug that
    is ordered for the inpatient stay.
    """
    order = context.order
    resource = order.resource
    locations = resource.locationCode if isinstance(resource, ServiceRequest) else ()
    for concept in locations:
        for coding in concept.coding:
            table = _PLACES_OF_SERVICE if coding.code.isdigit() else _ROLE_TYPES
            if coding.code in table:
                value = table[coding.code]
                return Reading(value, evidence=(order.evidence(value, says="location"),), basis=Basis.ORDER)
    for drug in order.drug_orders:
        if any(coding.code == "inpatient" for concept in drug.category for coding in concept.coding):
            evidence = order.evidence("inpatient", says="category of the drug's order", of=drug)
            return Reading("inpatient", evidence=(evidence,), basis=Basis.ORDER)
    encounter = context.chart.resolve(resource.encounter, resource)
    if isinstance(encounter, Encounter) and encounter.class_ is not None:
        code = encounter.class_.code
        shown = context.evidence(encounter, encounter.period.start if encounter.period else "", code)
        if code in _AT_HOME:
            return Reading("home", evidence=(shown,))
        if code in _INPATIENT:
            note = (
                "The order was written during an inpatient stay; where the pump will be used is not stated."
            )
            return unknown(Reason.NO_DATA, note, (shown,))
    return SILENT


def home_administration(context: Context) -> Reading:
    """Whether the drug is given at home, from the care setting."""
    fact = context.fact("care_setting")
    setting = fact.stated if fact.stated is not None and not fact.computed.known else fact.computed
    if not setting.known:
        return setting
    return Reading(
        setting.value == "home",
        evidence=setting.evidence,
        note=f"The care setting is {setting.value}.",
        basis=setting.basis,
    )
