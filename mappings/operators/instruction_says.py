"""Whether the instructions of a drug say something in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mappings.drug_use import drug_uses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Medication, MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts
from mappings.pumps import texts_of
from mappings.words import has_words

_NEGATION = re.compile(r"\b(no|not|without|never|instead of|declines?|unable)\b", re.IGNORECASE)


@operator(MedicationStatement, MedicationRequest, Medication)
def instruction_says(context: Context, drug_classes: Iterable[str], phrases: Iterable[str]) -> Reading:
    """Whether a dose instruction of a drug of the classes, in use on day 0, holds one of the phrases.

    Phrases are compared as whole words. True, or unknown: an instruction that does not say it
    proves nothing, and one with a negation is left to a person (narrative_only).
    """
    wanted = texts(phrases)
    said: list[Evidence] = []
    open_: list[Evidence] = []
    for use in drug_uses(context, texts(drug_classes)):
        if not use.stretch.surely(context.as_of):
            continue
        notes = (t for dosage in use.dosages for note in dosage.additionalInstruction for t in texts_of(note))
        lines = [text for text in (*(dosage.text for dosage in use.dosages), *notes) if text]
        for line in lines:
            if any(has_words(line, phrase) for phrase in wanted):
                (open_ if _NEGATION.search(line) else said).append(use.evidence)
    if said:
        return Reading(True, evidence=tuple(said))
    if open_:
        return unknown(Reason.NARRATIVE_ONLY, "the dose instruction needs reading", tuple(open_))
    return unknown(Reason.NO_DATA)
