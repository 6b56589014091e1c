"""Code systems under one name, codes in one spelling.

Senders write the same system in many ways (HCPCS alone has more than ten URIs) and the same
code with or without dot or capitals. Everything that compares codes compares `key(coding)`.

Sources: HL7 terminology for the canonical URIs and OIDs (https://terminology.hl7.org);
systems.json lists every other spelling that real senders were seen to use.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import msgspec

from mappings.fhir import CodeableConcept, Coding, OrderedItem
from mappings.tables import table


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code system: canonical URI, name for people, other URIs under which it is seen."""

    uri: str
    name: str
    spellings: tuple[str, ...] = ()


@table
def systems() -> dict[str, System]:
    """The known code systems by short key ("hcpcs"), as value-set files name them."""
    text = (Path(__file__).parent / "systems.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, System])


HCPCS = systems()["hcpcs"].uri
CPT = systems()["cpt"].uri
ICD_10_CM = systems()["icd-10-cm"].uri
RXNORM = systems()["rxnorm"].uri
SNOMED = systems()["snomed"].uri
LOINC = systems()["loinc"].uri

FACT_SYSTEM = "urn:coverage-hooks:fact"
"""Our own: the code is the name of a fact."""
ANSWER_SYSTEM = "urn:coverage-hooks:answer"

BILLING_OPTIONS = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-billing-options"

# E0781-RR, E0781:RR, E0781RR, 62362-22: HCPCS modifiers written behind the code.
_WITH_MODIFIERS = re.compile(r"([A-Z]\d{4}|\d{5})((?:[-:, ] ?[A-Z0-9]{2}|[A-Z][A-Z0-9])+)")
_HCPCS_SHAPE = re.compile(r"[A-Z]\d{4}")
_CPT_SHAPE = re.compile(r"\d{5}|\d{4}[A-Z]")
_UPPER = frozenset(systems()[key].uri for key in ("hcpcs", "cpt", "icd-10-cm", "icd-10-pcs", "nucc"))


def _folded(uri: str) -> str:
    """A URI without what senders vary: capitals, scheme ("hhttps" included), www, version, end slash."""
    text = re.sub(r"^(h+ttps?://(www\.)?|urn:oid:)", "", uri.strip().lower().partition("|")[0])
    text = text.rstrip("/")
    # A SNOMED CT edition or version URI: http://snomed.info/sct/731000124108/version/20250301
    return "snomed.info/sct" if text.startswith("snomed.info/sct/") else text


_CANONICAL = {
    _folded(spelling): system.uri
    for key, system in systems().items()
    for spelling in (key, system.uri, *system.spellings)
}


@lru_cache(maxsize=4096)
def canonical_system(uri: str) -> str:
    """The canonical URI of a code system; an unknown URI comes back as it is, without spaces.

    WHO's ICD-10 URI counts as ICD-10-CM: charts of US payers' members hold no other ICD-10,
    and the categories are the same.
    """
    return _CANONICAL.get(_folded(uri), uri.strip())


@lru_cache(maxsize=65_536)
def canonical(system: str, code: str) -> tuple[str, str]:
    """(system, code) in the one spelling that is compared.

    HCPCS and CPT are told apart by the code, not by the URI, because senders use either URI for
    both: a letter and four digits is HCPCS Level II, five digits (or four and a letter, CPT II
    and III) is CPT. ICD-10-CM gets its dot (E1065 is E10.65). Codes without a system keep the
    system "" and so match no value set.
    """
    system, code = canonical_system(system), code.strip()
    if system in _UPPER:
        code = code.upper()
    if system in (HCPCS, CPT):
        if _HCPCS_SHAPE.fullmatch(code):
            system = HCPCS
        elif _CPT_SHAPE.fullmatch(code):
            system = CPT
    elif system == ICD_10_CM and len(code) > 3 and "." not in code:
        code = f"{code[:3]}.{code[3:]}"
    return system, code


def key(coding: Coding) -> tuple[str, str]:
    """The canonical (system, code) of a coding."""
    return canonical(coding.system, coding.code)


def order_code(concept: CodeableConcept | None) -> tuple[str, str] | None:
    """The HCPCS or CPT code of what is ordered, or None.

    HCPCS goes before CPT (E0783 names the pump, 62362 its implantation). Only here a coding
    without a system counts if it has the shape of such a code: on an order the code says what is
    requested, and no other system in use there has these shapes. Elsewhere in a chart five
    digits may be anything (an RxNorm or a local code).
    """
    if concept is None:
        return None
    keys = _ordered_keys(concept)
    keys += [canonical(HCPCS, code) for system, code in keys if not system]
    for wanted, shape in ((HCPCS, _HCPCS_SHAPE), (CPT, _CPT_SHAPE)):
        for system, code in keys:
            if system == wanted and shape.fullmatch(code):
                return system, code
    return None


def order_codes(concept: CodeableConcept | None) -> tuple[tuple[str, str], ...]:
    """All canonical (system, code) pairs of what is ordered, the HCPCS or CPT code first.

    The codes under which a clinical code may be billed count too, after its own.
    """
    found: list[tuple[str, str]] = []
    for item in (concept, *_billing_options(concept)):
        first = order_code(item)
        keys = _ordered_keys(item) if item is not None else []
        found += ([first] if first is not None else []) + [pair for pair in keys if pair[0]]
    return tuple(dict.fromkeys(found))


def _billing_options(concept: CodeableConcept | None) -> list[CodeableConcept]:
    """What a clinical code may be billed as. Source: Da Vinci CRD 2.2.1, ext-billing-options."""
    extensions = concept.extension if isinstance(concept, OrderedItem) else ()
    return [e.valueCodeableConcept for e in extensions if e.url == BILLING_OPTIONS and e.valueCodeableConcept]


def split_modifiers(system: str, code: str) -> tuple[str, tuple[str, ...]]:
    """A HCPCS or CPT code apart from the modifiers behind it: ("E0781", ("RR",)) for E0781-RR."""
    match = _WITH_MODIFIERS.fullmatch(code) if system in (HCPCS, CPT) else None
    return (match[1], tuple(re.findall(r"[A-Z0-9]{2}", match[2]))) if match else (code, ())


def _ordered_keys(concept: CodeableConcept) -> list[tuple[str, str]]:
    """The canonical pairs of an ordered item, without modifiers."""
    keys = [key(coding) for coding in concept.coding]
    return [canonical(system, split_modifiers(system, code)[0]) for system, code in keys]
