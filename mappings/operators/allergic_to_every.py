"""Whether the patient is hypersensitive to every one of several drugs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mappings.allergies import says_none, stands
from mappings.chart import is_confirmed
from mappings.conditions import words_of
from mappings.dates import span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import AllergyIntolerance
from mappings.operators.base import Context, operator, texts


@operator(AllergyIntolerance)
def allergic_to_every(context: Context, drugs: Iterable[str], wider: Iterable[str] = ()) -> Reading:
    """Whether an active, confirmed allergy is on file for each of the drugs (names of mappings.drugs).

    False: "no known (drug) allergy" is on file; allergies to some of the drugs but not to all; or
    (inferred) allergies on file of which none is to one of them. Unknown: no allergy on file at
    all, an allergy to one of the `wider` names, which may reach all of them ("insulin"), or only
    unconfirmed ones. An intolerance is no hypersensitivity, and refuted or resolved allergies do
    not count.
    """
    wanted, groups = texts(drugs), frozenset(texts(wider))
    found: dict[str, Evidence] = {}
    open_: list[Evidence] = []
    none_known: list[Evidence] = []
    others: list[Evidence] = []
    for allergy in context.chart.of(AllergyIntolerance):
        if not _counts(allergy, context.as_of):
            continue
        written = allergy.onsetDateTime or allergy.recordedDate
        evidence = context.evidence(allergy, written, says=words_of(allergy.code))
        concepts = (allergy.code, *(reaction.substance for reaction in allergy.reaction))
        named = {drug.name: drug for drug in context.drugs.identify_all(*concepts)}
        hit = [name for name in wanted if name in named]
        group = bool(groups & named.keys())
        if says_none(allergy):
            none_known.append(evidence)
        elif (hit and not is_confirmed(allergy)) or (group and not hit):
            open_.append(evidence)
        elif hit:
            found.update((name, evidence) for name in hit)
        else:
            others.append(evidence)
    shown = tuple(dict.fromkeys(found.values()))
    missing = [name for name in wanted if name not in found]
    if not missing:
        return Reading(True, evidence=shown)
    if open_:
        note = "an allergy on file may reach all of them, or is not confirmed"
        return unknown(Reason.IMPRECISE, note, (*shown, *open_))
    if shown:
        return Reading(False, evidence=shown, note=f"no allergy on file to {', '.join(missing)}")
    if none_known:
        return Reading(False, evidence=tuple(none_known))
    if others:
        note = "the allergies on file name none of them"
        return Reading(False, evidence=tuple(others), note=note, inferred=True)
    return unknown(Reason.NO_DATA)


def _counts(allergy: AllergyIntolerance, as_of: date) -> bool:
    """An allergy proper that is active, not refuted, and not dated after day 0."""
    day = span(allergy.onsetDateTime or allergy.recordedDate)
    timely = day is None or day.on_or_before(as_of) is not False
    return stands(allergy) and allergy.type != "intolerance" and timely
