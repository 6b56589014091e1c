"""An order as it was sent, with another code in place of its own and nothing else changed."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from cards.as_sent import Whole, elements, encoded, items, url
from cards.coverage_information.extension import URL as COVERAGE_INFORMATION
from mappings.codes import key
from mappings.fhir import CodeableConcept
from policies.repeated import Replacement

BILLING_OPTIONS = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-billing-options"
_CODE = {"DeviceRequest": "codeCodeableConcept", "ServiceRequest": "code"}


class _Head(msgspec.Struct):
    id: str = ""
    reference: str = ""


_head = msgspec.json.Decoder(_Head)


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


def _drop_extension(whole: Whole, dropped: str) -> None:
    if "extension" in whole:
        _keep(whole, "extension", [one for one in items(whole["extension"]) if url(one) != dropped])


def _drop_contained(whole: Whole, reference: str) -> None:
    """Take a contained resource out, unless something else points to it."""
    contained = whole.pop("contained", None)
    if contained is None:
        return
    used = not reference.startswith("#") or f'"{reference}"'.encode() in encoded(whole)
    kept = [inner for inner in items(contained) if used or f"#{_head.decode(inner).id}" != reference]
    _keep(whole, "contained", kept)


def _keep(whole: Whole, element: str, kept: list[Raw]) -> None:
    """FHIR has no empty lists."""
    if kept:
        whole[element] = kept
    else:
        whole.pop(element, None)
