"""Whether the patient has a condition: active, confirmed, and there on day 0."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from mappings.conditions import Standing, date_of, in_any, is_another_reason, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order
from mappings.uncoded_conditions import named_in_words, uncoded_conditions

_COUNTED = {True: frozenset({Standing.ACTIVE}), False: frozenset({Standing.ACTIVE, Standing.UNCONFIRMED})}
_OPEN = {Standing.UNCONFIRMED: Reason.IMPRECISE, Standing.UNDATABLE: Reason.IMPRECISE}
_UNSETTLED = "an active diagnosis is on file, but its code leaves it open"
_REASON_ALONE = "the reason of the order names it; the record does not show it as active and confirmed"


@operator(Condition)
def active_condition(
    context: Context,
    value_sets: Iterable[str],
    exclude: Iterable[str] = (),
    contrary: Iterable[str] = (),
    confirmed: bool = True,
    infer_from_indication: bool = True,
) -> Reading:
    """Whether an active Condition on day 0 is in one of the value sets.

    exclude: value sets whose codes leave it open although they are members (a disease in remission,
    "not specified as primary or secondary"). contrary: value sets of diagnoses that rule it out;
    with a match as well the record contradicts itself. confirmed: whether a provisional or
    differential diagnosis is too little. infer_from_indication: whether an order with another
    coded reason closes the path.

    True with the Conditions that show it. False when a contrary diagnosis is active, or
    (inferred) when Conditions are on file, none matches, each has a code that can be read, and the
    order states a coded disease outside the sets as its reason: an indication that is not the order's
    is unmet (readings A20b). Everything else is unknown: a diagnosis that is only suspected, over,
    refuted, in words or in the order's reason, and a chart without any Condition, because lost data is
    never a "no". A diagnosis that is over or refuted stands in the note alone: it is no sign that the
    patient may have the condition.
    """
    sets, open_sets, contrary_sets = texts(value_sets), texts(exclude), texts(contrary)
    chart = context.chart
    found: list[Evidence] = []
    against: list[Evidence] = []
    unsettled: list[Evidence] = []
    unproven: list[Evidence] = []
    reason = Reason.NO_DATA
    for condition in chart.in_sets(Condition, dict.fromkeys((*sets, *contrary_sets))):
        state = standing(condition, context.as_of)
        says = words_of(condition.code)
        if state is not Standing.ACTIVE:
            says = f"{says}: {state}"
        evidence = context.evidence(condition, date_of(condition), says=says)
        if not in_any(context.value_sets, condition.code, sets):
            if state is Standing.ACTIVE:
                against.append(evidence)
        elif state not in _COUNTED[confirmed]:
            unproven.append(evidence)
            reason = _OPEN.get(state, reason)
        elif _settled(context, condition.code, sets, open_sets):
            found.append(evidence)
        else:
            unsettled.append(evidence)
    if found and against:
        return unknown(Reason.CONFLICTING, "active diagnoses contradict each other", (*found, *against))
    if found:
        return Reading(True, evidence=tuple(found))
    if against:
        return Reading(False, evidence=tuple(against), note="another diagnosis rules it out")
    asked = (*sets, *open_sets)
    pointing = (*unsettled, *unproven)
    if unsettled:
        return unknown(Reason.IMPRECISE, _UNSETTLED, _with(pointing, _reasons_in(context, asked)))
    return _without_match(context, asked, infer_from_indication, pointing, reason)


def _settled(
    context: Context, concept: CodeableConcept | None, sets: tuple[str, ...], open_sets: tuple[str, ...]
) -> bool:
    """Whether one of the codings is a member that does not leave it open: the sharper code counts."""
    codings = concept.coding if concept is not None else ()
    alone = [CodeableConcept(coding=(coding,)) for coding in codings]
    return any(
        in_any(context.value_sets, one, sets) and not in_any(context.value_sets, one, open_sets)
        for one in alone
    )


def _reasons_in(context: Context, sets: tuple[str, ...]) -> list[Evidence]:
    """The reasons of the order that are in the sets."""
    reasons = reasons_of_order(context)
    return [evidence for concept, evidence in reasons if in_any(context.value_sets, concept, sets)]


def _with(pointing: tuple[Evidence, ...], reasons: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """What points at the diagnosis, and the reasons of the order that are no Condition named already."""
    named = {evidence.resource for evidence in pointing}
    return (*pointing, *(evidence for evidence in reasons if evidence.resource not in named))


def _without_match(
    context: Context, sets: tuple[str, ...], infer: bool, pointing: tuple[Evidence, ...], reason: Reason
) -> Reading:
    named = _reasons_in(context, sets)
    worded = named_in_words(context, sets) if reason is Reason.NO_DATA else None
    if worded is not None:
        return structs.replace(worded, evidence=_with((*pointing, *worded.evidence), named))
    if named:
        return unknown(reason, _REASON_ALONE, _with(pointing, named))
    reasons = list(reasons_of_order(context))
    other = is_another_reason(context.value_sets, [concept for concept, _ in reasons])
    may_close = infer and reason is not Reason.IMPRECISE and context.chart.has(Condition)
    if other and may_close and not uncoded_conditions(context):
        evidence = tuple(evidence for _, evidence in reasons)
        note = "no such diagnosis is active, and the order is for another reason"
        return Reading(False, evidence=(*pointing, *evidence), inferred=True, note=note)
    if reason is Reason.NO_DATA:
        # What is over, refuted or yet to come points to nothing today: the record is silent, and
        # only the note tells of it.
        past = "; ".join(evidence.says for evidence in pointing)
        return unknown(reason, f"no active diagnosis is on file ({past})" if past else "")
    return unknown(reason, "no active, confirmed diagnosis is on file", pointing)
