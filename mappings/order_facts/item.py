"""The ordered item: its code, its day, its modifiers, whether it replaces something."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mappings.codes import CPT, HCPCS, key, split_modifiers
from mappings.dates import Span, span
from mappings.evidence import SILENT, Basis, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, DeviceRequest, ServiceRequest
from mappings.operators.base import Context
from mappings.order import Order, ordered_item, quantity_of
from mappings.pumps import Item, pumps, texts_of
from mappings.words import has_words

_ANSWER = "urn:coverage-hooks:answer"
_MODIFIER = re.compile(r"[A-Z][A-Z0-9]|[0-9][A-Z]")

# HCPCS Level II modifiers. KH is used for the first month of a rental and for a purchase alike.
_RENTAL = frozenset({"RR", "LL", "BR", "KI", "KJ"})
_PURCHASE = frozenset({"NU", "UE", "BP"})
_REPLACEMENT = "RA"
# Words around "replacement" with which an order says the contrary, or names a code for either.
_NO_REPLACEMENT = ("or replacement", "no replacement", "not a replacement", "not replacement")

_NEW_INTENTS = ("order", "original-order")


def order_code(context: Context) -> Reading:
    """The HCPCS or CPT code of the order, without its system; another code where it has none."""
    codes = context.order.codes
    if not codes:
        return unknown(
            Reason.NO_DATA, "The order carries no code; a HCPCS or CPT code would say what is ordered."
        )
    code = codes[0][1]
    item = pumps().item(*codes[0])
    return Reading(
        code, evidence=(context.order.evidence(code, says=item.says if item else ""),), basis=Basis.ORDER
    )


def order_date(context: Context) -> Reading:
    """Day 0 (mappings.order)."""
    day = context.order.day
    written = span(context.order.resource.authoredOn) if context.order.resource.authoredOn else None
    note = (
        ""
        if written == Span(day, day)
        else "The order carries no usable date; the day of the request counts."
    )
    evidence = context.order.evidence(day.isoformat())
    return Reading(Span(day, day), evidence=(evidence,), note=note, basis=Basis.ORDER)


def ordered_items(order: Order) -> list[Item]:
    """What the codes of the order stand for."""
    return pumps().items(order.codes)


def ordered_item_kind(context: Context) -> Reading:
    """pump, placement, component, catheter, port, supply, accessory, procedure or other."""
    items = ordered_items(context.order)
    if not items:
        return SILENT
    evidence = context.order.evidence(context.order.codes[0][1], says=items[0].says)
    return Reading(items[0].kind, evidence=(evidence,), basis=Basis.ORDER)


def quantity(context: Context) -> Reading:
    """How many are ordered."""
    ordered = quantity_of(context.order)
    if ordered is None or ordered.value is None:
        return SILENT
    return Reading(ordered.value, evidence=(context.order.evidence(ordered.value),), basis=Basis.ORDER)


def modifiers(context: Context) -> tuple[str, ...]:
    """The HCPCS modifiers on the order: beside the code, after it, or in its details."""
    resource = context.order.resource
    concepts = [ordered_item(resource, context.chart)]
    if isinstance(resource, ServiceRequest):
        concepts.extend(resource.orderDetail)
    if isinstance(resource, DeviceRequest):
        concepts.extend(parameter.valueCodeableConcept for parameter in resource.parameter)
    return tuple(dict.fromkeys(code for concept in concepts for code in _modifiers_of(concept)))


def _modifiers_of(concept: CodeableConcept | None) -> Iterator[str]:
    for coding in concept.coding if concept is not None else ():
        system, code = key(coding)
        if system in (HCPCS, CPT) and _MODIFIER.fullmatch(code):
            yield code
        yield from split_modifiers(system, code)[1]


def rental_or_purchase(context: Context) -> Reading:
    """Billing basis, from the modifiers of the order."""
    given = modifiers(context)
    says = {
        answer
        for answer, codes in (("rental", _RENTAL), ("purchase", _PURCHASE))
        if codes.intersection(given)
    }
    if not says:
        return SILENT
    evidence = (context.order.evidence(", ".join(given), says="HCPCS modifiers"),)
    if len(says) > 1:
        return unknown(
            Reason.CONFLICTING, "The order carries modifiers for rental and for purchase.", evidence
        )
    return Reading(says.pop(), evidence=evidence, basis=Basis.ORDER)


def order_is_replacement(context: Context) -> Reading:
    """True for a code, a modifier or the words of a pump's order for a replacement; else it is silent."""
    for item in ordered_items(context.order):
        if item.replacement:
            return Reading(True, evidence=(context.order.evidence(True, says=item.says),), basis=Basis.ORDER)
    if _REPLACEMENT in modifiers(context):
        evidence = context.order.evidence(True, says="modifier RA: replacement of equipment")
        return Reading(True, evidence=(evidence,), basis=Basis.ORDER)
    # The names of codes for placing a pump, and of batteries, hold the word too.
    kinds = {item.kind for item in pumps().items(context.order.listed_by)}
    if kinds == {"pump"}:
        for text in texts_of(ordered_item(context.order.resource, context.chart)):
            if has_words(text, "replacement") and not any(
                has_words(text, words) for words in _NO_REPLACEMENT
            ):
                evidence = context.order.evidence(True, says=f'the words of the order: "{text}"')
                return Reading(True, evidence=(evidence,), basis=Basis.ORDER)
    return SILENT


def replacement_reason(context: Context) -> Reading:
    """Why a replacement is ordered, where the order's reason is one of our answers."""
    answers = {
        coding.code
        for concept in context.order.resource.reasonCode
        for coding in concept.coding
        if coding.system == _ANSWER and coding.code
    }
    if len(answers) != 1:
        return SILENT
    answer = answers.pop()
    return Reading(answer, evidence=(context.order.evidence(answer),), basis=Basis.ORDER)


def prescription_date(context: Context) -> Reading:
    """When the prescription was written: the authoredOn of the drug's order, else of this order.

    It yields to a date that is stated (shared examples: a statement goes before authoredOn).
    """
    for resource in (*context.order.drug_orders, context.order.resource):
        written = span(resource.authoredOn) if resource.authoredOn else None
        if written is not None and written.on_or_before(context.as_of) is not False:
            evidence = context.order.evidence(resource.authoredOn[:10], of=resource)
            note = "The order's own date."
            return Reading(written, evidence=(evidence,), note=note, basis=Basis.ORDER, inferred=True)
    return SILENT


def new_prescription_for_this_device(context: Context) -> Reading:
    """Whether this order is a prescription of its own and not an instance of an older one."""
    resource = context.order.resource
    if resource.intent not in _NEW_INTENTS:
        note = f"The order's intent is {resource.intent or 'not stated'}; a new order would settle it."
        return unknown(Reason.NO_DATA, note)
    evidence = context.order.evidence(True, says=f"new order, intent {resource.intent}")
    return Reading(True, evidence=(evidence,), basis=Basis.ORDER)
