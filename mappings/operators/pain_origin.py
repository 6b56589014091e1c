"""Whether the pain that a pump is ordered for comes from a cancer."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, in_any, standing, words_of
from mappings.evidence import Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order


@operator(Condition)
def pain_origin(
    context: Context,
    malignant: Iterable[str],
    cancers: Iterable[str],
    nonmalignant: Iterable[str],
    unspecific: Iterable[str],
) -> Reading:
    """Whether the coded reasons of the order mean pain of malignant origin.

    malignant: value sets of pain caused by cancer. cancers: of cancers, which as the reason of a pump
    for an analgesic mean the same (inferred). nonmalignant: of pain whose cause is named and is no
    cancer; it stays nonmalignant in a member with a cancer (inferred). unspecific: of pain without a
    cause; nonmalignant where no cancer is active, else unknown. Reasons of both kinds are unknown.
    """
    known = context.value_sets
    by_kind: dict[str, list[Evidence]] = {}
    for concept, evidence in reasons_of_order(context):
        sets = {"malignant": malignant, "cancer": cancers, "other": nonmalignant, "unspecific": unspecific}
        kind = next((k for k, names in sets.items() if in_any(known, concept, texts(names))), "")
        by_kind.setdefault(kind, []).append(evidence)
    of_cancer = (*by_kind.get("malignant", ()), *by_kind.get("cancer", ()))
    other = tuple(by_kind.get("other", ()))
    if of_cancer and other:
        return unknown(
            Reason.IMPRECISE, "the order names pain of malignant and of other origin", (*of_cancer, *other)
        )
    if of_cancer:
        return Reading(True, evidence=of_cancer, basis=Basis.ORDER, inferred="malignant" not in by_kind)
    if other:
        return Reading(False, evidence=other, basis=Basis.ORDER, inferred=True)
    if "unspecific" not in by_kind or not context.chart.has(Condition):
        return unknown(Reason.NO_DATA)
    unclear = tuple(by_kind["unspecific"])
    active = tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.in_sets(Condition, texts(cancers))
        if standing(condition, context.as_of) is Standing.ACTIVE
    )
    if active:
        return unknown(
            Reason.IMPRECISE,
            "a cancer is active; the record does not tell the origin of the pain",
            (*unclear, *active),
        )
    return Reading(False, evidence=unclear, basis=Basis.ORDER, note="no cancer is active", inferred=True)
