"""A resource as it was sent, with one thing changed.

Only the elements to change are decoded; all others stay the JSON text that came in, so that numbers,
unknown elements and extensions come out as they were written.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from mappings.codes import key
from mappings.fhir import CodeableConcept
from policies.repeated import Replacement

COVERAGE_INFORMATION = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information"
BILLING_OPTIONS = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-billing-options"
_CODE = {"DeviceRequest": "codeCodeableConcept", "ServiceRequest": "code"}

Whole = dict[str, Any]


class _Head(msgspec.Struct):
    url: str = ""
    id: str = ""
    reference: str = ""


_elements = msgspec.json.Decoder(dict[str, Raw])
_list = msgspec.json.Decoder(list[Raw])
_head = msgspec.json.Decoder(_Head)
_encode = msgspec.json.Encoder().encode


def elements(written: Raw) -> Whole:
    """The elements of a resource, each as its JSON text."""
    return dict(_elements.decode(written))


def with_code(written: Raw, new: Replacement) -> Whole | None:
    """An order with another code; None for a type that is not ordered by code.

    What was said about the former item goes: coverage-information, the billing options of its code, and
    a contained Device that nothing else refers to (FHIR, dom-3: nothing contained stands idle).
    Raises msgspec.ValidationError for elements that are not what FHIR says.
    """
    order = elements(written)
    element = _CODE.get(msgspec.json.decode(order["resourceType"]))
    if element is None:
        return None
    pointed = order.pop("codeReference", None)
    order[element] = _concept(order.get(element), new)
    _drop_extension(order, COVERAGE_INFORMATION)
    if pointed is not None:
        _drop_contained(order, _head.decode(pointed).reference)
    return order


def _concept(written: Raw | None, new: Replacement) -> Whole:
    """The concept of the new code, in the sender's spelling of its code system.

    Codings of other systems name the former item too, so none stays beside the new code.
    """
    kept = elements(written) if written is not None else {}
    former = msgspec.json.decode(written, type=CodeableConcept) if written is not None else CodeableConcept()
    spellings = [coding.system for coding in former.coding if key(coding)[0] == new.system]
    _drop_extension(kept, BILLING_OPTIONS)
    coding = {"system": next(iter(spellings), new.system), "code": new.code, "display": new.says}
    return kept | {"coding": [coding], "text": new.says}


def _drop_extension(whole: Whole, url: str) -> None:
    if "extension" in whole:
        kept = [
            extension for extension in _list.decode(whole["extension"]) if _head.decode(extension).url != url
        ]
        _keep(whole, "extension", kept)


def _drop_contained(whole: Whole, reference: str) -> None:
    """Take a contained resource out, unless something else points to it."""
    contained = whole.pop("contained", None)
    if contained is None:
        return
    used = not reference.startswith("#") or f'"{reference}"'.encode() in _encode(whole)
    kept = [inner for inner in _list.decode(contained) if used or f"#{_head.decode(inner).id}" != reference]
    _keep(whole, "contained", kept)


def _keep(whole: Whole, element: str, kept: list[Raw]) -> None:
    """FHIR has no empty lists."""
    if kept:
        whole[element] = kept
    else:
        whole.pop(element, None)
