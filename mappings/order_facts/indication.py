"""Why the pump and its drug are ordered."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.chart import has_code
from mappings.codes import key
from mappings.evidence import Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition, Request
from mappings.operators.base import Context
from mappings.pumps import texts_of

_ASK = "the reason on the order (a coded condition) would settle it."


def treatment_indication(context: Context) -> Reading:
    """The codes of the reasons of the pump's and the drug's orders, each as "system|code".

    A reason points at a condition and proves none. Conditions that were refuted are no reasons. Of a
    reason with several codes those count that are known here; a local code beside them says no more.
    """
    codes: dict[str, None] = {}
    evidence: list[Evidence] = []
    words: list[str] = []
    for concept, entry in reasons_of_order(context):
        known = [pair for pair in map(key, concept.coding) if context.value_sets.recognises(*pair)]
        coded = known or [(system, code) for system, code in map(key, concept.coding) if system and code]
        pairs = [f"{system}|{code}" for system, code in coded]
        words.extend(texts_of(concept)[:1])
        evidence.append(entry)
        codes.update(dict.fromkeys(pairs))
    if codes:
        return Reading(
            tuple(codes), evidence=tuple(evidence), note="; ".join(dict.fromkeys(words)), basis=Basis.ORDER
        )
    if words:
        note = f'The reason "{"; ".join(dict.fromkeys(words))}" stands on the order only in words; {_ASK}'
        return unknown(Reason.NARRATIVE_ONLY, note, tuple(evidence))
    return unknown(Reason.NO_DATA, f"The order does not tell for which condition it is; {_ASK}")


def reasons_of_order(context: Context) -> Iterator[tuple[CodeableConcept, Evidence]]:
    """The reasons that the pump's order and the drug's orders state; a refuted Condition is none.

    A Condition that several of the orders name is one reason.
    """
    order, chart = context.order, context.chart
    requests: tuple[Request, ...] = tuple({id(r): r for r in (order.resource, *order.drug_orders)}.values())
    named: set[int] = set()
    for request in requests:
        for concept in request.reasonCode:
            yield concept, order.evidence(_shown(concept), says="reason of the order", of=request)
        for reference in request.reasonReference:
            condition = chart.resolve(reference, request)
            if isinstance(condition, Condition):
                if id(condition) in named:
                    continue
                named.add(id(condition))
                if condition.code is not None and not has_code(
                    condition.verificationStatus, "refuted", "entered-in-error"
                ):
                    written = condition.onsetDateTime or condition.recordedDate
                    yield condition.code, context.evidence(condition, written, _shown(condition.code))
            elif condition is None and reference.display and not request.reasonCode:
                yield CodeableConcept(text=reference.display), order.evidence(reference.display, of=request)


def _shown(concept: CodeableConcept) -> str:
    """The first code with its words, as evidence shows it."""
    code = next((coding.code for coding in concept.coding if coding.code), "")
    text = next(iter(texts_of(concept)), "")
    return f"{code} {text}".strip()
