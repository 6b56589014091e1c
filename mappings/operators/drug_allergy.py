"""Whether the patient is allergic to a drug."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mappings.allergies import is_doubtful, is_past, says_none, stands
from mappings.codes import RXNORM, key
from mappings.conditions import Standing, date_of, standing, words_of
from mappings.dates import span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import AllergyIntolerance, Condition
from mappings.operators.base import Context, operator, texts

_ALLERGIC, _PERHAPS, _OTHER, _DENIED = "allergic", "perhaps", "other", "denied"


@operator(AllergyIntolerance, Condition)
def drug_allergy(
    context: Context,
    drugs: Iterable[str] = (),
    can_deny: bool = True,
    analgesic_status: Iterable[str] = (),
    open_status: Iterable[str] = (),
) -> Reading:
    """Whether an allergy to one of the drugs is on file, whatever the form in which it was taken.

    drugs: ingredients; none means those that the order is to infuse. can_deny: whether the list of
    allergies can say "no" (another question may have more grounds than an allergy). analgesic_status,
    open_status: value sets of an allergy status on the problem list, to analgesics or to no named drug.

    True: an active, confirmed allergy names the ingredient. An intolerance, a refuted, resolved or
    inactive entry is no allergy. Unknown: the entry is unconfirmed, names only the class of the
    drug, carries a code without any word, or a later "no known allergy" contradicts it; or a status on
    the problem list names its group, or nothing where the list of allergies is empty. False: no
    known allergy is recorded, or the list holds other entries only. An empty list says nothing.
    """
    wanted = frozenset(texts(drugs)) or frozenset(context.value("drug_set") or ())
    if not wanted:
        return unknown(Reason.NO_DATA)
    found: dict[str, list[Evidence]] = {}
    for entry in context.chart.of(AllergyIntolerance):
        recorded = span(entry.recordedDate)
        if recorded is None or recorded.first <= context.as_of:
            evidence = context.evidence(entry, entry.recordedDate or entry.onsetDateTime, says=_says(entry))
            found.setdefault(_kind(context, entry, wanted), []).append(evidence)
    allergic, denied = tuple(found.get(_ALLERGIC, ())), tuple(found.get(_DENIED, ()))
    if allergic:
        if denied and _latest(denied) > _latest(allergic):
            return unknown(
                Reason.CONFLICTING,
                "an allergy is on file, and later that none is known",
                (*allergic, *denied),
            )
        return Reading(True, evidence=allergic)
    if _PERHAPS in found:
        return unknown(Reason.IMPRECISE, "an entry may mean an allergy to the drug", tuple(found[_PERHAPS]))
    group = texts(analgesic_status) if "analgesic" in (context.value("drug_class") or ()) else ()
    status = _statuses(context, (*group, *(() if found else texts(open_status))))
    if status:
        return unknown(Reason.IMPRECISE, "an allergy status on file may mean the drug", status)
    if found and can_deny:
        others = tuple(found.get(_OTHER, ()))
        note = "no known allergy" if denied else "the list of allergies does not include the drug"
        return Reading(False, evidence=denied or others, note=note)
    return unknown(Reason.NO_DATA)


def _statuses(context: Context, value_sets: tuple[str, ...]) -> tuple[Evidence, ...]:
    return tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.in_sets(Condition, value_sets)
        if standing(condition, context.as_of) is Standing.ACTIVE
    )


def _kind(context: Context, entry: AllergyIntolerance, wanted: frozenset[str]) -> str:
    if says_none(entry):
        return _DENIED
    match = _match(context, entry, wanted) or ("" if _worded(entry) else "unread")
    if not match or entry.type == "intolerance" or not stands(entry):
        return _OTHER
    return _PERHAPS if is_doubtful(entry) or match != "drug" else _ALLERGIC


def _worded(entry: AllergyIntolerance) -> bool:
    """Whether it says in words, or in a drug's code, what it is about: then "not the drug" can be told."""
    concepts = [entry.code, *(reaction.substance for reaction in entry.reaction)]
    codings = [coding for concept in concepts if concept is not None for coding in concept.coding]
    worded = any(concept.text for concept in concepts if concept is not None)
    return worded or any(coding.display or key(coding)[0] == RXNORM for coding in codings)


def _match(context: Context, entry: AllergyIntolerance, wanted: frozenset[str]) -> str:
    """ "drug" when the entry names a wanted drug, "class" when it names a group that holds one, else ""."""
    substances = (entry.code, *(reaction.substance for reaction in entry.reaction))
    named = context.drugs.identify_all(*substances)
    if any(drug.name in wanted for drug in named):
        return "drug"
    groups = {drug.name for drug in named}
    kinds = set(context.value("drug_class") or ())
    return "class" if groups & kinds else ""


def _latest(evidence: tuple[Evidence, ...]) -> date:
    return max((day.last for shown in evidence if (day := span(shown.date)) is not None), default=date.min)


def _says(entry: AllergyIntolerance) -> str:
    status = entry.verificationStatus
    notes = [coding.code for coding in status.coding] if status is not None else []
    if entry.type:
        notes.append(entry.type)
    if is_past(entry):
        notes.append("past")
    name = words_of(entry.code) or "an unnamed substance"
    return f"{name} ({', '.join(notes)})" if notes else name
