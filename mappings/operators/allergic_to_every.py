"""Whether the patient is hypersensitive to every one of several drugs."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.chart import has_code
from mappings.codes import SNOMED, canonical
from mappings.conditions import words_of
from mappings.dates import span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import AllergyIntolerance
from mappings.operators.base import Context, operator, texts

_NONE_KNOWN = (canonical(SNOMED, "716186003"), canonical(SNOMED, "409137002"))
"""No known allergy; no known drug allergy."""


@operator(AllergyIntolerance)
def allergic_to_every(context: Context, drugs: Iterable[str], open_classes: Iterable[str] = ()) -> Reading:
    """Whether an active, confirmed allergy is on file for each of the drugs (names of mappings.drugs).

    False: "no known (drug) allergy" is on file; allergies to some of the drugs but not to
    all; or (inferred) allergies on file of which none is to one of them. Unknown: no allergy on file
    at all, an allergy that may reach all of them because it names only a class or an ingredient of
    `open_classes` ("insulin"), or only unconfirmed ones. An intolerance is no hypersensitivity, and
    refuted or resolved allergies do not count.
    """
    wanted = texts(drugs)
    found: dict[str, Evidence] = {}
    open_: list[Evidence] = []
    none_known: list[Evidence] = []
    others: list[Evidence] = []
    for allergy in context.chart.of(AllergyIntolerance):
        if has_code(allergy.verificationStatus, "refuted") or has_code(
            allergy.clinicalStatus, "inactive", "resolved"
        ):
            continue
        written = allergy.onsetDateTime or allergy.recordedDate
        day = span(written)
        if day is not None and day.on_or_before(context.as_of) is False:
            continue
        evidence = context.evidence(allergy, written, says=words_of(allergy.code))
        if any(canonical(c.system, c.code) in _NONE_KNOWN for c in (allergy.code.coding if allergy.code else ())):
            none_known.append(evidence)
            continue
        concepts = [allergy.code, *(reaction.substance for reaction in allergy.reaction)]
        named = {d.name: d for d in context.drugs.identify_all(*concepts)}
        if allergy.type == "intolerance":
            continue
        if has_code(allergy.verificationStatus, "unconfirmed", "presumed"):
            open_.extend([evidence] * bool(set(wanted) & set(named)))
        elif set(wanted) & set(named):
            found.update((name, evidence) for name in wanted if name in named)
        elif any(set(texts(open_classes)) & set(drug.classes) for drug in named.values()):
            open_.append(evidence)
        else:
            others.append(evidence)
    missing = [name for name in wanted if name not in found]
    shown = tuple(dict.fromkeys(found.values()))
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
