"""Where the pump is used, and where its catheter lies."""

from __future__ import annotations

from mappings.evidence import SILENT, Basis, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Encounter, ServiceRequest
from mappings.operators.base import Context
from mappings.order import ordered_item
from mappings.order_facts.infusion import dosages, shown
from mappings.pumps import texts_of
from mappings.words import has_words

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


def subacromial_infusion(context: Context) -> Reading:
    """True where the site of the drug, or the name of what is ordered, is subacromial; else silent.

    Any other site is no proof: a catheter may be moved, and orders name a shoulder for both.
    """
    named = [
        shown(given, True, says=text)
        for dosage, given in dosages(context)
        for text in _subacromial(dosage.site)
    ]
    item = ordered_item(context.order.resource, context.chart)
    named += [context.order.evidence(True, says=text) for text in _subacromial(item)]
    return Reading(True, evidence=tuple(named), basis=Basis.ORDER) if named else SILENT


def _subacromial(concept: CodeableConcept | None) -> list[str]:
    return [text for text in texts_of(concept) if has_words(text, "subacromial")]
