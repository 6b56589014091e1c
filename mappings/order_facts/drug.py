"""The drug in the pump: ingredients, class, code, formulation, product, compounding."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mappings.codes import HCPCS, key
from mappings.evidence import SILENT, Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept
from mappings.operators.base import Context
from mappings.order_facts.medications import Given, given_medications
from mappings.pumps import pumps

COMPOUNDED_CODES = ("J7999", "Q9977")
_COMPOUNDED = re.compile(r"\bcompound(ed|ing)\b", re.IGNORECASE)
_NOT_COMPOUNDED = re.compile(r"\b(not|non|never|no|without)[ -]+(a +)?compound(ed|ing)\b", re.IGNORECASE)
_DRUG_CODE = re.compile(r"[JQSC]\d{4}")
_NO_DRUG = "The order names no drug; the drug's order, or the drug on the pump's order, would settle it."


def _evidence(given: Iterable[Given], value: object, says: str = "") -> tuple[Evidence, ...]:
    return tuple(
        Evidence(g.evidence.resource, g.evidence.origin, g.evidence.date, value, says=says or g.evidence.says)
        for g in given
    )


def drug_set(context: Context) -> Reading:
    """All ingredients of the reservoir, by their normalised names, in alphabetical order."""
    given = given_medications(context)
    if not given:
        return unknown(Reason.NO_DATA, _NO_DRUG)
    unread = [words for medication in given for words in medication.unread]
    if unread:
        note = f'The drug "{", ".join(unread)}" could not be identified; an RxNorm or HCPCS code would tell.'
        return unknown(Reason.UNMAPPED_CODE, note, _evidence(given, ", ".join(unread)))
    names = tuple(sorted({drug.name for medication in given for drug in medication.drugs}))
    note = ""
    if any(medication.by_nature for medication in given):
        note = "No drug is ordered with it; an insulin pump delivers insulin by its nature."
    elif not context.order.drug_orders:
        note = f"Taken from {given[0].evidence.resource}."
    evidence = tuple(
        entry
        for medication in given
        for entry in _evidence((medication,), " + ".join(sorted(drug.name for drug in medication.drugs)))
    )
    return Reading(names, evidence=evidence, note=note, basis=Basis.ORDER)


def drug(context: Context) -> Reading:
    """The one ingredient; for a mixture, its ingredients joined ("bupivacaine + morphine")."""
    names = drug_set(context)
    if not names.known:
        return names
    note = names.note if len(names.value) == 1 else "A mixture of several drugs."
    return Reading(" + ".join(names.value), evidence=names.evidence, note=note, basis=Basis.ORDER)


def drug_class(context: Context) -> Reading:
    """The therapeutic classes of all ingredients."""
    names = drug_set(context)
    if not names.known:
        return names
    drugs = [d for medication in given_medications(context) for d in medication.drugs]
    classes = tuple(sorted({name for d in drugs for name in d.classes}))
    return Reading(classes, evidence=names.evidence, note=names.note, basis=Basis.ORDER)


def drug_formulation(context: Context) -> Reading:
    """conventional, liposomal or lipid-complex, where the order tells."""
    given = given_medications(context)
    found = {d.formulation for medication in given for d in medication.drugs if d.formulation}
    if len(found) == 1:
        value = found.pop()
        return Reading(value, evidence=_evidence(given, value), basis=Basis.ORDER)
    if found:
        note = f"The order names several formulations: {', '.join(sorted(found))}."
        return unknown(Reason.CONFLICTING, note, _evidence(given, ", ".join(sorted(found))))
    return (
        SILENT
        if not given
        else unknown(Reason.NO_DATA, "The order does not tell the formulation of the drug.")
    )


def drug_product(context: Context) -> Reading:
    """Brand or product of the drug, where the order names one."""
    given = given_medications(context)
    found = sorted({d.product for medication in given for d in medication.drugs if d.product})
    if not found:
        return (
            SILENT if not given else unknown(Reason.NO_DATA, "The order names an ingredient and no product.")
        )
    value = ", ".join(found)
    return Reading(value, evidence=_evidence(given, value), basis=Basis.ORDER)


def drug_code(context: Context) -> Reading:
    """The HCPCS code of the drug on the order; that of a compounded drug before any other."""
    given = given_medications(context)
    found = [(code, medication) for medication in given for code in _codes(medication.concepts)]
    found.sort(key=lambda pair: pair[0] not in COMPOUNDED_CODES)
    for code, medication in found:
        return Reading(code, evidence=_evidence((medication,), code), basis=Basis.ORDER)
    return SILENT if not given else unknown(Reason.NO_DATA, "The drug on the order carries no HCPCS code.")


def compounded_coding(context: Context) -> Reading:
    """compounded (J7999, Q9977), other (another HCPCS drug code) or none (no code on the order)."""
    given = given_medications(context)
    if not given:
        return unknown(Reason.NO_DATA, _NO_DRUG)
    code = drug_code(context)
    if not code.known:
        return Reading("none", evidence=_evidence(given, "none"), basis=Basis.ORDER)
    value = "compounded" if code.value in COMPOUNDED_CODES else "other"
    return Reading(value, evidence=code.evidence, basis=Basis.ORDER)


def _codes(concepts: Iterable[CodeableConcept]) -> Iterable[str]:
    for concept in concepts:
        for coding in concept.coding:
            system, code = key(coding)
            if system == HCPCS and _DRUG_CODE.fullmatch(code) and pumps().item(system, code) is None:
                yield code


def drug_compounded(context: Context) -> Reading:
    """True for a code of compounded drugs or where the order says compounded.

    A mixture alone is no proof: whether it was compounded is for the prescriber to say. Silence is
    no "no".
    """
    given = given_medications(context)
    for medication in given:
        code = next((code for code in _codes(medication.concepts) if code in COMPOUNDED_CODES), "")
        if code:
            return Reading(
                True, evidence=_evidence((medication,), code, "compounded drug"), basis=Basis.ORDER
            )
    texts = [(text, medication) for medication in given for text in medication.texts]
    denied = [(text, medication) for text, medication in texts if _NOT_COMPOUNDED.search(text)]
    said = [(t, m) for t, m in texts if _COMPOUNDED.search(_NOT_COMPOUNDED.sub("", t))]
    if said and denied:
        return unknown(Reason.CONFLICTING, "The order says compounded and not compounded.")
    for value, found in ((True, said), (False, denied)):
        for text, medication in found:
            return Reading(value, evidence=_evidence((medication,), value, text), basis=Basis.ORDER)
    return SILENT
